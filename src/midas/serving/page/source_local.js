// Where maps come from on the page without a server: our network, run in the browser. Stands in for source.js.
import { alignment, draw, range, usualWindow } from "./colours.js";
import { writeNpy, writePfm, writePng16 } from "./map_files.js";
import { failure } from "./words.js";

export const needsServer = false;

// A browser's memory is better spent than on 12 megapixels; the network looks at a few hundred pixels a side anyway.
const LONGEST_SIDE_PX = 1024;

/** Films need a server. */
export const filmServer = () => null;

/** Keys too. */
export const useKey = () => {};

let facts = null;
let opening = null;

/** Models, formats and colour maps. */
export async function describe() {
  facts = await (await fetch("site.json")).json();
  return { ...facts, formats: facts.formats.map((name) => ({ name, onlyMetres: false })) };
}

/** The runtime and the network: on a graphics card where the browser has one to offer, else on the processor. */
async function open() {
  if (await hasCard()) {
    try {
      return await openOn("webgpu", "ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm");
    } catch (error) {
      console.info(`not on the graphics card: ${error.message}`);
    }
  }
  return openOnProcessor();
}

function openOnProcessor() {
  return openOn("wasm", "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm");
}

/** `?on=wasm` and `?on=webgpu` decide it; a card that is drawn by the processor is far slower than the processor itself. */
async function hasCard() {
  const wish = new URLSearchParams(location.search).get("on");
  if (wish === "wasm") return false;
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const { isFallbackAdapter, architecture } = adapter?.info ?? {};
  const isSoftware = isFallbackAdapter || adapter?.isFallbackAdapter || architecture === "swiftshader";
  if (!adapter || (isSoftware && wish !== "webgpu")) return false;
  // Asked for here, since the runtime is less clear about a card that gives no device.
  const device = await adapter.requestDevice().catch(() => null);
  device?.destroy();
  return Boolean(device);
}

async function openOn(provider, runtime, code) {
  const ort = await import(`./runtime/${runtime}`);
  ort.env.wasm.wasmPaths = { wasm: new URL(`./runtime/${code}`, import.meta.url).href };
  ort.env.wasm.numThreads = 1; // more need headers that hosts of files don't send
  const session = await ort.InferenceSession.create("model.onnx", {
    executionProviders: [provider], logSeverityLevel: 3, // that some nodes run on the processor is as it should be
  });
  return { ort, session, provider };
}

/** The map of a picture, as large as the picture, but no larger than a browser bears. */
export async function predict(blob) {
  return mapOf(await rgb(blob));
}

async function mapOf({ data, width, height }) {
  // What fails is tried anew with the next picture: a line may be down for a while.
  opening ??= open().catch((error) => {
    opening = null;
    throw error;
  });
  const { disparity } = await run(await opening, data, width, height).catch(async (error) => {
    if ((await opening).provider === "wasm") throw error;
    console.info(`not on the graphics card any more: ${error.message}`); // it has too little memory, or was taken away
    opening = openOnProcessor();
    return run(await opening, data, width, height);
  });
  return { ...coded(disparity.data, width, height, facts.models[0].kind), model: facts.models[0].name };
}

function run({ ort, session, provider }, data, width, height) {
  document.body.dataset.provider = provider;
  return session.run({ image: new ort.Tensor("uint8", data, [height, width, 3]) });
}

// Of the camera: which values get the ends of the colours, so that they don't jump from one picture to the next.
const LIVE_SHARE = 0.2;
let liveWindow = null;

/** The colours of a camera's picture, to be drawn. */
export async function mapLive(canvas, { colormap }) {
  const map = await mapOf(pixelsOf(canvas.getContext("2d"), canvas.width, canvas.height));
  const { low, high } = range(map);
  const [from, to] = usualWindow(map).map((step) => low + (step / 1000) * (high - low));
  liveWindow = liveWindow ? liveWindow.map((end, index) => end + LIVE_SHARE * ([from, to][index] - end)) : [from, to];
  const shown = document.createElement("canvas");
  draw(shown, map, tableOf(colormap), liveWindow.map((end) => (1000 * (end - low)) / (high - low || 1)));
  return shown;
}

/** Begin anew with the next camera. */
export function forgetLive() {
  liveWindow = null;
}

function tableOf(colormap) {
  return Uint8Array.from(atob(facts.colormaps[colormap]), (letter) => letter.charCodeAt(0));
}

async function rgb(blob) {
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" }).catch(() => {
    throw failure("unreadable");
  });
  const scale = Math.min(1, LONGEST_SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return pixelsOf(context, width, height);
}

function pixelsOf(context, width, height) {
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    data[to++] = rgba[from];
    data[to++] = rgba[from + 1];
    data[to++] = rgba[from + 2];
  }
  return { data, width, height };
}

/** Values with their 16-bit codes; what isn't finite counts as 0, as in the files of the command. */
function coded(values, width, height, kind) {
  const finite = (value) => (Number.isFinite(value) ? value : 0);
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, finite(value));
    high = Math.max(high, finite(value));
  }
  const scale = (high - low) / 65535;
  const codes = Uint16Array.from(values, (value) => (scale ? Math.round((finite(value) - low) / scale) : 0));
  return { values, width, height, codes, scale, offset: low, kind };
}

/** A file of it. */
export async function encode(blob, map, format, { colormap, known }) {
  const shown = known ? inMetres(map, known) : map;
  const { values, width, height } = shown;
  if (format === "png16") return writePng16(shown);
  if (format === "npy") return writeNpy(values, width, height);
  if (format === "pfm") return writePfm(values, width, height);
  if (format === "json") return new Blob([JSON.stringify(statistics(shown))], { type: "application/json" });
  return pictureFile(blob, shown, format, colormap);
}

function inMetres(map, known) {
  const points = known.map((text) => {
    const [y, x, metres] = text.split(",").map(Number);
    return { x, y, metres };
  });
  const line = alignment(map, points);
  const values = Float32Array.from(map.values, (value) => {
    const inverse = line.scale * value + line.shift;
    return inverse > 0 ? 1 / inverse : Infinity;
  });
  return { ...coded(values, map.width, map.height, "metric"), model: map.model };
}

function statistics({ values, width, height, kind, model }) {
  let [min, max, infinite] = [Infinity, -Infinity, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) infinite++;
    else [min, max] = [Math.min(min, value), Math.max(max, value)];
  }
  const known = infinite < values.length; // JSON has no infinity
  return {
    model, kind, unit: kind === "metric" ? "metre" : null, size: [height, width], min: known ? min : null, max: known ? max : null, infinite,
  };
}

async function pictureFile(blob, map, format, colormap) {
  const table = tableOf(colormap);
  const canvas = document.createElement("canvas");
  draw(canvas, map, table, usualWindow(map));
  if (format === "color") return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const pair = Object.assign(document.createElement("canvas"), { width: 2 * map.width, height: map.height });
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  pair.getContext("2d").drawImage(bitmap, 0, 0, map.width, map.height);
  pair.getContext("2d").drawImage(canvas, map.width, 0);
  return new Promise((resolve) => pair.toBlob(resolve, "image/png"));
}
