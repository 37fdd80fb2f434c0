"""Depth in the photograph's own file: a JPEG with Google's GDepth metadata (XMP)."""

from __future__ import annotations

import base64
import hashlib
import io
import struct

import numpy as np
from PIL import Image

from midas.arrays import Array, Float32, UInt8
from midas.effects.stereo import check_pair
from midas.errors import ConfigError

_XMP, _EXTENSION = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_GDEPTH = "http://ns.google.com/photos/1.0/depthmap/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_APP1 = b"\xff\xe1"
# A segment holds 65,533 bytes at most; the rest of it is the extension's head.
_PART_BYTES = 65_000
_QUALITY = 95


def gdepth_jpeg(
    image: UInt8[Array, "H W 3"],
    nearness: Float32[Array, "h w"],
    near_m: float,
    far_m: float,
    jpeg: bytes | None = None,
) -> bytes:
    """A JPEG file that holds the picture and its depth.

    The format ``RangeInverse`` has 0 for near and 1 for far, the other way about than disparity:
    ``1 / depth = 1 / near - code * (1 / near - 1 / far)``.

    Args:
        image: the upright picture.
        nearness: 1 at ``near_m``, 0 at ``far_m``.
        near_m: in metres, or in an arbitrary unit.
        far_m: likewise.
        jpeg: the picture's own file, whose pixels are kept; only one that is stored upright. None encodes anew.

    Raises:
        ConfigError: sizes differ, or distances are not ``0 < near < far``, or ``jpeg`` is none.
    """
    check_pair(image, nearness)
    if not 0 < near_m < far_m < np.inf:
        raise ConfigError(f"distances {near_m} and {far_m}: expected 0 < near < far")
    if jpeg is None:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=_QUALITY, subsampling=0)
        jpeg = file.getvalue()
    if not jpeg.startswith(b"\xff\xd8"):
        raise ConfigError("depth goes into JPEG files only: expected one, or none, so that the picture is encoded anew")
    at = _after_exif(jpeg)
    return jpeg[:at] + b"".join(_segments(_depth_png(nearness), near_m, far_m)) + jpeg[at:]


def _depth_png(nearness: Float32[Array, "H W"]) -> bytes:
    file = io.BytesIO()
    codes = np.rint((1 - np.clip(nearness, 0, 1)) * 255).astype(np.uint8)
    Image.fromarray(codes).save(file, "PNG")
    return file.getvalue()


def _segments(png: bytes, near_m: float, far_m: float) -> list[bytes]:
    """The packet that says what the depth is, and the parts of the one that holds it."""
    depth = base64.b64encode(png).decode("ascii")
    extension = _packet(f'xmlns:GDepth="{_GDEPTH}" GDepth:Data="{depth}"')
    digest = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper()
    said = {
        "Format": "RangeInverse",
        "Near": f"{near_m:.6g}",
        "Far": f"{far_m:.6g}",
        "Mime": "image/png",
        "Units": "m",
        "MeasureType": "OpticalAxis",
    }
    attributes = " ".join(f'GDepth:{name}="{text}"' for name, text in said.items())
    main = f'xmlns:GDepth="{_GDEPTH}" xmlns:xmpNote="{_NOTE}" xmpNote:HasExtendedXMP="{digest}" {attributes}'
    parts = [
        _EXTENSION
        + digest.encode()
        + struct.pack(">II", len(extension), start)
        + extension[start : start + _PART_BYTES]
        for start in range(0, len(extension), _PART_BYTES)
    ]
    return [_APP1 + struct.pack(">H", 2 + len(body)) + body for body in (_XMP + _packet(main), *parts)]


def _packet(attributes: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {attributes}/></rdf:RDF></x:xmpmeta>'
    ).encode()


def _after_exif(jpeg: bytes) -> int:
    """Behind the segments that must come first: JFIF's and EXIF's."""
    at = 2
    while jpeg[at : at + 2] in (b"\xff\xe0", _APP1) and not jpeg[at + 4 :].startswith((_XMP, _EXTENSION)):
        at += 2 + int(struct.unpack_from(">H", jpeg, at + 2)[0])
    return at
