"""JPEG files, and those that lack their last few bytes: every viewer shows them, Pillow refuses them."""

from __future__ import annotations

import io
import math
import re
import struct
import warnings
from dataclasses import dataclass, field

import numpy as np
from PIL import JpegImagePlugin

from midas.arrays import Array, UInt8
from midas.errors import DamageWarning
from midas.pictures.damage import DECODER_ERRORS, DamagedError

LEAST_SHARE = 0.98
"""Of a picture's data that must be there."""

_END = b"\xff\xd9"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE_FRAMES = (0xC2, 0xC6, 0xCA, 0xCE)
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_COEFFICIENTS = 64
_BLOCK_PX = 8
# In a scan's data 0xFF stands before a zero where it is a value, before these numbers where decoding may begin anew,
# and before itself where it is padding.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PROBE_BYTES = 4096


class JpegFile(JpegImagePlugin.JpegImageFile):
    """Pillow's plugin, quiet: not knowing a resolution, it would read all EXIF tags and warn of damaged ones.

    The plugin that Pillow registers also looks for further frames, and may warn of these.
    """

    def _open(self) -> None:
        self.info["dpi"] = (72, 72)
        super()._open()


@dataclass(frozen=True)
class Mended:
    """A JPEG file that ended too early, given an end.

    Attributes:
        data: the whole file; decoders fill up what it lacks.
        share: how much of the picture's data was there, from 0 to 1.
    """

    data: bytes
    share: float


def with_an_end(data: bytes, name: str, error: DamagedError) -> bytes:
    """A JPEG file that ended too early, made whole with a ``DamageWarning`` if next to all of it is there.

    Args:
        data: the file.
        name: of the file, for messages.
        error: what to raise where it isn't the end alone that is missing.

    Raises:
        DamagedError: it is no such file, or less than ``LEAST_SHARE`` of it is there.
    """
    whole = mended(data) if data.startswith(b"\xff\xd8") else None
    if whole is None:
        raise error
    percent = f"{int(1000 * whole.share) / 10:g} %"
    if whole.share < LEAST_SHARE:
        raise DamagedError(
            f"{name} is damaged or incomplete, expected a whole picture ({percent} of it is there, at least "
            f"{100 * LEAST_SHARE:g} % have to be); get a fresh copy of it"
        ) from error
    warnings.warn(
        f"{name} ends too early: {percent} of the picture is there, the rest is made up; get a fresh copy of it",
        DamageWarning,
        stacklevel=2,
    )
    return whole.data


def mended(data: bytes) -> Mended | None:
    """Give a file that ended within its last scan an end; None for one that is damaged in another way.

    How far the last scan had come shows in the picture: two different continuations give the same up to there. From
    there on a baseline file lacks everything, and that is its share. A progressive one lacks its finest detail there;
    its share is that of the bytes, as many of which are taken to be missing as there is detail in the rest.
    """
    data = data.rstrip(b"\xff")
    try:
        structure = _Structure.of(data)
        if structure.ended or not structure.scans or not structure.complete_but_for_the_end:
            return None
        last = structure.scans[-1]
        cells = _Cells.of(data, *structure.cell_px(last))
        whole = Mended(data + _END, cells.share)
        if not structure.progressive or cells.reached == cells.count:
            return whole
        missing = (len(data) - last.begin) * cells.detail_ratio(_decoded(whole.data))
    except DECODER_ERRORS:
        return None
    scanned = sum(scan.end - scan.begin for scan in structure.scans)
    return Mended(whole.data, scanned / (scanned + missing))


@dataclass(frozen=True)
class _Scan:
    """One pass over the picture: which coefficients of which components, and where its data lie in the file."""

    components: tuple[int, ...]
    first: int
    last: int
    bits_missing: int
    begin: int
    end: int


@dataclass
class _Structure:
    """What the markers of a file say.

    Attributes:
        sampling: component → its (horizontal, vertical) samples per cell.
        progressive: whether detail comes in later scans.
        scans: in their order.
        ended: whether there is a mark of the end.
    """

    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    progressive: bool = False
    scans: list[_Scan] = field(default_factory=list)
    ended: bool = False

    @classmethod
    def of(cls, data: bytes) -> _Structure:
        structure, at = cls(), 2
        while at + 1 < len(data) and not structure.ended:
            marker = data[at + 1]
            if data[at] != 0xFF:
                raise ValueError("no marker where one should be")
            if marker == 0xFF or marker in _WITHOUT_LENGTH:
                at += 1 if marker == 0xFF else 2
                continue
            if marker == _END_OF_IMAGE:
                structure.ended = True
                continue
            (length,) = struct.unpack_from(">H", data, at + 2)
            body, behind = data[at + 4 : at + 2 + length], at + 2 + length
            if marker in _FRAMES:
                structure.progressive = marker in _PROGRESSIVE_FRAMES
                structure._read_frame(body)
            at = structure._read_scan(data, body, behind) if marker == _START_OF_SCAN else behind
        return structure

    def _read_frame(self, body: bytes) -> None:
        for at in range(6, 6 + 3 * body[5], 3):
            self.sampling[body[at]] = (body[at + 1] >> 4, body[at + 1] & 15)

    def _read_scan(self, data: bytes, body: bytes, begin: int) -> int:
        count = body[0]
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        found = _NEXT_MARKER.search(data, begin)
        end = found.start() if found else len(data)
        self.scans.append(_Scan(tuple(body[1 : 1 + 2 * count : 2]), first, last, bits & 15, begin, end))
        return end

    @property
    def complete_but_for_the_end(self) -> bool:
        """Whether every coefficient of every component has a scan that gives its last bit."""
        there = {
            (component, coefficient)
            for scan in self.scans
            if scan.bits_missing == 0
            for component in scan.components
            for coefficient in range(scan.first, scan.last + 1)
        }
        return bool(self.sampling) and len(there) == _COEFFICIENTS * len(self.sampling)

    def cell_px(self, scan: _Scan) -> tuple[int, int]:
        """(height, width) of what a scan gives at a time, in pixels."""
        horizontal, vertical = (max(samples) for samples in zip(*self.sampling.values(), strict=True))
        if len(scan.components) > 1:
            return _BLOCK_PX * vertical, _BLOCK_PX * horizontal
        own_horizontal, own_vertical = self.sampling[scan.components[0]]
        return _BLOCK_PX * vertical // own_vertical, _BLOCK_PX * horizontal // own_horizontal


@dataclass(frozen=True)
class _Cells:
    """How far the last scan came, in cells of the picture, in the order of reading.

    Attributes:
        size_px: (height, width) of a cell.
        across: how many lie side by side.
        count: all.
        reached: those that it gave.
    """

    size_px: tuple[int, int]
    across: int
    count: int
    reached: int

    @classmethod
    def of(cls, data: bytes, height_px: int, width_px: int) -> _Cells:
        noise = np.random.default_rng(0)
        ends = [noise.integers(0, 255, _PROBE_BYTES, np.uint8).tobytes() + _END for _ in range(2)]
        one, other = (_decoded(data + end) for end in ends)
        down, across = -(-one.shape[0] // height_px), -(-one.shape[1] // width_px)
        rows = (one != other).any(axis=(1, 2)).nonzero()[0]
        if len(rows) == 0:
            return cls((height_px, width_px), across, down * across, down * across)
        # Colours of lower resolution reach a pixel beyond their cell, upwards too.
        row = (int(rows[0]) + 1) // height_px
        band = slice(row * height_px, (row + 1) * height_px - 1)
        columns = (one[band] != other[band]).any(axis=(0, 2)).nonzero()[0]
        column = (int(columns[0]) + 1) // width_px if len(columns) else 0
        return cls((height_px, width_px), across, down * across, row * across + column)

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.reached / self.count

    def detail_ratio(self, pixels: UInt8[Array, "H W channels"]) -> float:
        """Detail in the cells that weren't reached, in those that were: infinite where there is none."""
        changes = np.log1p(np.abs(np.diff(pixels[:, :, 0].astype(np.int16), axis=1)))
        height, width = self.size_px
        row, column = divmod(self.reached, self.across)
        band = changes[row * height : (row + 1) * height]
        reached = float(changes[: row * height].sum()) + float(band[:, : column * width].sum())
        return (float(changes.sum()) - reached) / reached if reached > 0 else math.inf


def _decoded(data: bytes) -> UInt8[Array, "H W channels"]:
    with JpegFile(io.BytesIO(data)) as image:
        pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], -1)
