"""Which way up a photograph is: the one EXIF tag that matters."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from midas.arrays import Array, UInt8

TRANSPOSED = 5
"""Of this EXIF orientation and those above it, height and width are exchanged."""

_EXIF_ORIENTATION = 0x0112
_EXIF_LONG = 4
# EXIF orientation -> the flip that follows the transposition, as cv2.flip wants it.
_FLIPS = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}


def orientation_of(exif: bytes | None) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where there is none or the data are damaged.

    In place of Pillow's reader, which warns of every other tag that is damaged.
    """
    tiff = (exif or b"").removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
            if tag == _EXIF_ORIENTATION:
                (value,) = struct.unpack_from(f"{order}{'I' if kind == _EXIF_LONG else 'H'}", tiff, entry + 8)
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def upright(image: UInt8[Array, "H W 3"], orientation: int) -> UInt8[Array, "H2 W2 3"]:
    """Turn and flip a picture as its orientation asks for."""
    if orientation >= TRANSPOSED:
        image = np.asarray(cv2.transpose(image), np.uint8)
    if orientation in _FLIPS:
        image = np.asarray(cv2.flip(image, _FLIPS[orientation]), np.uint8)
    return image
