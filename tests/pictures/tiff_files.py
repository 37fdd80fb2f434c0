"""TIFF files put together by hand: kinds that Pillow can't write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
CONTIGUOUS, PLANES = 1, 2
_BYTE, _SHORT, _LONG, _UNDEFINED = 1, 3, 4, 7
_LETTERS = {_BYTE: "B", _SHORT: "H", _LONG: "I", _UNDEFINED: "B"}
_KINDS = {258: _SHORT, 338: _SHORT, 339: _SHORT, 700: _BYTE, 34675: _UNDEFINED}


def tiff(
    pixels: np.ndarray,
    photometric: int,
    *,
    bits: int | None = None,
    planar: int = CONTIGUOUS,
    order: str = "<",
    deflate: bool = False,
    strips: int = 1,
    extra: Mapping[int, Sequence[int]] | None = None,
) -> bytes:
    """A file of one picture.

    Args:
        pixels: (H, W) or (H, W, channels), uint8, uint16 or float; with 12 ``bits``, uint16 below 4096, of even width.
        photometric: what its values mean.
        bits: per value; None for those of the type.
        planar: whether each pixel's values lie together, or each channel's.
        order: ``"<"`` for Intel's, ``">"`` for Motorola's.
        deflate: whether the data are compressed.
        strips: into how many parts of rows the data are divided.
        extra: further tags and their numbers.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    planes = np.moveaxis(pixels.reshape(height, width, channels), 2, 0) if planar == PLANES else pixels[None]
    rows = -(-height // strips)
    parts = [_packed(part, bits, order) for plane in planes for part in np.split(plane, range(rows, height, rows))]
    parts = [zlib.compress(part) if deflate else part for part in parts]
    offsets = np.cumsum([8, *map(len, parts)]).tolist()
    tags: dict[int, Sequence[int]] = {
        256: [width], 257: [height], 258: [bits or 8 * pixels.itemsize] * channels, 259: [8 if deflate else 1],
        262: [photometric], 273: offsets[:-1], 277: [channels], 278: [rows], 279: [len(part) for part in parts],
        284: [planar], 339: [3 if pixels.dtype.kind == "f" else 1] * channels, **(extra or {}),
    }  # fmt: skip
    return _file(b"".join(parts), tags, order)


def _packed(part: np.ndarray, bits: int | None, order: str) -> bytes:
    if bits != 12:
        return part.astype(part.dtype.newbyteorder(order)).tobytes()
    first, second = part[:, ::2].astype(np.uint16), part[:, 1::2].astype(np.uint16)
    return np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1).astype(np.uint8).tobytes()


def _file(data: bytes, tags: Mapping[int, Sequence[int]], order: str) -> bytes:
    data += bytes(len(data) % 2)
    begin = 8 + len(data)
    entries, longer = b"", b""
    for tag, numbers in sorted(tags.items()):
        kind = _KINDS.get(tag, _LONG)
        packed = struct.pack(f"{order}{len(numbers)}{_LETTERS[kind]}", *numbers)
        if len(packed) > 4:
            behind = begin + 2 + 12 * len(tags) + 4 + len(longer)
            longer += packed + bytes(len(packed) % 2)
            packed = struct.pack(f"{order}I", behind)
        entries += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, begin)
    return head + data + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + longer
