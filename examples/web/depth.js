// Runs a file of `midas export --with-pre-post` in the browser: RGB bytes in, a map of the picture's size out.
import * as ort from "./node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs";

const MODEL = "model.onnx";
const FIRST_PHOTO = new URLSearchParams(location.search).get("photo") ?? "../coffee.jpg";
// A browser's memory is better spent than on 12 megapixels; the network looks at a few hundred pixels a side anyway.
const LONGEST_SIDE_PX = 1024;

const status = document.getElementById("status");
const photoCanvas = document.getElementById("photo");
const mapCanvas = document.getElementById("map");

/** Draw a picture, no larger than needed, and return its RGB bytes as a tensor of shape (height, width, 3). */
function pictureTensor(bitmap) {
  const scale = Math.min(1, LONGEST_SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const width = Math.round(bitmap.width * scale);
  const height = Math.round(bitmap.height * scale);
  Object.assign(photoCanvas, { width, height });
  const context = photoCanvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, width, height);
  const rgba = context.getImageData(0, 0, width, height).data;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb.set(rgba.subarray(4 * pixel, 4 * pixel + 3), 3 * pixel);
  }
  return new ort.Tensor("uint8", rgb, [height, width, 3]);
}

/** Show relative disparity in grey: the map's own smallest value black, its largest white. */
function showMap(disparity) {
  const [height, width] = disparity.dims;
  let low = Infinity;
  let high = -Infinity;
  for (const value of disparity.data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const image = new ImageData(width, height);
  disparity.data.forEach((value, pixel) => {
    const grey = (255 * (value - low)) / Math.max(high - low, 1e-12);
    image.data.set([grey, grey, grey, 255], 4 * pixel);
  });
  Object.assign(mapCanvas, { width, height });
  mapCanvas.getContext("2d").putImageData(image, 0, 0);
  return [low, high];
}

async function predict(session, blob) {
  // Turned as the camera's note in the file says, as `midas predict` does.
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  const image = pictureTensor(bitmap);
  const start = performance.now();
  const { disparity } = await session.run({ image });
  const milliseconds = Math.round(performance.now() - start);
  const [low, high] = showMap(disparity);
  const size = `${disparity.dims[1]} x ${disparity.dims[0]} pixels`;
  status.textContent = `${size} in ${milliseconds} ms; values ${low.toFixed(3)} to ${high.toFixed(3)}, no unit`;
}

try {
  const session = await ort.InferenceSession.create(MODEL, { executionProviders: ["wasm"] });
  const run = (blob) => predict(session, blob).catch((error) => (status.textContent = `It failed: ${error.message}`));
  document.getElementById("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) run(file);
  });
  await run(await (await fetch(FIRST_PHOTO)).blob());
} catch (error) {
  status.textContent = `The model can't be loaded (${error.message}); midas export --with-pre-post -o ${MODEL} makes it`;
}
