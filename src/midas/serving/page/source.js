// Where maps come from: here, the server that sent this page. The page without a server has another file of this name.
import { readPng16 } from "./map_files.js";
import { failure } from "./words.js";

export const needsServer = true;

const KEY = "midas-key";

/** Remember the key of the server as long as the page is open. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

/** Models, formats and colour maps. */
export async function describe() {
  const [found, tables] = await Promise.all([ask("v1/models"), ask("colormaps.json")]);
  const { models, formats, limits, films } = await found.json();
  const named = formats.map((each) => ({ name: each.name, onlyMetres: each.only_metres }));
  return { models, formats: named, limits, films, colormaps: await tables.json() };
}

/** The map of a picture. */
export async function predict(blob, { model, size }) {
  const answer = await depth(blob, { model, size, format: "png16" });
  return readPng16(await answer.arrayBuffer());
}

/** A file of it. */
export async function encode(blob, map, format, { model, size, colormap, known, fov }) {
  return (await depth(blob, { model, size, format, colormap, known, fov })).blob();
}

function depth(blob, parameters) {
  return send("v1/depth", blob, parameters);
}

/** The colours of a camera's picture, to be drawn; steady from one to the next of that camera. */
export async function mapLive(canvas, { camera, model, colormap }, signal) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  const answer = await send(`v1/live/${camera}`, blob, { model, colormap }, signal);
  return createImageBitmap(await answer.blob());
}

/** The server forgets a camera by itself. */
export const forgetLive = () => {};

function send(path, blob, parameters, signal) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of Array.isArray(value) ? value : [value]) if (each) query.append(name, each);
  }
  const headers = { "Content-Type": blob.type || "application/octet-stream" };
  return ask(`${path}?${query}`, { method: "POST", body: blob, headers, signal });
}

/** What films need; `asked` gives the model that is chosen. */
export function filmServer(asked) {
  const at = (name) => `v1/films/${name}`;
  return {
    send: (file, format, onShare, signal) => sendFilm(file, { format, model: asked().model }, onShare, signal),
    state: async (name) => (await ask(at(name))).json(),
    preview: async (name) => (await ask(`${at(name)}/preview.jpg`)).blob(),
    result: async (name) => (await ask(`${at(name)}/result.mp4`)).blob(),
    remove: (name) => ask(at(name), { method: "DELETE", keepalive: true }).catch(() => null),
  };
}

/** Only XMLHttpRequest tells how much of a body is sent. */
function sendFilm(file, parameters, onShare, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `v1/films?${new URLSearchParams(parameters)}`);
    const key = sessionStorage.getItem(KEY);
    if (key) request.setRequestHeader("Authorization", `Bearer ${key}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => onShare(event.loaded / (event.total || file.size || 1));
    request.onerror = () => reject(failure("noServer"));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onload = () => {
      if (request.status === 202) resolve(request.response);
      else reject(refusal(request.status, request.response));
    };
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

async function ask(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  const answer = await fetch(path, { ...options, headers }).catch((error) => {
    throw error.name === "AbortError" ? error : failure("noServer");
  });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => null);
  throw Object.assign(refusal(answer.status, problem), { retryAfter: Number(answer.headers.get("Retry-After")) || null });
}

/** What a refusal says; what stands in front of a server may refuse too, and says it in other ways. */
function refusal(status, problem) {
  if (!problem?.detail) return Object.assign(failure("statusOnly", { status }), { status });
  return Object.assign(new Error(problem.detail), { status, kind: problem.type?.split("#")[1] });
}
