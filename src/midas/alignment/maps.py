"""Scale and shift from a whole map with measured values, in closed form."""

from __future__ import annotations

import numpy as np

from midas.alignment.line import Alignment, Map, dot, fit_line, valid_pixels
from midas.arrays import Array, Bool, Float
from midas.errors import AlignmentError


def align_least_squares(
    prediction: Float[Array, "*shape"] | Map,
    target: Float[Array, "*shape"],
    mask: Bool[Array, "*shape"] | None = None,
    weights: Float[Array, "*shape"] | None = None,
) -> Alignment:
    """Find the scale s and shift t that minimise the sum of ``w * (s * d + t - d*)²`` over the valid pixels.

    Equations 2–4 of Ranftl et al., "Towards Robust Monocular Depth Estimation" (MiDaS), in closed form; there all w
    are 1. The sums run in double precision over values less their mean, so that a large shift costs no digits. A
    constant prediction has scale 0 and the mean of the target as shift. A target that runs against the prediction has
    a negative scale, which is given as it is.

    Args:
        prediction: d, relative disparity.
        target: d*, inverse depth or another disparity, of the same shape.
        mask: True where the target is valid; None for everywhere.
        weights: w, not negative; only their ratios matter. A pixel of weight 0 counts as invalid. None for all 1.

    Raises:
        AlignmentError: if shapes differ, fewer than two pixels are valid, a valid one is not finite, or a weight is
            negative or not finite.
    """
    if weights is None:
        return fit_line(*valid_pixels(prediction, target, mask, at_least=2))
    usable = _of_some_weight(weights, mask)
    return fit_line(*valid_pixels(prediction, target, usable, at_least=2), weights[usable].astype(np.float64))


def align_scale(
    prediction: Float[Array, "*shape"] | Map, target: Float[Array, "*shape"], mask: Bool[Array, "*shape"] | None = None
) -> Alignment:
    """Find the scale s that minimises the sum of ``(s * d - d*)²`` over the valid pixels; the shift is 0.

    Least squares for a prediction whose zero is right: ``s = sum(d * d*) / sum(d²)``, equation 4 of the MiDaS paper
    without its shift. One valid pixel is enough; a negative scale is given as it is.

    Args:
        prediction: d, for which 0 means what it means for the target.
        target: d*, of the same shape.
        mask: True where the target is valid; None for everywhere.

    Raises:
        AlignmentError: if shapes differ, no pixel is valid, a valid one is not finite, or the prediction is 0 on all.
    """
    d, d_star = valid_pixels(prediction, target, mask, at_least=1)
    square = dot(d, d)
    if square == 0:
        raise AlignmentError("the prediction is 0 on every valid pixel: no scale takes it to the target")
    return Alignment(dot(d, d_star) / square, 0.0)


def align_median(
    prediction: Float[Array, "*shape"] | Map, target: Float[Array, "*shape"], mask: Bool[Array, "*shape"] | None = None
) -> Alignment:
    """Find the scale that takes the median of the prediction to the median of the target; the shift is 0.

    ``s = median(d*) / median(d)``, the "median scaling" of Zhou et al., "Unsupervised Learning of Depth and Ego-Motion
    from Video" (2017), and of those who came after, in depth. It is not the same in inverse depth for an even number of
    pixels, whose median is the mean of the two in the middle. One valid pixel is enough.

    Args:
        prediction: d, for which 0 means what it means for the target.
        target: d*, of the same shape.
        mask: True where the target is valid; None for everywhere.

    Raises:
        AlignmentError: if shapes differ, no pixel is valid, a valid one is not finite, or the prediction's median is 0.
    """
    d, d_star = valid_pixels(prediction, target, mask, at_least=1)
    median = float(np.median(d))
    if median == 0:
        raise AlignmentError("the prediction's median over the valid pixels is 0: no scale takes it to the target's")
    return Alignment(float(np.median(d_star)) / median, 0.0)


def align_median_mad(
    prediction: Float[Array, "*shape"] | Map, target: Float[Array, "*shape"], mask: Bool[Array, "*shape"] | None = None
) -> Alignment:
    """Find the scale and shift that take the prediction's median and mean absolute deviation to the target's.

    Equations 5 and 6 of the MiDaS paper, by which its losses bring both maps to one scale: ``t(d) = median(d)``,
    ``s(d) = mean(|d - t(d)|)``, and ``(d - t(d)) / s(d)`` stands for ``(d* - t(d*)) / s(d*)``. The scale is never
    negative, whichever way the target runs. A constant prediction has scale 0 and the median of the target as shift.

    Args:
        prediction: d, relative disparity.
        target: d*, inverse depth or another disparity, of the same shape.
        mask: True where the target is valid; None for everywhere.

    Raises:
        AlignmentError: if shapes differ, fewer than two pixels are valid, or a valid one is not finite.
    """
    d, d_star = valid_pixels(prediction, target, mask, at_least=2)
    d_median, d_star_median = float(np.median(d)), float(np.median(d_star))
    deviation = float(np.abs(d - d_median).mean())
    if deviation == 0:
        return Alignment(0.0, d_star_median)
    scale = float(np.abs(d_star - d_star_median).mean()) / deviation
    return Alignment(scale, d_star_median - scale * d_median)


def _of_some_weight(weights: Float[Array, "*shape"], mask: Bool[Array, "*shape"] | None) -> Bool[Array, "*shape"]:
    """The valid pixels whose weight isn't 0."""
    if not isinstance(weights, np.ndarray):
        raise AlignmentError(f"the weights are a {type(weights).__name__}: expected an array of numbers")
    known = weights if mask is None else np.where(mask, weights, 0)
    if not ((known >= 0) & (known < np.inf)).all():
        raise AlignmentError("a weight is negative or not finite on a valid pixel: expected 0 or a positive number")
    return known > 0
