"""Where each pixel of a frame was one frame earlier, and how far that can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8

_SHARPNESS = 50.0  # of the weight for likeness: Wang et al., NVDS (2023), with colours in 0 to 1
_CHANNEL_MEAN = np.full((1, 3), 1 / 3, np.float32)
_GRID_PX = 8
_FLOW_TOLERANCE_PX, _FLOW_TOLERANCE_SHARE = 1.0, 0.01


@dataclass(frozen=True, eq=False)
class Sight:
    """Two pictures of one thing, and the flow between them.

    Attributes:
        earlier, later: the pictures, RGB.
        forth, back: for each pixel of the earlier one by how much it has moved to the later one, in pixels, column
            before row; and the other way round.
    """

    earlier: UInt8[Array, "h w 3"]
    later: UInt8[Array, "h w 3"]
    forth: Float32[Array, "h w 2"]
    back: Float32[Array, "h w 2"]

    @cached_property
    def half(self) -> Sight:
        """At half the size."""
        size = self.earlier.shape[1] // 2, self.earlier.shape[0] // 2
        earlier, later, forth, back = (
            cv2.resize(each, size, interpolation=cv2.INTER_AREA)
            for each in (self.earlier, self.later, self.forth, self.back)
        )
        return Sight(earlier, later, forth * np.float32(0.5), back * np.float32(0.5))

    def followed(self, columns: Array, rows: Array) -> tuple[Array, Array, Array]:
        """Where these places of the earlier picture are in the later one by the flow, and whether that leads back."""
        by = cv2.remap(self.forth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        later_columns, later_rows = columns + by[..., 0], rows + by[..., 1]
        returned = by + cv2.remap(
            self.back, later_columns, later_rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return later_columns, later_rows, _returns(by, returned)

    def alike(self, places: tuple[Array, Array], later_places: tuple[Array, Array]) -> Array:
        """How like the pictures are at places that belong together; nothing is like what lies outside."""
        one, other = (
            cv2.remap(picture, *each, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for picture, each in ((self.earlier, places), (self.later, later_places))
        )
        return np.asarray(likeness(one, other) * _inside(*later_places, self.later.shape), np.float32)


@dataclass(frozen=True, eq=False)
class Motion:
    """From a frame back to an earlier one.

    Attributes:
        columns_px, rows_px: for each pixel its place in the earlier frame, as ``warped`` takes them.
        trust: from 0 to 1, how far the earlier frame shows the same thing there.
        sight: of what it was found; None where nothing was sought.
    """

    columns_px: Float32[Array, "h w"]
    rows_px: Float32[Array, "h w"]
    trust: Float32[Array, "h w"]
    sight: Sight | None = None

    def warped(self, earlier: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
        """A map of the earlier frame, moved to where its things are now; bilinear, the border continued."""
        moved = cv2.remap(earlier, self.columns_px, self.rows_px, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.float32)

    @property
    def step(self) -> float:
        """By how much of the width the picture has moved: the median over its pixels."""
        points = (slice(_GRID_PX // 2, None, _GRID_PX),) * 2
        height, width = self.trust.shape
        columns = self.columns_px[points] - np.arange(width, dtype=np.float32)[points[1]]
        rows = self.rows_px[points] - np.arange(height, dtype=np.float32)[points[0], None]
        step: float = float(np.median(np.hypot(columns, rows))) / float(width)
        return step

    def at_size(self, size: tuple[int, int]) -> Motion:
        """The same motion on another grid, (height, width)."""
        height, width = size
        if self.trust.shape == size:
            return self
        across, down = width / self.trust.shape[1], height / self.trust.shape[0]
        columns, rows, trust = (
            np.asarray(cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
            for each in (self.columns_px, self.rows_px, self.trust)
        )
        return Motion(*rescaled((columns, rows), across, down), trust, self.sight)


class FlowFinder:
    """Dense inverse search flow (Kroeger et al., 2016), both ways, and its places and weights.

    Args:
        quality: ``"quick"``, or ``"fine"``, which takes five times as long and is for measuring.
    """

    def __init__(self, quality: Literal["quick", "fine"] = "quick") -> None:
        preset = {"quick": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST, "fine": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM}[quality]
        self._search: Any = cv2.DISOpticalFlow.create(preset)
        self._likeness = _likeness_of_halves if quality == "quick" else _likeness_there

    def motion(self, earlier: UInt8[Array, "h w 3"], later: UInt8[Array, "h w 3"]) -> Motion:
        """How the later picture came from the earlier one."""
        grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (earlier, later)]
        back = self._search.calc(grey[1], grey[0], None)
        forth = self._search.calc(grey[0], grey[1], None)
        columns, rows = cv2.split(back + _places(*grey[0].shape))
        returned = cv2.remap(forth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) + back
        sight = Sight(earlier, later, forth, back)
        trust = self._likeness(sight) * (_inside(columns, rows, later.shape) & _returns(back, returned))
        return Motion(columns, rows, np.asarray(trust, np.float32), sight)


def _likeness_there(sight: Sight) -> Array:
    """How like each pixel of the later picture is to the one that it came from."""
    columns, rows = cv2.split(sight.back + _places(sight.later.shape[0], sight.later.shape[1]))
    seen = cv2.remap(sight.earlier, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return likeness(seen, sight.later)


def _likeness_of_halves(sight: Sight) -> Array:
    """The same by pictures of half the size, in a third of the time."""
    there = _likeness_there(sight.half)
    return np.asarray(cv2.resize(there, sight.later.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def rescaled(places: tuple[Array, Array], across: float, down: float) -> tuple[Array, Array]:
    """Columns and rows on a grid so many times as wide and high."""
    # Places count from the middle of the first pixel.
    half = np.float32(0.5)
    return (places[0] + half) * np.float32(across) - half, (places[1] + half) * np.float32(down) - half


def _returns(there: Array, returned: Array) -> Array:
    """Whether a way there and back ends where it began, nearly."""
    # As complex numbers: six times as fast as channel by channel.
    length, error = (np.abs(each.view(np.complex64)[..., 0]) for each in (there, returned))
    return np.asarray(error < _FLOW_TOLERANCE_PX + _FLOW_TOLERANCE_SHARE * length)


def _inside(columns: Array, rows: Array, shape: tuple[int, ...]) -> Array:
    return np.asarray((columns >= 0) & (columns <= shape[1] - 1) & (rows >= 0) & (rows <= shape[0] - 1))


@lru_cache(maxsize=4)
def _places(height: int, width: int) -> Float32[Array, "h w 2"]:
    """The place of each pixel, column before row."""
    return np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), axis=2)


def standing_still(earlier: UInt8[Array, "h w 3"], later: UInt8[Array, "h w 3"]) -> Motion:
    """The motion of a camera that stands still: only where the picture didn't change is there trust."""
    height, width = later.shape[:2]
    columns, rows = cv2.split(_places(height, width))
    return Motion(np.asarray(columns, np.float32), np.asarray(rows, np.float32), likeness(earlier, later))


def likeness(one: UInt8[Array, "h w 3"], other: UInt8[Array, "h w 3"]) -> Float32[Array, "h w"]:
    """exp(-50 · mean over the channels of the squared difference), colours in 0 to 1: NVDS, section 3."""
    difference = cv2.absdiff(one, other)
    square = cv2.multiply(difference, difference, scale=-_SHARPNESS / 255**2, dtype=cv2.CV_32F)
    return np.asarray(cv2.exp(cv2.transform(square, _CHANNEL_MEAN)), np.float32)
