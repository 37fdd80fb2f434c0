"""Scale and shift that take a relative disparity to an inverse depth.

A network's disparity d is an affine function of inverse depth, other in each picture: ``1 / depth = s * d + t``. Two
numbers that the picture itself can't tell: they come from a depth map, from a few known points, or from a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Bool, Float, Float32
from midas.errors import AlignmentError


@dataclass(frozen=True)
class Alignment:
    """``scale * prediction + shift ≈ target``; for a target in 1/metre both are in 1/metre.

    Attributes:
        scale: factor of the prediction. Negative where the target runs against it.
        shift: what is added after that.
    """

    scale: float
    shift: float

    def apply(self, prediction: Float32[Array, "*shape"]) -> Float32[Array, "*shape"]:
        """Give ``scale * prediction + shift``, in the target's unit."""
        aligned = prediction * np.float32(self.scale)
        aligned += np.float32(self.shift)
        return aligned


def align_least_squares(
    prediction: Float[Array, "*shape"], target: Float[Array, "*shape"], mask: Bool[Array, "*shape"] | None = None
) -> Alignment:
    """Find the scale s and shift t that minimise the sum of ``(s * d + t - d*)²`` over the valid pixels.

    Equations 2–4 of Ranftl et al., "Towards Robust Monocular Depth Estimation" (MiDaS), in closed form. The sums run
    in double precision over values less their mean, so that a large shift costs no digits. A constant prediction has
    scale 0 and the mean of the target as shift.

    Args:
        prediction: d, relative disparity.
        target: d*, inverse depth or another disparity, of the same shape.
        mask: True where the target is valid; None for everywhere.

    Raises:
        AlignmentError: if shapes differ, fewer than two pixels are valid, or a valid one is not finite.
    """
    mask = np.ones(prediction.shape, np.bool_) if mask is None else mask
    if not prediction.shape == target.shape == mask.shape:
        shapes = f"{prediction.shape}, {target.shape} and {mask.shape}"
        raise AlignmentError(f"prediction, target and mask have the shapes {shapes}: expected one and the same")
    d = prediction[mask].astype(np.float64)
    d_star = target[mask].astype(np.float64)
    if d.size < 2:
        raise AlignmentError(f"scale and shift need at least 2 valid pixels, the mask has {d.size}")
    with np.errstate(all="ignore"):  # What isn't finite is found by its sums.
        d_mean, d_star_mean = float(d.mean()), float(d_star.mean())
        d -= d_mean
        d_star -= d_star_mean
        variance, covariance = float(d @ d), float(d @ d_star)
    if not np.isfinite([d_mean, d_star_mean, variance, covariance]).all():
        raise AlignmentError("prediction or target isn't finite on a valid pixel: leave such pixels out of the mask")
    # What rounding of the mean alone leaves behind where all values are the same.
    if variance <= d.size * (4 * np.finfo(np.float64).eps * d_mean) ** 2:
        return Alignment(0.0, d_star_mean)
    scale = covariance / variance
    return Alignment(scale, d_star_mean - scale * d_mean)


def align_from_points(values: Float32[Array, "H W"], points: Sequence[tuple[int, int, float]]) -> Alignment:
    """Find the alignment from points of known depth: exact for two, least squares in inverse depth for more.

    Args:
        values: relative disparity.
        points: (row, column, depth in metres) of at least two points that the map puts at different distances.

    Raises:
        AlignmentError: if there are fewer than two points, one lies outside the map or has no positive depth, or the
            map has the same value at all of them.
    """
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


def align_from_range(values: Float32[Array, "H W"], near_m: float, far_m: float) -> Alignment:
    """Find the alignment that puts the nearest pixel at ``near_m`` metres and the farthest at ``far_m``.

    Args:
        values: relative disparity; values that are not finite are left out.
        near_m: depth of the largest value, in metres.
        far_m: depth of the smallest value, in metres; may be infinite.

    Raises:
        AlignmentError: unless ``0 < near_m < far_m`` and the map has two different values.
    """
    if not 0 < near_m < far_m:
        raise AlignmentError(f"range from {near_m} m to {far_m} m: expected 0 < near < far")
    known = values[np.isfinite(values)]
    if known.size == 0 or known.min() == known.max():
        raise AlignmentError("a constant map has no near and far: give another map, or known points")
    smallest, largest = float(known.min()), float(known.max())
    scale = (1 / near_m - 1 / far_m) / (largest - smallest)
    return Alignment(scale, 1 / far_m - scale * smallest)
