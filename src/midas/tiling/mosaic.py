"""Tiles become one map: each at the whole picture's scale, with the whole picture's coarse structure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from midas.alignment import align_median_mad
from midas.arrays import Array, Float32
from midas.maps.resize import resize_map
from midas.tiling.layout import Grid, blend_weights

# Structure coarser than this share of the shorter side of the whole picture's output is taken from there, finer
# structure from the tiles. `benchmarks/tiling.py --merges` compares.
_COARSE_SHARE = 1 / 32

# A tile that agrees with the whole picture at coarse scale with this correlation or more is taken in full, one without
# any correlation not at all: it shows a bare wall or a sky, or contradicts.
_TRUSTED_CORRELATION = 0.5


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
