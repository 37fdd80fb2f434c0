"""Flying pixels: points that a depth map puts into the empty space between two surfaces.

A network that isn't sure where an edge is draws a ramp across it, and seen from the side, as in a point cloud, the ramp
is a veil from the near surface to the far one. Pixel-Perfect Depth (Xu et al., 2025) gave the defect its name among the
figures of depth networks; the figure here is this project's own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from midas.arrays import Array, Bool, Float, Float64
from midas.errors import MidasError

FLYING_RADIUS_PX = 3
FLYING_EDGE_RATIO = 1.25
# Within a quarter of the gap to a surface a point belongs to it, if not well placed; beyond, to neither.
FLYING_MARGIN_SHARE = 0.25


def flying_pixels(
    prediction: Float[Array, "H W"],
    target: Float[Array, "H W"],
    mask: Bool[Array, "H W"] | None = None,
    *,
    radius_px: int = FLYING_RADIUS_PX,
    edge_ratio: float = FLYING_EDGE_RATIO,
) -> float:
    """Percentage of the predicted points beside depth edges that float between the surfaces there: lower is better.

    A valid pixel lies beside an edge if, within a square of ``2 radius_px + 1`` pixels around it, the target's largest
    inverse depth is more than ``edge_ratio`` times its smallest; the difference of the two is the gap. Its point floats
    if it lies within the gap, and farther than a quarter of it from *every* surface that the target has in that square:
    so the points of a slope or of a thin third thing in between do not float, nor does an edge that is sharp but up to
    ``radius_px`` off, which `midas.metrics.boundary_scores` punishes.

    Args:
        prediction: inverse depth, aligned to the target.
        target: inverse depth; 0 is infinitely far.
        mask: True where both are valid; None for everywhere.
        radius_px: how far from the edge a point still belongs to it.
        edge_ratio: of inverse depths, above 1.

    Raises:
        MidasError: no pixel lies beside an edge, a valid target is negative or not finite, or a valid prediction isn't
            finite.
    """
    if radius_px < 1 or not edge_ratio > 1:
        raise MidasError(f"radius {radius_px} px and ratio {edge_ratio}: expected at least 1 px, and a ratio above 1")
    valid = np.ones(target.shape, np.bool_) if mask is None else mask
    near, far = _extremes(target, valid, radius_px)
    beside = valid & (near > edge_ratio * far)
    points, near, far = prediction[beside].astype(np.float64), near[beside], far[beside]
    if points.size == 0:
        raise MidasError("the target has no depth edge: leave the picture out")
    if not np.isfinite(points).all():
        raise MidasError("the prediction isn't finite on every valid pixel: leave such pixels out of the mask")
    margin = FLYING_MARGIN_SHARE * (near - far)
    floating = (points > far + margin) & (points < near - margin)
    for surface in _around(np.where(valid, target, np.nan), beside, radius_px):
        # A pixel without a value is no surface: comparisons with NaN are false.
        floating &= ~(np.abs(points - surface) <= margin)
    return 100.0 * int(np.count_nonzero(floating)) / int(floating.size)


def _extremes(
    target: Float[Array, "H W"], valid: Bool[Array, "H W"], radius_px: int
) -> tuple[Float64[Array, "H W"], Float64[Array, "H W"]]:
    """Largest and smallest valid value within the square around each pixel."""
    values = target[valid]
    if not ((values >= 0) & (values < np.inf)).all():
        raise MidasError("a valid target is negative or not finite: expected inverse depth; leave such pixels out")
    filled = target.astype(np.float64)
    return (
        _largest(np.where(valid, filled, -np.inf), radius_px),
        -_largest(np.where(valid, -filled, -np.inf), radius_px),
    )


def _largest(values: Float64[Array, "H W"], radius_px: int) -> Float64[Array, "H W"]:
    """Largest value within the square around each pixel: along rows first, then along columns."""
    for axis in (0, 1):
        padded = np.pad(
            values, [(radius_px, radius_px) if axis == each else (0, 0) for each in (0, 1)], constant_values=-np.inf
        )
        length = values.shape[axis]
        values = np.maximum.reduce(
            [padded.take(range(step, step + length), axis=axis) for step in range(2 * radius_px + 1)]
        )
    return values


def _around(values: Float[Array, "H W"], chosen: Bool[Array, "H W"], radius_px: int) -> Iterator[Float[Array, " N"]]:
    """For each place in the square, the values that lie there as seen from the chosen pixels; NaN beyond the border."""
    padded = np.pad(values, radius_px, constant_values=np.nan)
    rows, columns = np.nonzero(chosen)
    for down in range(2 * radius_px + 1):
        for right in range(2 * radius_px + 1):
            yield padded[rows + down, columns + right]
