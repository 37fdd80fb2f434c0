"""OpenEXR files as renderers write them: one channel out of a file in scan lines, read without the OpenEXR library.

OpenCV's wheels come without OpenEXR or have it switched off. Read are half, float and integer channels, without
compression or with that of zlib (ZIP, ZIPS); a renderer's other kinds (PIZ, tiles, several parts) are refused by name.
Layout: openexr.com, "OpenEXR File Layout".
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.errors import DatasetError

_MAGIC = 20000630
# Bits of the version field: tiles, deep data, several parts.
_UNREADABLE = 0x200 | 0x800 | 0x1000
# What reading a damaged file raises, collected by changing bytes of a good one at random.
_DAMAGED = (IndexError, KeyError, OverflowError, StopIteration, ValueError, struct.error, zlib.error)
_DTYPES = ("<u4", "<f2", "<f4")
_NO_COMPRESSION = 0
_LINES_PER_BLOCK = {_NO_COMPRESSION: 1, 2: 1, 3: 16}
_COMPRESSIONS = ("none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")


@dataclass(frozen=True)
class _Header:
    size: tuple[int, int]
    first_line: int
    compression: int
    channels: dict[str, str]
    end: int

    @property
    def line_type(self) -> np.dtype[np.void]:
        """One line: all values of one channel, then all of the next, by name."""
        return np.dtype([(name, dtype, (self.size[1],)) for name, dtype in self.channels.items()])


def read_openexr(path: Path, channel: str) -> Float32[Array, "H W"]:
    """One channel of an OpenEXR file.

    Args:
        path: the file.
        channel: its name, such as ``"G"``; a file with one channel gives that one, whatever it is called.

    Raises:
        DatasetError: the file is damaged, of a kind that isn't read, or lacks the channel.
    """
    content = path.read_bytes()
    try:
        header = _read_header(content)
        chosen = channel if len(header.channels) > 1 else next(iter(header.channels))
        if chosen not in header.channels:
            raise ValueError(f"expected a channel {channel!r}, found {', '.join(header.channels)}")
        return _read_lines(content, header)[chosen].astype(np.float32)
    except _DAMAGED as error:
        raise DatasetError(f"{path} can't be read as OpenEXR: {error}") from error


def _read_header(content: bytes) -> _Header:
    magic, version = struct.unpack_from("<II", content)
    if magic != _MAGIC:
        raise ValueError("it doesn't start as OpenEXR files do")
    if version & _UNREADABLE:
        raise ValueError("tiles, deep data and several parts aren't read: expected scan lines")
    attributes, end = _read_attributes(content)
    left, top, right, bottom = struct.unpack("<iiii", attributes["dataWindow"])
    compression = attributes["compression"][0]
    if compression not in _LINES_PER_BLOCK:
        raise ValueError(f"compression {_COMPRESSIONS[compression]} isn't read: expected none, ZIPS or ZIP")
    size = (bottom - top + 1, right - left + 1)
    if min(size) < 1 or max(size) > 2**16:
        raise ValueError(f"it claims a size of {size}")
    return _Header(size, top, compression, _read_channels(attributes["channels"]), end)


def _read_attributes(content: bytes) -> tuple[dict[str, bytes], int]:
    """Each attribute's data by its name, and where the header ends."""
    attributes = {}
    at = 8
    while content[at] != 0:
        name_end = content.index(b"\0", at)
        kind_end = content.index(b"\0", name_end + 1)
        (length,) = struct.unpack_from("<I", content, kind_end + 1)
        begin = kind_end + 5
        attributes[content[at:name_end].decode("latin-1")] = content[begin : begin + length]
        at = begin + length
    return attributes, at + 1


def _read_channels(data: bytes) -> dict[str, str]:
    """Each channel's type by its name, in the order of the file."""
    channels = {}
    at = 0
    while data[at] != 0:
        end = data.index(b"\0", at)
        kind, _, across, down = struct.unpack_from("<iIii", data, end + 1)
        if (across, down) != (1, 1):
            raise ValueError("channels of lower resolution aren't read")
        channels[data[at:end].decode("latin-1")] = _DTYPES[kind]
        at = end + 17
    return channels


def _read_lines(content: bytes, header: _Header) -> Array:
    height = header.size[0]
    per_block = _LINES_PER_BLOCK[header.compression]
    offsets = np.frombuffer(content, "<u8", -(-height // per_block), header.end)
    lines = np.zeros(height, header.line_type)
    for offset in offsets.tolist():
        first, length = struct.unpack_from("<iI", content, offset)
        row = first - header.first_line
        count = min(per_block, height - row)
        if row < 0 or count < 1:
            raise ValueError("a block lies outside the picture")
        packed = content[offset + 8 : offset + 8 + length]
        expected = count * header.line_type.itemsize
        # What zlib would only make longer is stored as it is.
        data = packed if len(packed) == expected else _unpack(packed)
        lines[row : row + count] = np.frombuffer(data, header.line_type, count)
    return lines


def _unpack(packed: bytes) -> bytes:
    """Undo zlib, then the differences between neighbouring bytes, then the parting of even and odd bytes."""
    differences = np.frombuffer(zlib.decompress(packed), np.uint8).copy()
    differences[1:] += np.uint8(128)
    parted: UInt8[Array, " N"] = np.cumsum(differences, dtype=np.uint8)
    data = np.empty_like(parted)
    half = (len(parted) + 1) // 2
    data[0::2], data[1::2] = parted[:half], parted[half:]
    return data.tobytes()
