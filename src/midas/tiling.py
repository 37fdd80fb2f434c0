"""Large pictures in overlapping tiles: the layout from the whole picture, the detail from the tiles.

The whole picture is predicted once, as always: one run of the network sees the scene and knows what is near. Then the
picture is made the network's input a second time, ``zoom`` times as large, and the network runs on overlapping windows
of that. A tile has its own scale and shift, and with little of the scene in view its own idea of the layout. So it is
brought to the whole picture's scale, and what it says at coarse scale is replaced by what the whole picture says.

All this happens on the grid of the larger input, which is as small as its pixels need; the result is a network's output
like any other, only larger.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from midas.alignment import align_median_mad
from midas.arrays import Array, Float32, Float64, UInt8
from midas.errors import ConfigError, ModelError
from midas.preprocess import InputSpec, Preprocess
from midas.resize import resize_map

Network = Callable[[Float32[Array, "B 3 h w"]], Float32[Array, "B h w"]]

# At 8 a tile sees less than a sixtieth of the picture, which tells a network little of what it looks at.
MAX_ZOOM = 8
DEFAULT_OVERLAP = 0.25

# Structure coarser than this share of the shorter side of the whole picture's output is taken from there, finer
# structure from the tiles. `benchmarks/tiling.py --merges` compares.
_COARSE_SHARE = 1 / 32

# A tile that agrees with the whole picture at coarse scale with this correlation or more is taken in full, one without
# any correlation not at all: it shows a bare wall or a sky, or contradicts.
_TRUSTED_CORRELATION = 0.5


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
        if not 0 <= self.overlap < 1:
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


@dataclass(frozen=True)
class FinerInput:
    """A picture made the network's input a second time, larger.

    Attributes:
        pixels: the larger input, of which each tile is a window.
        grid: the tiles.
    """

    pixels: Float32[Array, "1 3 h w"]
    grid: Grid


def finer_input(image: UInt8[Array, "H W 3"], spec: InputSpec, tiling: Tiling) -> FinerInput | None:
    """Make a picture ready for tiles; None where it is so small that one run of the network shows all of it.

    Args:
        image: RGB, 0 to 255.
        spec: what the network takes for a whole picture.
        tiling: how fine.

    Raises:
        ConfigError: a size of tiles that the network doesn't take.
    """
    grid = tiling.grid(spec, (image.shape[0], image.shape[1]))
    if grid.count == 0:
        return None
    larger = dataclasses.replace(spec, size=grid.size, keep_aspect=False)
    return FinerInput(Preprocess(larger)(image), grid)


def predict_tiles(
    whole: Float32[Array, "h w"], finer: FinerInput, network: Network, *, at_once: int = 1
) -> Float32[Array, "H W"]:
    """Refine a whole picture's prediction with its tiles.

    No more than ``at_once`` tiles are held at a time.

    Args:
        whole: relative disparity of the whole picture, as the network gives it.
        finer: the picture's larger input and its tiles.
        network: from inputs to relative disparities of their size.
        at_once: how many tiles go through the network together.

    Returns:
        Relative disparity at the larger input's size, with the scale and shift of ``whole``.

    Raises:
        ModelError: the network can't run, or gives numbers that are not finite.
    """
    grid = finer.grid
    height, width = grid.tile
    mosaic = Mosaic(whole, grid)
    places = [(top, left) for top in grid.tops for left in grid.lefts]
    for first in range(0, len(places), at_once):
        batch = places[first : first + at_once]
        pixels = [finer.pixels[:, :, top : top + height, left : left + width] for top, left in batch]
        for (top, left), disparity in zip(batch, network(np.concatenate(pixels)), strict=True):
            if not np.isfinite(disparity).all():
                raise ModelError(
                    f"the network gives numbers that are not finite for the tile at row {top}, column {left} of "
                    f"{grid.size[0]}x{grid.size[1]}; try another number of tiles, or none"
                )
            mosaic.add(top, left, disparity)
    return mosaic.disparity


class Mosaic:
    """The whole picture's prediction, to which tiles add their detail.

    Args:
        whole: relative disparity of the whole picture, as the network gives it.
        grid: the tiles.

    Attributes:
        disparity: relative disparity at the larger input's size, with the scale and shift of ``whole``.
    """

    def __init__(self, whole: Float32[Array, "h w"], grid: Grid) -> None:
        self._whole = whole
        self._zoom = grid.zoom
        self._enlarged = resize_map(whole, grid.size)
        self._row_weights = blend_weights(grid.size[0], grid.tile[0], grid.tops)
        self._column_weights = blend_weights(grid.size[1], grid.tile[1], grid.lefts)
        self._blur_px = min(grid.whole) * _COARSE_SHARE
        self.disparity: Float32[Array, "H W"] = self._enlarged.copy()

    def add(self, top: int, left: int, tile: Float32[Array, "h w"]) -> None:
        """Blend in what a tile adds to the whole picture's prediction; each tile once, in any order.

        Args:
            top: its first row.
            left: its first column.
            tile: its relative disparity, of any scale and shift.
        """
        merged, trust = self._merge(top, left, tile)
        if trust == 0:
            return
        rows = slice(top, top + tile.shape[0])
        columns = slice(left, left + tile.shape[1])
        weights = np.outer(self._row_weights[top] * np.float32(trust), self._column_weights[left])
        self.disparity[rows, columns] += weights * (merged - self._enlarged[rows, columns])

    def _merge(self, top: int, left: int, tile: Float32[Array, "h w"]) -> tuple[Float32[Array, "h w"], float]:
        """The tile at the whole picture's scale and with its coarse structure; and how far it is to be trusted."""
        row, column = Cells.of(top, tile.shape[0], self._zoom), Cells.of(left, tile.shape[1], self._zoom)
        whole = self._whole[row.first : row.first + row.count, column.first : column.first + column.count]
        coarse = cell_means(tile, row, column, self._zoom)
        scale, trust = fit_tile(coarse, whole)
        if trust == 0:
            return tile, trust
        correction = blur_map(whole - scale * coarse, self._blur_px)
        inside = (row.count * self._zoom, column.count * self._zoom)
        merged = scale * tile
        merged += np.pad(resize_map(correction, inside, "linear"), (row.margins, column.margins), mode="edge")
        return merged, trust


@dataclass(frozen=True)
class Cells:
    """The pixels of the whole picture's output that lie wholly under a tile, along one axis.

    Attributes:
        first: index of the first one.
        count: how many.
        margins: how many of the tile's pixels lie before the first and behind the last one.
    """

    first: int
    count: int
    margins: tuple[int, int]

    @classmethod
    def of(cls, start: int, length: int, zoom: int) -> Cells:
        """Those under the pixels from ``start`` on, ``zoom`` of which make one."""
        first, end = -(-start // zoom), (start + length) // zoom
        if end <= first:
            return cls(first, 0, (0, length))
        return cls(first, end - first, (first * zoom - start, start + length - end * zoom))


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


def fit_tile(coarse: Float32[Array, "h w"], whole: Float32[Array, "h w"]) -> tuple[np.float32, float]:
    """The scale that brings a tile to the whole picture's, and how far the tile is to be trusted.

    The scale makes both vary by the same amount about their medians (equations 5 and 6 of the MiDaS paper). Least
    squares would make it the smaller the less the two agree, though both err, and flatten the tile's detail. Trust
    rises with the correlation: from 0 where there is none to 1.

    Args:
        coarse: the tile, as coarse as the whole picture's output.
        whole: that output, under the tile.

    Returns:
        Scale, not negative, and trust, from 0 to 1; both are 0 where either map is constant or a single pixel.
    """
    if coarse.size < 2:
        return np.float32(0), 0.0
    d, d_star = coarse.astype(np.float64), whole.astype(np.float64)
    d -= d.mean()
    d_star -= d_star.mean()
    spread = math.sqrt(float((d * d).mean()) * float((d_star * d_star).mean()))
    # What rounding alone leaves behind in a map that is constant.
    if spread <= (np.finfo(np.float32).eps ** 2) * float(np.abs(coarse).max()) * float(np.abs(whole).max()):
        return np.float32(0), 0.0
    correlation = float((d * d_star).mean()) / spread
    trust = min(max(correlation / _TRUSTED_CORRELATION, 0.0), 1.0)
    return np.float32(align_median_mad(coarse, whole).scale), trust


def cell_means(values: Float32[Array, "h w"], row: Cells, column: Cells, zoom: int) -> Float32[Array, "rows columns"]:
    """Means over cells of ``zoom`` x ``zoom`` pixels: a tile as coarse as the whole picture's output."""
    top, left = row.margins[0], column.margins[0]
    inside = values[top : top + row.count * zoom, left : left + column.count * zoom]
    means: Float32[Array, "rows columns"] = inside.reshape(row.count, zoom, column.count, zoom).mean(axis=(1, 3))
    return means


def blur_map(values: Float32[Array, "h w"], sigma_px: float) -> Float32[Array, "h w"]:
    """Gaussian means. At the border they are taken over what there is, so that a constant stays what it is."""
    rows, columns = (_gaussian(side, sigma_px) for side in values.shape)
    blurred: Float32[Array, "h w"] = rows @ values @ columns.T
    return blurred


def _gaussian(length: int, sigma_px: float) -> Float32[Array, "length length"]:
    """Each row: the weights of all pixels for the mean about one."""
    pixel = np.arange(length)
    weights = np.exp(-0.5 * ((pixel[:, None] - pixel) / sigma_px) ** 2)
    normalised: Float32[Array, "length length"] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
