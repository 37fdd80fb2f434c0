"""Errors of disparity that hold up to scale and shift: for targets whose zero isn't known, such as stereo photographs.

Ratios of depths, and so AbsRel and the deltas, change with the shift of a disparity; where nobody knows it they measure
nothing. What remains is how far the aligned prediction lies from the target in units of the target's own range, and
whether points are in the right order. Both are the same for a target ``a t + b`` with a > 0. Arrays and mask are as in
`midas.metrics.depth`, but hold disparity, larger is nearer.
"""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Bool, Float
from midas.errors import MidasError
from midas.metrics.depth import valid_pixels
from midas.metrics.ordinal import sample_pairs

# Outliers of stereo matching lie beyond these.
RANGE_PERCENTILES = (5.0, 95.0)
ORDER_PAIRS = 20_000
ORDER_SEED = 0
# Nearer to one another than this share of the range, two points of such a target have no order that could be trusted.
APART_SHARE = 0.1


def disparity_range(target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None) -> float:
    """Distance of the target's 5th and 95th percentile over the valid pixels, in the target's unit.

    Raises:
        MidasError: no valid pixel, or one isn't finite.
    """
    _, true = valid_pixels(target, target, mask)
    if not np.isfinite(true).all():
        raise MidasError("the target isn't finite on every valid pixel: leave such pixels out of the mask")
    low, high = np.percentile(true, RANGE_PERCENTILES)
    return float(high - low)


def range_error(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Mean of |p - t| over the target's range from its 5th to its 95th percentile: percent, lower is better.

    A mean absolute error normalised by the range, as statistics has it; robust percentiles stand for the ends, since
    targets by matching have outliers.

    Args:
        prediction: p, aligned to the target.
        target: t.
        mask: where they count.

    Raises:
        MidasError: no valid pixel, the target has no range, or a valid pixel isn't finite.
    """
    predicted, true = valid_pixels(prediction, target, mask)
    size = _positive_range(true)
    error = float(np.abs(predicted - true).mean())
    if not np.isfinite(error):
        raise MidasError("the prediction isn't finite on every valid pixel: leave such pixels out of the mask")
    return 100.0 * error / size


def order_accuracy(
    prediction: Float[Array, "H W"],
    target: Float[Array, "H W"],
    mask: Bool[Array, "H W"] | None = None,
    *,
    pairs: int = ORDER_PAIRS,
    seed: int = ORDER_SEED,
    apart: float = APART_SHARE,
) -> float:
    """Percentage of pairs of points that the prediction has in the target's order: higher is better.

    Pairs are drawn at random over the valid pixels, the same for every prediction; those count whose target values
    differ by more than a share of the target's range (``disparity_range``). A tie of the prediction counts a half, as
    in the concordance index of Harrell et al., "Evaluating the Yield of Medical Tests" (1982): a constant has 50 %.

    Args:
        prediction: of any scale and shift; not aligned, so that one which runs against the target is wrong.
        target: t.
        mask: where points may lie; None for everywhere.
        pairs: how many are drawn.
        seed: of the draws.
        apart: share of the range.

    Raises:
        MidasError: fewer than two valid pixels, the target has no range, or no pair is as far apart.
    """
    valid = np.ones(target.shape, np.bool_) if mask is None else mask
    least = apart * _positive_range(valid_pixels(prediction, target, valid)[1])
    first, second = (tuple(points.T) for points in sample_pairs(valid, pairs, seed))
    predicted, true = (values[first].astype(np.float64) - values[second] for values in (prediction, target))
    told = np.abs(true) > least
    if not told.any():
        raise MidasError(f"of {pairs} pairs none differs by more than {apart:.0%} of the target's range: draw more")
    agreement = float((np.sign(predicted[told]) * np.sign(true[told])).mean())
    if not np.isfinite(agreement):
        raise MidasError("the prediction isn't finite on every valid pixel: leave such pixels out of the mask")
    return 50.0 + 50.0 * agreement


def _positive_range(true: Float[Array, " N"]) -> float:
    size = disparity_range(true)
    if not size > 0:
        raise MidasError("the target's 5th and 95th percentile are the same: its range is no unit for errors")
    return size
