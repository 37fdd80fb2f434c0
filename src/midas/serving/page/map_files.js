// Maps as files: 16-bit PNG in and out, and what else can be written without a server. A canvas would cut 16 bits to 8.
import { failure } from "./words.js";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A map: width, height, codes (Uint16Array), and value = offset + scale * code; larger is nearer for inverse kinds. */
export async function readPng16(buffer) {
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer);
  if (SIGNATURE.some((byte, index) => bytes[index] !== byte)) throw failure("badAnswer");
  const text = {};
  const parts = [];
  let width = 0;
  let height = 0;
  for (let at = 8; at < bytes.length; ) {
    const size = view.getUint32(at);
    const kind = ascii(bytes, at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + size);
    if (kind === "IHDR") {
      [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
      if (data[8] !== 16 || data[9] !== 0) throw failure("badAnswer");
    } else if (kind === "IDAT") parts.push(data);
    else if (kind === "tEXt" || kind === "iTXt") addText(text, data, kind);
    at += 12 + size;
  }
  const packed = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const filtered = new Uint8Array(await new Response(packed).arrayBuffer());
  const codes = unfiltered(filtered, width, height);
  return {
    width, height, codes,
    scale: Number(text["midas:scale"] ?? 1),
    offset: Number(text["midas:offset"] ?? 0),
    kind: text["midas:kind"] ?? "affine_invariant_inverse",
    model: text["midas:model"] ?? "",
  };
}

function addText(text, data, kind) {
  const end = data.indexOf(0);
  const start = kind === "tEXt" ? end + 1 : data.indexOf(0, data.indexOf(0, end + 3) + 1) + 1;
  text[ascii(data, 0, end)] = new TextDecoder().decode(data.subarray(start));
}

function ascii(bytes, start, end) {
  return String.fromCharCode(...bytes.subarray(start, end));
}

function unfiltered(filtered, width, height) {
  const stride = 2 * width;
  let above = new Uint8Array(stride);
  const codes = new Uint16Array(width * height);
  for (let row = 0, at = 0, out = 0; row < height; row++) {
    const filter = filtered[at++];
    const line = filtered.subarray(at, at + stride);
    at += stride;
    for (let index = 0; index < stride && filter; index++) {
      const left = index < 2 ? 0 : line[index - 2];
      const corner = index < 2 ? 0 : above[index - 2];
      if (filter === 1) line[index] += left;
      else if (filter === 2) line[index] += above[index];
      else if (filter === 3) line[index] += (left + above[index]) >> 1;
      else line[index] += paeth(left, above[index], corner);
    }
    for (let index = 0; index < stride; index += 2) codes[out++] = (line[index] << 8) | line[index + 1];
    above = line;
  }
  return codes;
}

function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** The map as a 16-bit PNG file with the texts that say what its codes stand for. */
export async function writePng16(map) {
  const stride = 2 * map.width + 1;
  const rows = new Uint8Array(stride * map.height);
  for (let row = 0, code = 0; row < map.height; row++) {
    for (let column = 0, at = row * stride + 1; column < map.width; column++, code++) {
      const difference = (high) => {
        const shift = high ? 8 : 0;
        const above = row ? map.codes[code - map.width] >> shift : 0;
        return ((map.codes[code] >> shift) & 255) - (above & 255);
      };
      rows[at++] = difference(true);
      rows[at++] = difference(false);
    }
    rows[row * stride] = 2;
  }
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, map.width);
  header.setUint32(4, map.height);
  header.setUint8(8, 16);
  const texts = { kind: map.kind, model: map.model, scale: String(map.scale), offset: String(map.offset) };
  const chunks = [chunk("IHDR", new Uint8Array(header.buffer))];
  for (const [name, value] of Object.entries(texts)) {
    chunks.push(chunk("tEXt", new TextEncoder().encode(`midas:${name}\0${value}`)));
  }
  chunks.push(chunk("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())), chunk("IEND", new Uint8Array(0)));
  return new Blob([new Uint8Array(SIGNATURE), ...chunks], { type: "image/png" });
}

function chunk(kind, data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** float32 values as an NPY file. */
export function writeNpy(values, width, height) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  const size = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = new Uint8Array(10 + size);
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, size & 255, size >> 8]);
  head.set(new TextEncoder().encode(`${text.padEnd(size - 1)}\n`), 10);
  return new Blob([head, values], { type: "application/x-npy" });
}

/** float32 values as a PFM file: rows from the lowest up, little-endian. */
export function writePfm(values, width, height) {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < height; row++) {
    turned.set(values.subarray(row * width, (row + 1) * width), (height - 1 - row) * width);
  }
  return new Blob([`Pf\n${width} ${height}\n-1.0\n`, turned], { type: "image/x-portable-floatmap" });
}
