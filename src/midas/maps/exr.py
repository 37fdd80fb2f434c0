"""OpenEXR files of one float32 channel, without compression.

OpenCV's wheels come without OpenEXR or have it switched off, so the few bytes of this format are written here.
Layout: openexr.com, "OpenEXR File Layout": magic number, version, attributes, a table of offsets, one block per row.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from io import BufferedWriter, BytesIO
from typing import BinaryIO

import numpy as np

from midas.arrays import Array, Float32

_MAGIC = 20000630
_VERSION = 2
_LONG_NAMES = 0x400
_NO_COMPRESSION = 0
_FLOAT_CHANNEL = 2
# Luminance: viewers show it as grey. Not "Z", which stands for a distance.
_CHANNEL = b"Y\0" + struct.pack("<iBxxxii", _FLOAT_CHANNEL, 0, 1, 1) + b"\0"


def write_exr(file: BufferedWriter | BytesIO, values: Float32[Array, "H W"], text: Mapping[str, str]) -> None:
    """Write a map as the channel Y, bit for bit, and each text as a string attribute."""
    height, width = values.shape
    window = struct.pack("<iiii", 0, 0, width - 1, height - 1)
    attributes: dict[str, tuple[str, bytes]] = {
        "channels": ("chlist", _CHANNEL),
        "compression": ("compression", bytes([_NO_COMPRESSION])),
        "dataWindow": ("box2i", window),
        "displayWindow": ("box2i", window),
        "lineOrder": ("lineOrder", b"\0"),
        "pixelAspectRatio": ("float", struct.pack("<f", 1)),
        "screenWindowCenter": ("v2f", struct.pack("<ff", 0, 0)),
        "screenWindowWidth": ("float", struct.pack("<f", 1)),
        **{name: ("string", content.encode("utf-8")) for name, content in text.items()},
    }
    long_names = _LONG_NAMES if any(len(name.encode()) > 31 for name in attributes) else 0
    header = struct.pack("<II", _MAGIC, _VERSION | long_names)
    for name, (kind, data) in attributes.items():
        header += name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(data)) + data
    header += b"\0"
    blocks = np.empty(height, _row_block(width))
    blocks["y"] = np.arange(height)
    blocks["bytes"] = 4 * width
    blocks["values"] = values
    first = len(header) + 8 * height
    file.write(header)
    file.write(np.arange(first, first + blocks.nbytes, blocks.itemsize, dtype="<u8").tobytes())
    file.write(blocks.data)


def read_exr(file: BinaryIO) -> tuple[Float32[Array, "H W"], dict[str, str]]:
    """Read a file that ``write_exr`` wrote: its values and its text.

    Raises:
        ValueError: if it is damaged, no OpenEXR file, or one with several channels, half floats or compression.
    """
    content = file.read()
    if len(content) < 8 or struct.unpack_from("<I", content)[0] != _MAGIC:
        raise ValueError("no OpenEXR file")
    attributes, end = _read_attributes(content)
    compression = attributes.get("compression", ("", b""))[1]
    channels = attributes.get("channels", ("", b""))[1]
    if compression != bytes([_NO_COMPRESSION]) or channels[1:] != _CHANNEL[1:]:
        raise ValueError("only OpenEXR files of one float channel without compression can be read")
    left, top, right, bottom = struct.unpack("<iiii", attributes["dataWindow"][1])
    height, width = bottom - top + 1, right - left + 1
    if height < 1 or width < 1:
        raise ValueError("the OpenEXR file has no pixels")
    blocks = np.frombuffer(content, _row_block(width), height, end + 8 * height)
    text = {name: data.decode("utf-8") for name, (kind, data) in attributes.items() if kind == "string"}
    return blocks["values"].astype(np.float32), text


def _row_block(width: int) -> np.dtype[np.void]:
    return np.dtype([("y", "<i4"), ("bytes", "<i4"), ("values", "<f4", (width,))])


def _read_attributes(content: bytes) -> tuple[dict[str, tuple[str, bytes]], int]:
    """Give name → (kind, data) of all attributes, and where the header ends."""
    attributes = {}
    at = 8
    while content[at : at + 1] != b"\0":
        name_end = content.index(b"\0", at)
        kind_end = content.index(b"\0", name_end + 1)
        (length,) = struct.unpack_from("<i", content, kind_end + 1)
        data = content[kind_end + 5 : kind_end + 5 + length]
        if length < 0 or len(data) < length:
            raise ValueError("the OpenEXR header is cut off")
        attributes[content[at:name_end].decode()] = (content[name_end + 1 : kind_end].decode(), data)
        at = kind_end + 5 + length
    return attributes, at + 1
