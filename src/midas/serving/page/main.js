// The page: what the controls do. Where maps come from is in source.js, what they look like in colours.js and scene.js.
import { alignment, draw, usualWindow, valueAt } from "./colours.js";
import { FilmTool } from "./film.js";
import { Scene } from "./scene.js";
import { describe, encode, filmServer, needsServer, predict } from "./source.js";
import { speak, usualLanguage, word } from "./words.js";

// What the eye needs of a photograph, and what graphics cards of phones take.
const MOST_PHOTO_PX = 2048;

const byId = (id) => document.getElementById(id);
const pictures = [];
const facts = { models: [], formats: [], colormaps: {} };
const points = [null, null];
let current = null;
let picking = -1;
let cursor = null;
let scene = null;
let filmTool = null;
let said = ["", {}, false];

// ── words and models ────────────────────────────────────────────────────────

function say(name, parts, bad = false) {
  said = [name, parts, bad];
  const status = byId("status");
  status.textContent = name ? word(name, parts) : "";
  status.classList.toggle("bad", bad);
}

function fail(error) {
  say("failed", { why: error.message }, true);
  if (error.status === 401) byId("key-form").hidden = false;
}

async function start() {
  byId("language").value = usualLanguage();
  speak(byId("language").value);
  byId("api").hidden = !needsServer;
  say("loading");
  const { models, formats, colormaps, sizes = true, films = [] } = await describe();
  Object.assign(facts, { models, formats });
  facts.colormaps = Object.fromEntries(
    Object.entries(colormaps).map(([name, text]) => [name, Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]),
  );
  byId("model").replaceChildren(...models.map((model) => new Option(model.name)));
  byId("size").closest("label").hidden = !sizes;
  byId("colormap").replaceChildren(...Object.keys(colormaps).map((name) => new Option(name)));
  byId("downloads").replaceChildren(...formats.map(downloadButton));
  filmTool ??= new FilmTool(byId("film"), filmServer(asked), films);
  showCard();
  say("");
  byId("key-form").hidden = true;
  document.body.dataset.ready = "yes";
}

function showCard() {
  const model = facts.models.find((each) => each.name === byId("model").value);
  if (!model) return;
  const free = model.commercial === null ? "unknown" : model.commercial ? "yes" : "no";
  const rows = [
    ["about", model.summary], ["licence", model.licence ?? word("unknown")], ["commercial", word(free)],
    ["parameters", model.parameters ? `${(model.parameters / 1e6).toFixed(1)} M` : word("unknown")], ["kind", model.kind],
  ];
  byId("card").replaceChildren(...rows.flatMap(([name, text]) => [element("dt", word(name)), element("dd", text)]));
}

function element(kind, text) {
  return Object.assign(document.createElement(kind), { textContent: text });
}

// ── pictures ────────────────────────────────────────────────────────────────

async function add(files) {
  for (const file of files) {
    const picture = { blob: file, name: file.name || "picture", map: null, photo: null, thumb: null, window: null };
    pictures.push(picture);
    await work(picture);
  }
}

async function work(picture) {
  say("working", { name: picture.name });
  const begun = performance.now();
  try {
    const [map, photo] = await Promise.all([predict(picture.blob, asked()), photograph(picture.blob)]);
    Object.assign(picture, { map, photo: photo ?? drawnPhoto(map), window: usualWindow(map) });
  } catch (error) {
    pictures.splice(pictures.indexOf(picture), 1);
    showStrip();
    fail(error);
    return;
  }
  show(picture);
  const { width, height } = picture.map;
  say("done", { name: picture.name, width, height, ms: Math.round(performance.now() - begun) });
}

function asked() {
  return { model: byId("model").value, size: byId("size").value };
}

/** The photograph upright in a canvas; null where the browser can't read what the model can. */
async function photograph(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
  const scale = Math.min(1, MOST_PHOTO_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(scale * bitmap.width));
  canvas.height = Math.max(1, Math.round(scale * bitmap.height));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // as the model sees what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function drawnPhoto(map) {
  const canvas = document.createElement("canvas");
  draw(canvas, map, facts.colormaps.grey, [0, 1000]);
  return canvas;
}

function showStrip() {
  byId("strip").replaceChildren(...pictures.filter((each) => each.map).map((picture) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(picture === current));
    button.addEventListener("click", () => show(picture));
    picture.thumb ??= thumbnail(picture.photo);
    const image = Object.assign(new Image(), { src: picture.thumb, alt: picture.name });
    button.append(image);
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}

function thumbnail(photo) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 144, height: 108 });
  const scale = Math.max(144 / photo.width, 108 / photo.height);
  const [width, height] = [photo.width * scale, photo.height * scale];
  canvas.getContext("2d").drawImage(photo, (144 - width) / 2, (108 - height) / 2, width, height);
  return canvas.toDataURL("image/jpeg", 0.8);
}

function show(picture) {
  current = picture;
  byId("view").hidden = byId("controls").hidden = false;
  const photo = byId("photo");
  Object.assign(photo, { width: picture.photo.width, height: picture.photo.height });
  photo.getContext("2d").drawImage(picture.photo, 0, 0);
  [byId("low").value, byId("high").value] = picture.window;
  points.fill(null);
  cursor = null;
  byId("points").querySelectorAll(".place").forEach((place) => (place.textContent = ""));
  byId("reading").textContent = "";
  showStrip();
  redraw();
  showMetres();
}

// ── what it looks like ──────────────────────────────────────────────────────

function redraw() {
  if (!current) return;
  draw(byId("map"), current.map, facts.colormaps[byId("colormap").value], current.window);
  showTab();
}

function tab() {
  return document.querySelector("input[name=tab]:checked").value;
}

function showTab() {
  const chosen = tab();
  const flat = chosen !== "scene";
  byId("photo").hidden = byId("map").hidden = !flat;
  byId("scene").hidden = byId("scene-tool").hidden = flat;
  byId("compare-tool").hidden = byId("edge").hidden = chosen !== "compare";
  const share = chosen === "depth" ? 0 : Number(byId("split").value);
  byId("map").style.clipPath = `inset(0 0 0 ${share}%)`;
  byId("edge").style.left = `${share}%`;
  if (!flat) showScene();
}

function showScene() {
  const [fov, ratio] = ["fov", "ratio"].map((id) => Number(byId(id).value));
  document.querySelector("output[for=fov]").textContent = `${fov}°`;
  document.querySelector("output[for=ratio]").textContent = `${ratio}`;
  scene ??= new Scene(byId("scene"));
  scene.show(current.map, current.photo, fov, ratio);
}

function slideWindow(event) {
  let [low, high] = [Number(byId("low").value), Number(byId("high").value)];
  if (low >= high) {
    if (event.target.id === "low") low = high - 1;
    else high = low + 1;
    [byId("low").value, byId("high").value] = [low, high];
  }
  current.window = [Math.max(0, low), Math.min(1000, high)];
  redraw();
}

// ── values and metres ───────────────────────────────────────────────────────

function pixelAt(event) {
  const box = byId("photo").getBoundingClientRect();
  // The picture is fitted into its box.
  const { width, height } = current.map;
  const scale = Math.min(box.width / width, box.height / height);
  const [left, top] = [box.left + (box.width - scale * width) / 2, box.top + (box.height - scale * height) / 2];
  const [x, y] = [Math.floor((event.clientX - left) / scale), Math.floor((event.clientY - top) / scale)];
  return x >= 0 && y >= 0 && x < width && y < height ? { x, y } : null;
}

function read(spot) {
  if (!spot) return;
  const value = valueAt(current.map, spot.x, spot.y);
  const line = known();
  const parts = { value: value.toPrecision(4), x: spot.x, y: spot.y };
  if (current.map.kind === "metric") {
    byId("reading").textContent = word("valueMetres", { ...parts, metres: value.toFixed(2) });
  } else if (line) {
    const inverse = line.scale * value + line.shift;
    const metres = inverse > 0 ? (1 / inverse).toFixed(2) : word("nearer");
    byId("reading").textContent = word("valueMetres", { ...parts, metres });
  } else byId("reading").textContent = word("value", parts);
}

function set(spot) {
  points[picking] = spot;
  byId("points").querySelectorAll(".place")[picking].textContent = `${spot.x}, ${spot.y}`;
  pick(-1);
  showMetres();
}

function pick(index) {
  picking = index;
  byId("points").querySelectorAll(".pick").forEach((button, each) => button.setAttribute("aria-pressed", String(each === index)));
  byId("stage").classList.toggle("picking", index >= 0);
  if (index < 0) return;
  cursor = points[index] ?? { x: current.map.width >> 1, y: current.map.height >> 1 };
  if (tab() === "scene") document.querySelector("input[value=compare]").click();
}

/** The two points with their distances; null unless both are there. */
function bothPoints() {
  const metres = [...byId("points").querySelectorAll(".metres")].map((field) => Number(field.value));
  return points.every(Boolean) && metres.every((each) => each > 0)
    ? points.map((point, index) => ({ ...point, metres: metres[index] })) : null;
}

function known() {
  const both = bothPoints();
  return both && alignment(current.map, both);
}

function showMetres() {
  const line = known();
  byId("alignment").textContent = bothPoints() && !line ? word("noLine") : "";
  byId("meaning").textContent = word(current?.map.kind === "metric" ? "metric" : line ? "aligned" : "relative");
}

// ── downloads ───────────────────────────────────────────────────────────────

function downloadButton(format) {
  const button = Object.assign(element("button", format), { type: "button" });
  button.dataset.format = format;
  button.addEventListener("click", () => download(format).catch(fail));
  return button;
}

const SUFFIXES = { png16: ".png", png8: "_8bit.png", color: "_color.png", "side-by-side": "_side-by-side.png" };

async function download(format) {
  const both = known() ? bothPoints() : null;
  const points = both?.map(({ x, y, metres }) => `${y},${x},${metres}`);
  const blob = await encode(current.blob, current.map, format, {
    ...asked(), model: current.map.model || asked().model, colormap: byId("colormap").value, known: points,
    // Where nobody moved it, the photograph's own file may know better.
    fov: format === "glb" && byId("fov").dataset.moved ? byId("fov").value : "",
  });
  const name = `${current.name.replace(/\.[^.]*$/, "")}_depth${SUFFIXES[format] ?? `.${format}`}`;
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say("saved", { name });
}

// ── the camera ──────────────────────────────────────────────────────────────

async function openCamera() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    byId("video").srcObject = stream;
    await byId("video").play();
    byId("finder").hidden = false;
  } catch (error) {
    say("noCamera", { why: error.message }, true);
  }
}

async function shoot() {
  const video = byId("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  closeCamera();
  await add([new File([blob], "photograph.jpg", { type: "image/jpeg" })]);
}

function closeCamera() {
  byId("video").srcObject?.getTracks().forEach((track) => track.stop());
  byId("video").srcObject = null;
  byId("finder").hidden = true;
}

// ── what listens to what ────────────────────────────────────────────────────

function listen() {
  const on = (target, kind, action) => (typeof target === "string" ? byId(target) : target).addEventListener(kind, action);
  on("language", "change", (event) => {
    speak(event.target.value);
    say(...said);
    showCard();
    showMetres();
  });
  on("files", "change", (event) => {
    add([...event.target.files]);
    event.target.value = "";
  });
  on(document, "paste", (event) => add([...event.clipboardData.files]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    on(document, kind, (event) => {
      event.preventDefault();
      byId("drop").classList.toggle("over", kind === "dragover");
      if (kind === "drop") add([...event.dataTransfer.files]);
    });
  }
  on("camera", "click", openCamera);
  on("shoot", "click", shoot);
  on("stop", "click", closeCamera);
  document.querySelectorAll("input[name=tab]").forEach((input) => on(input, "change", showTab));
  on("split", "input", showTab);
  on("colormap", "change", redraw);
  for (const id of ["low", "high"]) on(id, "input", slideWindow);
  on("reset", "click", () => {
    current.window = usualWindow(current.map);
    [byId("low").value, byId("high").value] = current.window;
    redraw();
  });
  for (const id of ["fov", "ratio"]) on(id, "input", showScene);
  on("fov", "input", (event) => (event.target.dataset.moved = "yes"));
  for (const id of ["model", "size"]) {
    on(id, "change", () => {
      showCard();
      if (current) work(current);
    });
  }
  on("stage", "pointermove", (event) => current && tab() !== "scene" && read(pixelAt(event)));
  on("stage", "click", (event) => {
    const spot = current && tab() !== "scene" ? pixelAt(event) : null;
    if (spot && picking >= 0) set(spot);
    read(spot);
  });
  byId("points").querySelectorAll(".pick").forEach((button, index) => {
    on(button, "click", () => pick(picking === index ? -1 : index));
    on(button, "keydown", (event) => moveCursor(event, index));
  });
  byId("points").querySelectorAll(".metres").forEach((field) => on(field, "input", showMetres));
  on("key-form", "submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem("midas-key", byId("key").value);
    start().catch(fail);
  });
}

function moveCursor(event, index) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (picking !== index) return;
  if (event.key === "Enter") set(cursor);
  else if (event.key === "Escape") pick(-1);
  else if (event.key in steps) {
    const pace = event.shiftKey ? 1 : 10;
    const [x, y] = steps[event.key].map((step, axis) => [cursor.x, cursor.y][axis] + pace * step);
    cursor = {
      x: Math.max(0, Math.min(current.map.width - 1, x)), y: Math.max(0, Math.min(current.map.height - 1, y)),
    };
    read(cursor);
  } else return;
  event.preventDefault();
}

listen();
start().catch(fail);
