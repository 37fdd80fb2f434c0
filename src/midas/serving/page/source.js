// Where maps come from: here, the server that sent this page. The page without a server has another file of this name.
import { readPng16 } from "./map_files.js";

export const needsServer = true;

/** Models, formats and colour maps. */
export async function describe() {
  const [found, tables] = await Promise.all([ask("v1/models"), ask("colormaps.json")]);
  const { models, formats, limits, films } = await found.json();
  return { models, formats: formats.map((each) => each.name), limits, films, colormaps: await tables.json() };
}

/** The map of a picture. */
export async function predict(blob, { model, size }) {
  const answer = await depth(blob, { model, size, format: "png16" });
  const map = await readPng16(await answer.arrayBuffer());
  return { ...map, timing: answer.headers.get("Server-Timing") ?? "" };
}

/** A file of it. */
export async function encode(blob, map, format, { model, size, colormap, known, fov }) {
  return (await depth(blob, { model, size, format, colormap, known, fov })).blob();
}

function depth(blob, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of Array.isArray(value) ? value : [value]) if (each) query.append(name, each);
  }
  return ask(`v1/depth?${query}`, { method: "POST", body: blob, headers: { "Content-Type": blob.type || "application/octet-stream" } });
}

/** What films need; `asked` gives the model that is chosen. */
export function filmServer(asked) {
  const at = (name) => `v1/films/${name}`;
  return {
    send: (file, format, onShare) => sendFilm(file, { format, model: asked().model }, onShare),
    state: async (name) => (await ask(at(name))).json(),
    preview: async (name) => (await ask(`${at(name)}/preview.jpg`)).blob(),
    result: async (name) => (await ask(`${at(name)}/result.mp4`)).blob(),
    remove: (name) => ask(at(name), { method: "DELETE" }).catch(() => null),
  };
}

/** Only XMLHttpRequest tells how much of a body is sent. */
function sendFilm(file, parameters, onShare) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `v1/films?${new URLSearchParams(parameters)}`);
    const key = sessionStorage.getItem("midas-key");
    if (key) request.setRequestHeader("Authorization", `Bearer ${key}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => onShare(event.loaded / (event.total || file.size || 1));
    request.onerror = () => reject(new Error("the server doesn't answer"));
    request.onload = () => {
      if (request.status === 202) resolve(request.response);
      else reject(new Error(request.response?.detail ?? `${request.status}`));
    };
    request.send(file);
  });
}

async function ask(path, options = {}) {
  const key = sessionStorage.getItem("midas-key");
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? `${answer.status} ${answer.statusText}`), { status: answer.status });
}
