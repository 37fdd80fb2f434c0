// From codes to colours: a window of nearness and a table of 256 colours, applied in the browser to the 16-bit map.

const INVERSE = new Set(["affine_invariant_inverse", "scale_invariant_inverse"]);
const STEPS = 1000;

/** How near each code is, larger is nearer, whatever kind of values the codes stand for. */
function nearness(map) {
  const inverse = INVERSE.has(map.kind);
  return (code) => {
    const value = map.offset + map.scale * code;
    if (inverse) return value;
    if (map.kind === "affine_invariant") return -value;
    return value > 0 ? 1 / value : 0;
  };
}

/** The nearest and the farthest that the map holds. */
export function range(map) {
  const near = nearness(map);
  const ends = [near(0), near(65535)];
  if (map.kind === "metric" || map.kind === "scale_invariant") {
    let [low, high] = [Infinity, -Infinity];
    for (const code of map.codes) {
      const value = near(code);
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return { low, high };
  }
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

/** The window, in thousandths of the range, that leaves out 2 % at either end: as the pictures of the command have it. */
export function usualWindow(map) {
  const near = nearness(map);
  const { low, high } = range(map);
  const counts = new Uint32Array(STEPS + 1);
  for (const code of map.codes) counts[Math.round((STEPS * (near(code) - low)) / (high - low || 1))]++;
  const place = (share) => {
    let seen = 0;
    const wanted = share * map.codes.length;
    for (let step = 0; step <= STEPS; step++) {
      seen += counts[step];
      if (seen >= wanted) return step;
    }
    return STEPS;
  };
  const [from, to] = [place(0.02), place(0.98)];
  return to > from ? [from, to] : [0, STEPS];
}

/** Draw the map: `table` holds 256 rows of RGB, `window` thousandths of the range. */
export function draw(canvas, map, table, window) {
  const near = nearness(map);
  const { low, high } = range(map);
  const [from, to] = window.map((step) => low + (step / STEPS) * (high - low));
  const colours = new Uint32Array(65536);
  for (let code = 0; code < 65536; code++) {
    const unit = Math.min(1, Math.max(0, (near(code) - from) / (to - from || 1)));
    const row = 3 * Math.round(255 * unit);
    colours[code] = 0xff000000 | (table[row + 2] << 16) | (table[row + 1] << 8) | table[row];
  }
  const image = new ImageData(map.width, map.height);
  const pixels = new Uint32Array(image.data.buffer);
  map.codes.forEach((code, pixel) => (pixels[pixel] = colours[code]));
  Object.assign(canvas, { width: map.width, height: map.height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** From 0, the farthest, to 1, the nearest, at a pixel. */
export function unitAt(map) {
  const near = nearness(map);
  const { low, high } = range(map);
  return (pixel) => (near(map.codes[pixel]) - low) / (high - low || 1);
}

/** The value at a pixel, in the map's own unit. */
export function valueAt(map, x, y) {
  return map.offset + map.scale * map.codes[y * map.width + x];
}

/** scale and shift with 1 / metres = scale * value + shift at two points, or null where there are none. */
export function alignment(map, [first, second]) {
  const [a, b] = [valueAt(map, first.x, first.y), valueAt(map, second.x, second.y)];
  const scale = (1 / first.metres - 1 / second.metres) / (a - b);
  return INVERSE.has(map.kind) && Number.isFinite(scale) && scale > 0 ? { scale, shift: 1 / first.metres - scale * a } : null;
}
