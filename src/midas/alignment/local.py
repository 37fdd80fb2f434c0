"""Scale and shift from sparse measurements, and a smooth correction of them that varies over the picture.

A network's map is right up to scale and shift at best; in fact it may be ten percent too far on one side. With measured
points all over the picture, as LiDAR and ARCore give them, that can be seen and taken out: the ratio of measured to
aligned inverse depth is smoothed over the picture and multiplied on. It is done only where it helps, which points that
were left out of the smoothing tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from midas.alignment.line import Alignment
from midas.alignment.robust import align_robust
from midas.arrays import Array, Bool, Float32, Float64
from midas.errors import AlignmentError

LEAST_POINTS = 30
"""With fewer there is one scale for the whole picture."""

LEAST_GAIN = 0.05
"""The share of the error on left-out points that a correction must take away to be applied."""

_FOLDS = 5
# Reach of the smoothing that are tried, as shares of the longer side; and how many points' worth the wish for no
# correction counts.
_REACHES = (0.08, 0.16, 0.32)
_PRIOR_POINTS = 1.0
# The field is made on a grid of so many samples, from at most so many points.
_GRID_SIDE = 40
_MOST_POINTS = 4000
# A ratio beyond this is an outlier, not a correction.
_MOST_LOG_RATIO = float(np.log(2.0))
# A median of the logarithms of ratios up to this is rounding of float32, which smoothing may lower by chance.
_ROUNDING = 1e-5
_SEED = 11


@dataclass(frozen=True, eq=False)
class SparseAlignment:
    """What takes a map to inverse depth in metres.

    Attributes:
        alignment: scale and shift for the whole picture.
        points: how many were used.
        inlier_share: of them, how many the whole picture's alignment fits within 10 %.
        gain: by which share the correction lowers the error on points that it wasn't made from; 0 where there is none.
        field: the correction's logarithm on a grid over the picture; None where it doesn't help.
    """

    alignment: Alignment
    points: int
    inlier_share: float
    gain: float = 0.0
    field: Float64[Array, "h w"] | None = None

    def apply(self, values: Float32[Array, "H W"]) -> Float32[Array, "H W"]:
        """Inverse depth, in 1/metre."""
        inverse = self.alignment.apply(values)
        if self.field is None:
            return inverse
        result: Array = inverse * np.exp(_grown(self.field, values.shape)).astype(np.float32)
        return result

    @property
    def found(self) -> str:
        """How it was found, for files."""
        return f"{self.points} points" + (f", locally corrected (gain {100 * self.gain:.0f} %)" if self.gain else "")


def align_sparse(
    values: Float32[Array, "H W"], points: Float64[Array, "N 3"], *, local: bool = True
) -> SparseAlignment:
    """Align a map to points of measured depth, up to two fifths of which may be wrong.

    Args:
        values: disparity.
        points: row, column (whole numbers are pixel centres) and depth in metres. Those outside of the picture, or
            without a positive depth, are left out.
        local: whether a smooth correction is tried, by cross-validation in five parts.

    Raises:
        AlignmentError: fewer than two points are left, or the map runs against them.
    """
    height, width = values.shape
    rows, columns = np.rint(points[:, 0]), np.rint(points[:, 1])
    usable = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    usable &= np.isfinite(points[:, 2]) & (points[:, 2] > 0)
    if usable.sum() < 2:
        raise AlignmentError(f"{int(usable.sum())} of {len(points)} points lie in the picture with a depth: expected 2")
    if usable.sum() > _MOST_POINTS:
        chosen = np.random.default_rng(_SEED).choice(np.flatnonzero(usable), _MOST_POINTS, replace=False)
        usable = np.isin(np.arange(len(points)), chosen)
    places = np.stack([rows[usable] / max(height, width), columns[usable] / max(height, width)], axis=1)
    disparity = values[rows[usable].astype(np.intp), columns[usable].astype(np.intp)].astype(np.float64)
    measured = 1 / points[usable, 2]
    alignment = align_robust(disparity, measured)
    if alignment.scale <= 0:
        raise AlignmentError(
            "the map runs against the points, near for far: are they of this picture, row before column?"
        )
    inliers = np.abs(alignment.scale * disparity + alignment.shift - measured) < 0.1 * measured
    whole = SparseAlignment(alignment, len(measured), float(inliers.mean()))
    if not local or len(measured) < LEAST_POINTS:
        return whole
    return _corrected(whole, places, disparity, measured, (height, width))


def _corrected(
    whole: SparseAlignment,
    places: Float64[Array, "N 2"],
    disparity: Float64[Array, " N"],
    measured: Float64[Array, " N"],
    size: tuple[int, int],
) -> SparseAlignment:
    inverse = whole.alignment.scale * disparity + whole.alignment.shift
    known = inverse > 0
    log_ratio = np.log(measured[known] / inverse[known])
    kept = np.abs(log_ratio - np.median(log_ratio)) < _MOST_LOG_RATIO
    places, log_ratio = places[known][kept], log_ratio[kept]
    if len(log_ratio) < LEAST_POINTS:
        return whole
    before = float(np.median(np.abs(log_ratio)))
    if before < _ROUNDING:
        return whole
    errors = {reach: _left_out_error(places, log_ratio, reach) for reach in _REACHES}
    reach = min(errors, key=lambda each: errors[each])
    gain = 1 - errors[reach] / before
    if gain < LEAST_GAIN:
        return whole
    grid = [np.linspace(0, (side - 1) / max(size), max(2, round(_GRID_SIDE * side / max(size)))) for side in size]
    at = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, 2)
    field = _smoothed(places, log_ratio, at, reach).reshape(len(grid[0]), len(grid[1]))
    return SparseAlignment(whole.alignment, whole.points, whole.inlier_share, gain, field)


def _left_out_error(places: Float64[Array, "N 2"], log_ratio: Float64[Array, " N"], reach: float) -> float:
    """The median error on points that the smoothing was not made from."""
    errors = np.empty(len(log_ratio))
    for left_out in _folds(len(log_ratio)):
        smooth = _smoothed(places[~left_out], log_ratio[~left_out], places[left_out], reach)
        errors[left_out] = np.abs(log_ratio[left_out] - smooth)
    return float(np.median(errors))


def _folds(count: int) -> Iterator[Bool[Array, " N"]]:
    part = np.random.default_rng(_SEED).permutation(count) % _FOLDS
    for number in range(_FOLDS):
        yield part == number


def _smoothed(
    places: Float64[Array, "N 2"], values: Float64[Array, " N"], at: Float64[Array, "M 2"], reach: float
) -> Float64[Array, " M"]:
    """The mean of the values near each place, by a Gaussian; where none is near, it goes to 0.

    Values far from most count as if they were nearer (Huber), so that wrong points don't pull.
    """
    limit = 1.345 * 1.4826 * float(np.median(np.abs(values - np.median(values)))) or np.inf
    clipped = np.clip(values, np.median(values) - limit, np.median(values) + limit) if np.isfinite(limit) else values
    squared = ((at[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)
    weight = np.exp(-0.5 * squared / reach**2)
    smooth: Array = (weight @ clipped) / (weight.sum(axis=1) + _PRIOR_POINTS)
    return smooth


def _grown(field: Float64[Array, "h w"], size: tuple[int, int]) -> Float64[Array, "H W"]:
    """Linear between the grid's samples, whose outermost lie on the outermost pixels."""
    for axis, side in enumerate(size):
        along = np.linspace(0, field.shape[axis] - 1, side)
        low = np.minimum(along.astype(np.intp), max(field.shape[axis] - 2, 0))
        share = (along - low).reshape([-1 if each == axis else 1 for each in range(2)])
        field = np.take(field, low, axis) * (1 - share) + np.take(field, low + 1, axis) * share
    return field
