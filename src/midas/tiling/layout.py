"""Where the tiles of a picture lie, and the weights with which they fade into each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from midas.arrays import Array, Float32, Float64
from midas.errors import ConfigError
from midas.pictures.preprocess import InputSpec

# At 8 a tile sees less than a sixtieth of the picture, which tells a network little of what it looks at.
MAX_ZOOM = 8
DEFAULT_OVERLAP = 0.25


@dataclass(frozen=True)
class Tiling:
    """How much finer than the whole picture, and in which tiles.

    Attributes:
        zoom: how many times as many pixels the network sees along each side, from 1 (no tiles) to ``MAX_ZOOM``. A
            picture without that many pixels gets less.
        overlap: the share of a tile's side that it has in common with the next one at least, from 0 to below 1.
        size_px: shorter side of the network's input for a tile; None for the same input as for a whole picture.

    Raises:
        ConfigError: a value out of range.
    """

    zoom: int
    overlap: float = DEFAULT_OVERLAP
    size_px: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.zoom, int) and 1 <= self.zoom <= MAX_ZOOM):
            raise ConfigError(f"zoom of the tiles is {self.zoom}; expected a whole number from 1 to {MAX_ZOOM}")
        if not isinstance(self.overlap, Real) or not 0 <= self.overlap < 1:
            raise ConfigError(f"overlap of the tiles is {self.overlap}; expected a share from 0 to below 1")

    def grid(self, spec: InputSpec, size: tuple[int, int]) -> Grid:
        """Where the tiles of a picture lie.

        Args:
            spec: what the network takes.
            size: (height, width) of the picture, in pixels.

        Raises:
            ConfigError: ``size_px`` is no size that the network takes.
        """
        whole = spec.network_size(size)
        # Beyond the picture's own pixels there is nothing to see.
        most = max(1, round(max(side / small for side, small in zip(size, whole, strict=True))))
        zoom = min(self.zoom, most)
        height, width = (min(side, zoom * small) for side, small in zip(self._tile(spec, whole), whole, strict=True))
        return Grid(whole, zoom, (height, width), self.overlap)

    def _tile(self, spec: InputSpec, whole: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of a tile: in proportion to the input for the whole picture."""
        if self.size_px is None:
            return whole
        ratio = min(spec.with_size(self.size_px).size) / min(spec.size)
        return spec.nearest_size((round(whole[0] * ratio), round(whole[1] * ratio)))


@dataclass(frozen=True)
class Grid:
    """The tiles of one picture; lengths are pixels of the network's larger input.

    Attributes:
        whole: (height, width) of the whole picture's input.
        zoom: how many times as large the larger input is along each side.
        tile: (height, width) of a tile.
        overlap: the share of a tile's side that it has in common with the next one at least.
    """

    whole: tuple[int, int]
    zoom: int
    tile: tuple[int, int]
    overlap: float = DEFAULT_OVERLAP

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the larger input."""
        return self.whole[0] * self.zoom, self.whole[1] * self.zoom

    @property
    def tops(self) -> list[int]:
        """First row of each row of tiles."""
        return tile_starts(self.size[0], self.tile[0], self.overlap)

    @property
    def lefts(self) -> list[int]:
        """First column of each column of tiles."""
        return tile_starts(self.size[1], self.tile[1], self.overlap)

    @property
    def count(self) -> int:
        """Number of tiles: runs of the network beside the one for the whole picture. 0 where one run shows it all."""
        return 0 if self.zoom == 1 else len(self.tops) * len(self.lefts)


def tile_starts(length: int, tile: int, overlap: float) -> list[int]:
    """First pixels of the fewest tiles that cover a length with such an overlap at least, evenly spread.

    Args:
        length: what to cover, in pixels.
        tile: length of a tile, at most ``length``.
        overlap: share of a tile, from 0 to below 1.
    """
    # Less a trifle, so that rounding of the overlap adds no tile where the last one just fits.
    steps = math.ceil((length - tile) / (tile * (1 - overlap)) - 1e-6)
    return [round(step * (length - tile) / max(steps, 1)) for step in range(steps + 1)]


def blend_weights(length: int, tile: int, starts: Sequence[int]) -> dict[int, Float32[Array, " tile"]]:
    """The weights of tiles along one axis, by their first pixel: smooth, positive, 1 in sum at every pixel.

    A tile's weight falls to zero where it overlaps its neighbour, and with it what a network says badly at a border.

    Args:
        length: of the axis, in pixels.
        tile: length of a tile.
        starts: first pixel of each tile, ascending.
    """
    total = np.zeros(length)
    weights = {}
    pixel = np.arange(tile) + 0.5
    for index, start in enumerate(starts):
        rising: Float64[Array, " tile"] = np.ones(tile)
        falling: Float64[Array, " tile"] = np.ones(tile)
        if index > 0:
            rising = pixel / max(starts[index - 1] + tile - start, 0.5)
        if index + 1 < len(starts):
            falling = (tile - pixel) / max(start + tile - starts[index + 1], 0.5)
        ramp = np.minimum(np.minimum(rising, falling), 1)
        weights[start] = ramp * ramp * (3 - 2 * ramp)
        total[start : start + tile] += weights[start]
    return {start: (weight / total[start : start + tile]).astype(np.float32) for start, weight in weights.items()}
