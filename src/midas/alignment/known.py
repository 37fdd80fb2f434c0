"""Scale and shift from what a user knows: a few distances, or a range."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from operator import index

import numpy as np

from midas.alignment.line import Alignment, Map, numbers_of
from midas.alignment.maps import align_least_squares
from midas.arrays import Array, Float32
from midas.errors import AlignmentError


def align_from_points(values: Float32[Array, "H W"] | Map, points: Sequence[tuple[int, int, float]]) -> Alignment:
    """Find the alignment from points of known depth: exact for two, least squares in inverse depth for more.

    Args:
        values: relative disparity.
        points: (row, column, depth in metres) of at least two points that the map puts at different distances.

    Raises:
        AlignmentError: if there are fewer than two points, one is no three numbers, lies outside the map or has no
            positive depth, or the map has the same value at all of them.
    """
    values = numbers_of(values)
    points = _checked(points)
    if len(points) < 2:
        raise AlignmentError(f"scale and shift need at least 2 points of known depth, not {len(points)}")
    height, width = values.shape
    for row, column, depth_m in points:
        if not (0 <= row < height and 0 <= column < width):
            raise AlignmentError(f"point ({row}, {column}) lies outside the map of {height} rows, {width} columns")
        if not 0 < depth_m < np.inf:
            raise AlignmentError(f"point ({row}, {column}) has depth {depth_m} m: expected a positive number of metres")
    rows, columns, depths_m = (np.array(column) for column in zip(*points, strict=True))
    disparity = values[rows, columns]
    if (disparity == disparity[0]).all():
        raise AlignmentError(f"the map is {disparity[0]:g} at every point given: choose points at different distances")
    return align_least_squares(disparity, 1.0 / depths_m.astype(np.float64))


def align_from_range(values: Float32[Array, "H W"] | Map, near_m: float, far_m: float) -> Alignment:
    """Find the alignment that puts the nearest pixel at ``near_m`` metres and the farthest at ``far_m``.

    Args:
        values: relative disparity; values that are not finite are left out.
        near_m: depth of the largest value, in metres.
        far_m: depth of the smallest value, in metres; may be infinite.

    Raises:
        AlignmentError: unless ``0 < near_m < far_m`` and the map has two different values.
    """
    try:
        near_m, far_m = float(near_m), float(far_m)
    except (TypeError, ValueError) as error:
        raise AlignmentError(f"range from {near_m!r} to {far_m!r}: expected two numbers of metres") from error
    if not 0 < near_m < far_m:
        raise AlignmentError(f"range from {near_m} m to {far_m} m: expected 0 < near < far")
    values = numbers_of(values)
    known = values[np.isfinite(values)]
    if known.size == 0 or known.min() == known.max():
        raise AlignmentError("a constant map has no near and far: give another map, or known points")
    smallest, largest = float(known.min()), float(known.max())
    scale = (1 / near_m - 1 / far_m) / (largest - smallest)
    return Alignment(scale, 1 / far_m - scale * smallest)


def _checked(points: Sequence[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    try:
        return [(index(row), index(column), float(depth_m)) for row, column, depth_m in points]
    except (TypeError, ValueError) as error:
        raise AlignmentError(
            f"points {reprlib.repr(points)}: expected (row, column, depth in metres) for each, rows and columns whole"
        ) from error
