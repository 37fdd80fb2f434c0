// The page: what the controls do. Where maps come from is in source.js, what they look like in colours.js and scene.js.
import { Finder, Live } from "./camera.js";
import { draw, usualWindow, valueAt } from "./colours.js";
import { FilmTool } from "./film.js";
import { Points } from "./points.js";
import { Scene } from "./scene.js";
import { describe, encode, filmServer, forgetLive, mapLive, needsServer, predict, useKey } from "./source.js";
import { showStrip } from "./strip.js";
import { english, failure, hasWord, speak, usualLanguage, word } from "./words.js";

// What the eye needs of a photograph, and what graphics cards of phones take.
const MOST_PHOTO_PX = 2048;

const byId = (id) => document.getElementById(id);
const allOf = (selector) => [...document.querySelectorAll(selector)];
const pictures = [];
const facts = { models: [], formats: [], colormaps: {} };
const points = new Points(byId("stage"), byId("points"), {
  pick: () => tab() === "scene" && turnTo("compare"),
  change: showMetres,
  read,
});
const finder = new Finder(byId("finder"), { taken: (file) => add([file]), failed: noCamera });
const live = new Live(byId("live-photo"), byId("live-map"), mapFrame, {
  begun: () => showLive(true), ended: () => showLive(false), shown: showFigures, failed: noCamera, shape: shapeStage,
});
let current = null;
let scene = null;
let filmTool = null;
let looked = null;
let said = ["", {}, false];

// ── words and models ────────────────────────────────────────────────────────

function say(name, parts, bad = false) {
  said = [name, parts, bad];
  const status = byId("status");
  status.textContent = name ? word(name, parts) : "";
  status.classList.toggle("bad", bad);
}

function fail(error) {
  say("failed", { why: error }, true);
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
  for (const id of ["colormap", "live-colormap"]) byId(id).replaceChildren(...Object.keys(colormaps).map((name) => new Option(name)));
  byId("downloads").replaceChildren(...formats.map(downloadButton));
  filmTool ??= new FilmTool(byId("film"), filmServer(asked), films);
  tabOf("film").closest("label").hidden = !films.length;
  showCard();
  say("");
  byId("key-form").hidden = true;
  document.body.dataset.ready = "yes";
}

/** At first, and again while the server loads its models. */
function begin() {
  start().catch((error) => {
    fail(error);
    if (error.retryAfter) setTimeout(begin, 1000 * error.retryAfter);
  });
}

function showCard() {
  const model = facts.models.find((each) => each.name === byId("model").value);
  if (!model) return;
  const free = model.commercial === null ? "unknown" : model.commercial ? "yes" : "no";
  const rows = [
    ["about", inWords(model.summary, `model-${model.name}`, "model-file")], ["licence", model.licence ?? word("unknown")], ["commercial", word(free)],
    ["parameters", model.parameters ? `${(model.parameters / 1e6).toFixed(1)} M` : word("unknown")],
    ["kind", hasWord(`kind-${model.kind}`) ? word(`kind-${model.kind}`) : model.kind],
    ...(model.note ? [["note", inWords(model.note, `note-${model.name}`)]] : []),
  ];
  byId("card").replaceChildren(...rows.flatMap(([name, text]) => [element("dt", word(name)), element("dd", text)]));
}

/** What the server says of a model, in the page's language where one of these words has it. */
function inWords(text, ...names) {
  const known = names.find((each) => hasWord(each) && text === english(each));
  return known ? word(known) : text;
}

function element(kind, text) {
  return Object.assign(document.createElement(kind), { textContent: text });
}

// ── pictures ────────────────────────────────────────────────────────────────

async function add(files) {
  const failures = [];
  const film = filmTool?.takes && files.find((file) => file.type.startsWith("video/"));
  if (film) {
    turnTo("film");
    filmTool.map(film);
  }
  for (const file of files) {
    if (file === film) continue;
    const picture = { blob: file, name: file.name || "picture", map: null, photo: null, thumb: null, window: null, turn: 0 };
    try {
      await work(picture);
    } catch (error) {
      fail(error);
      failures.push(files.length > 1 ? named(picture.name, error) : error);
    }
  }
  if (failures.length) say("failed", { why: failures }, true);
}

/** An error of one of several pictures. */
function named(name, error) {
  return failure("failedOf", { name, why: error });
}

/** Predict a picture, for the first time or by another model; the latest wish counts. */
async function work(picture) {
  const turn = ++picture.turn;
  const wish = asked();
  say(needsServer || pictures.length ? "working" : "workingFirst", { name: picture.name });
  const begun = performance.now();
  const [map, photo] = await Promise.all([predict(picture.blob, wish), picture.photo ?? photograph(picture.blob)]);
  if (picture.turn !== turn) return;
  if (!picture.map) pictures.push(picture);
  Object.assign(picture, { map, photo: photo ?? drawnPhoto(map), window: usualWindow(map), wish });
  show(picture);
  const { width, height } = picture.map;
  say("done", { name: picture.name, width, height, ms: Math.round(performance.now() - begun) });
}

/** The picture that is shown, by the model and the detail that are chosen now; as it was where that fails. */
async function workAgain() {
  showCard();
  if (!current) return;
  const picture = current;
  await work(picture).catch((error) => {
    if (current === picture) chooseAsFor(picture);
    fail(error);
  });
}

function asked() {
  return { model: byId("model").value, size: byId("size").value };
}

function chooseAsFor(picture) {
  byId("model").value = picture.wish.model;
  byId("size").value = picture.wish.size;
  showCard();
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

function show(picture) {
  current = picture;
  const photo = byId("photo");
  Object.assign(photo, { width: picture.photo.width, height: picture.photo.height });
  photo.getContext("2d").drawImage(picture.photo, 0, 0);
  [byId("low").value, byId("high").value] = picture.window;
  points.begin(picture.map);
  byId("reading").textContent = "";
  looked = null;
  chooseAsFor(picture);
  strip();
  if (["live", "film"].includes(tab())) tabOf("compare").checked = true;
  redraw();
  showMetres();
}

function remove(picture) {
  const place = pictures.indexOf(picture);
  if (place < 0) return;
  pictures.splice(place, 1);
  picture.turn++; // what is on its way for it is too late
  if (picture === current) {
    current = null;
    if (pictures.length) show(pictures[Math.min(place, pictures.length - 1)]);
  }
  strip();
  showTab();
  say("");
}

function strip() {
  showStrip(byId("strip"), pictures, current, { show, remove });
  for (const name of ["compare", "depth", "scene"]) tabOf(name).disabled = !current;
}

async function addExample() {
  const answer = await fetch("example.jpg").catch(() => {
    throw failure("noServer");
  });
  const blob = await answer.blob();
  await add([new File([blob], "example.jpg", { type: "image/jpeg" })]);
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

function tabOf(name) {
  return document.querySelector(`input[name=tab][value=${name}]`);
}

function turnTo(name) {
  tabOf(name).checked = true;
  showTab();
}

function showTab() {
  const chosen = tab();
  const [isLive, isScene] = [chosen === "live", chosen === "scene"];
  if (!isLive) live.stop();
  const ofPicture = ["compare", "depth", "scene"].includes(chosen) && Boolean(current);
  const there = ofPicture || (isLive && live.running && byId("live-map").width > 0);
  byId("stage").hidden = !there;
  byId("welcome").hidden = there || isLive || chosen === "film";
  byId("film").hidden = chosen !== "film";
  byId("controls").hidden = !ofPicture;
  byId("photo").hidden = byId("map").hidden = isLive || isScene;
  byId("live-photo").hidden = byId("live-map").hidden = !isLive;
  byId("scene").hidden = !isScene;
  byId("scene-tool").hidden = !isScene || !ofPicture;
  byId("live-tool").hidden = !isLive;
  byId("compare-tool").hidden = byId("edge").hidden = !there || !["compare", "live"].includes(chosen);
  byId("reading").hidden = byId("meaning").hidden = !ofPicture;
  byId("stage").classList.toggle("marked", ofPicture && !isScene);
  byId("stage").classList.toggle("splits", !byId("edge").hidden);
  split(chosen === "depth" ? 0 : Number(byId("split").value));
  if (ofPicture) shapeStage(...(isScene ? [4, 3] : [current.map.width, current.map.height]));
  if (ofPicture && isScene) showScene();
}

function split(share) {
  for (const id of ["map", "live-map"]) byId(id).style.clipPath = `inset(0 0 0 ${share}%)`;
  byId("edge").style.left = `${share}%`;
}

/** The stage is as large as what it shows, so that shares of it are shares of the picture. */
function shapeStage(width, height) {
  byId("stage").style.setProperty("--shape", String(width / height));
}

function showScene() {
  const [fov, ratio] = ["fov", "ratio"].map((id) => Number(byId(id).value));
  document.querySelector("output[for=fov]").textContent = `${fov}°`;
  document.querySelector("output[for=ratio]").textContent = `${ratio}`;
  scene ??= new Scene(byId("scene"));
  if (!scene.gl) say("noWebGl", {}, true);
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

/** Drag the edge between photograph and map where they are compared. */
function dragEdge(event) {
  if (points.picking >= 0 || !byId("stage").classList.contains("splits") || !(event.buttons & 1)) return;
  const box = byId("stage").getBoundingClientRect();
  byId("split").value = Math.max(0, Math.min(100, Math.round((100 * (event.clientX - box.left)) / box.width)));
  split(Number(byId("split").value));
}

// ── values and metres ───────────────────────────────────────────────────────

function read(spot) {
  looked = spot ?? looked;
  if (!spot) return;
  const value = valueAt(current.map, spot.x, spot.y);
  const line = points.line();
  const parts = { value: value.toPrecision(4), x: spot.x, y: spot.y };
  if (current.map.kind === "metric") {
    byId("reading").textContent = word("valueMetres", { ...parts, metres: value.toFixed(2) });
  } else if (line) {
    const inverse = line.scale * value + line.shift;
    const metres = inverse > 0 ? (1 / inverse).toFixed(2) : word("nearer");
    byId("reading").textContent = word("valueMetres", { ...parts, metres });
  } else byId("reading").textContent = word("value", parts);
}

function showMetres() {
  const line = current && points.line();
  const isMetric = current?.map.kind === "metric";
  byId("alignment").textContent = current && points.both() && !line ? word("noLine") : "";
  byId("meaning").textContent = word(isMetric ? "metric" : line ? "aligned" : "relative");
  for (const button of allOf("#downloads [data-only-metres]")) {
    button.disabled = !line && !isMetric;
    button.title = button.disabled ? word("onlyMetres") : "";
  }
}

// ── downloads ───────────────────────────────────────────────────────────────

function downloadButton({ name, onlyMetres }) {
  const button = Object.assign(element("button", name), { type: "button" });
  button.dataset.format = name;
  if (onlyMetres) button.dataset.onlyMetres = "";
  if (hasWord(`format-${name}`)) {
    button.dataset.word = `format-${name}`;
    button.textContent = word(button.dataset.word);
  }
  button.addEventListener("click", () => download(name).catch(fail));
  return button;
}

const SUFFIXES = { png16: ".png", png8: "_8bit.png", color: "_color.png", "side-by-side": "_side-by-side.png", "png-mm": "_mm.png" };

async function download(format) {
  const picture = current;
  const known = points.line() ? points.both().map(({ x, y, metres }) => `${y},${x},${metres}`) : undefined;
  const blob = await encode(picture.blob, picture.map, format, {
    ...picture.wish, colormap: byId("colormap").value, known,
    // Where nobody moved it, the photograph's own file may know better.
    fov: format === "glb" && byId("fov").dataset.moved ? byId("fov").value : "",
  });
  const name = `${picture.name.replace(/\.[^.]*$/, "")}_depth${SUFFIXES[format] ?? `.${format}`}`;
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say("saved", { name });
}

// ── the camera ──────────────────────────────────────────────────────────────

function noCamera(error) {
  if (error.ofCamera) say("noCamera", { why: error }, true);
  else fail(error);
}

/** A phone offers its own camera where the page may not open it. */
function openCamera() {
  if (navigator.mediaDevices) finder.open();
  else byId("capture").click();
}

function mapFrame(canvas, camera, signal) {
  return mapLive(canvas, { camera, model: byId("model").value, colormap: byId("live-colormap").value }, signal);
}

function showLive(running) {
  byId("live-start").hidden = running;
  byId("live-stop").hidden = byId("live-keep").hidden = !running;
  byId("live-figures").textContent = running ? word("working", { name: word("live") }) : "";
  byId("live-map").width = 0;
  if (!running) forgetLive();
  if (tab() === "live") showTab();
}

function showFigures({ rate, age, wait }) {
  if (byId("stage").hidden && !wait) showTab();
  byId("live-figures").textContent = wait ? word("liveWait", { seconds: wait }) :
    word("liveFigures", { rate: rate ? rate.toFixed(1) : "–", ms: Math.round(age) });
}

async function keepFrame() {
  const file = await live.keep();
  live.stop();
  await add([file]);
}

// ── what listens to what ────────────────────────────────────────────────────

function listen() {
  const on = (target, kind, action) => (typeof target === "string" ? byId(target) : target).addEventListener(kind, action);
  on("language", "change", (event) => {
    speak(event.target.value);
    say(...said);
    showCard();
    showMetres();
    strip();
    filmTool?.sayAgain();
    if (current && looked) read(looked);
  });
  for (const id of ["files", "capture"]) {
    on(id, "change", (event) => {
      add([...event.target.files]);
      event.target.value = "";
    });
  }
  on(document, "paste", (event) => add([...event.clipboardData.files]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    on(document, kind, (event) => {
      event.preventDefault();
      for (const id of ["drop", "welcome"]) byId(id).classList.toggle("over", kind === "dragover");
      if (kind === "drop") add([...event.dataTransfer.files]);
    });
  }
  on("example", "click", () => addExample().catch(fail));
  on("camera", "click", openCamera);
  on("shoot", "click", () => finder.shoot());
  on("stop", "click", () => finder.close());
  on("live-start", "click", () => live.start());
  on("live-stop", "click", () => live.stop());
  on("live-keep", "click", () => keepFrame().catch(fail));
  allOf("input[name=tab]").forEach((input) => on(input, "change", showTab));
  on("split", "input", () => split(Number(byId("split").value)));
  on("colormap", "change", redraw);
  for (const id of ["low", "high"]) on(id, "input", slideWindow);
  on("reset", "click", () => {
    current.window = usualWindow(current.map);
    [byId("low").value, byId("high").value] = current.window;
    redraw();
  });
  for (const id of ["fov", "ratio"]) on(id, "input", showScene);
  on("fov", "input", (event) => (event.target.dataset.moved = "yes"));
  for (const id of ["model", "size"]) on(id, "change", workAgain);
  const looks = () => current && ["compare", "depth"].includes(tab());
  on("stage", "pointermove", (event) => {
    dragEdge(event);
    if (looks()) read(points.under(event));
  });
  on("stage", "pointerdown", dragEdge);
  on("stage", "click", (event) => {
    const spot = looks() ? points.under(event) : null;
    if (spot) points.set(spot);
    read(spot);
  });
  on("key-form", "submit", (event) => {
    event.preventDefault();
    useKey(byId("key").value);
    begin();
  });
}

listen();
showTab();
begin();
