"""Which way up a photograph is: the one tag that matters, wherever programs put it."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from midas.arrays import Array, UInt8

TRANSPOSED = 5
"""Of this EXIF orientation and those above it, height and width are exchanged."""

_UPRIGHT = 1
_EXIF_ORIENTATION = 0x0112
_EXIF_LONG = 4
# EXIF orientation -> the flip that follows the transposition, as cv2.flip wants it.
_FLIPS = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}

# An attribute or an element, in either kind of quotation marks.
_XMP_ORIENTATION = re.compile(rb"""tiff:Orientation(?:\s*=\s*["']|>)\s*([1-8])""")


def orientation_of(info: Mapping[Any, Any]) -> int:
    """The orientation that a file asks for, 1 to 8; 1 (upright) where it asks for none or what it says is damaged.

    EXIF data count, as they are or in the text into which ImageMagick puts those of PNG files; where these don't say
    it, XMP.

    Args:
        info: what Pillow found beside the pixels.
    """
    for exif in (info.get("exif"), _raw_profile(info.get("Raw profile type exif"))):
        orientation = _orientation_of_exif(exif)
        if orientation is not None:
            return orientation
    for key in ("XML:com.adobe.xmp", "xmp"):
        xmp = info.get(key) or b""
        found = _XMP_ORIENTATION.search(xmp.encode("utf-8", "replace") if isinstance(xmp, str) else xmp)
        if found:
            return int(found[1])
    return _UPRIGHT


def upright(image: UInt8[Array, "H W 3"], orientation: int) -> UInt8[Array, "H2 W2 3"]:
    """Turn and flip a picture as its orientation asks for."""
    if orientation >= TRANSPOSED:
        image = np.asarray(cv2.transpose(image), np.uint8)
    if orientation in _FLIPS:
        image = np.asarray(cv2.flip(image, _FLIPS[orientation]), np.uint8)
    return image


def _orientation_of_exif(exif: bytes | None) -> int | None:
    """In place of Pillow's reader, which warns of every other tag that is damaged."""
    tiff = (exif or b"").removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
            if tag == _EXIF_ORIENTATION:
                (value,) = struct.unpack_from(f"{order}{'I' if kind == _EXIF_LONG else 'H'}", tiff, entry + 8)
                return int(value) if 1 <= value <= 8 else None
    except struct.error:
        pass
    return None


def _raw_profile(text: object) -> bytes | None:
    """EXIF data in a PNG text: an empty line, their kind, their length, and the bytes as hexadecimal digits."""
    try:
        return bytes.fromhex("".join(str(text or "").split("\n")[3:]))
    except ValueError:
        return None
