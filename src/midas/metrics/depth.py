"""Errors of a depth map, pixel by pixel, over aligned arrays of any shape and a mask.

Prediction p and target t are depths in metres; where a metric has no unit, any one unit will do. Sums run in double
precision. The mask is True where a pixel counts; None stands for everywhere, and what lies outside it has no influence.
Who takes several metrics of one picture saves time with ``valid_pixels``: arrays of float64 without a mask are used as
they are.

Where no source is named, it is Eigen et al., "Depth Map Prediction from a Single Image using a Multi-Scale Deep
Network" (2014).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from midas.arrays import Array, Bool, Float, Float64
from midas.errors import MidasError

DELTA_THRESHOLD = 1.25

_Positive = Literal["neither", "target", "both"]


def abs_rel(prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None) -> float:
    """Mean of |p - t| / t: no unit, lower is better.

    Raises:
        MidasError: no valid pixel, or on one the target isn't positive or the prediction isn't finite.
    """
    predicted, true = _checked(prediction, target, mask, positive="target")
    error = predicted - true
    np.abs(error, out=error)
    error /= true
    return float(error.mean())


def sq_rel(prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None) -> float:
    """Mean of (p - t)² / t: metres, lower is better.

    Raises:
        MidasError: no valid pixel, or on one the target isn't positive or the prediction isn't finite.
    """
    predicted, true = _checked(prediction, target, mask, positive="target")
    error = predicted - true
    error *= error
    error /= true
    return float(error.mean())


def rmse(prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None) -> float:
    """Root of the mean of (p - t)²: metres, lower is better.

    Raises:
        MidasError: no valid pixel, or on one a value isn't finite.
    """
    predicted, true = _checked(prediction, target, mask, positive="neither")
    return _root_mean_square(predicted - true)


def rmse_log(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Root of the mean of (ln p - ln t)²: no unit, lower is better.

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    return _root_mean_square(_log_ratio(prediction, target, mask))


def log10_error(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Mean of |log10 p - log10 t|: no unit, lower is better (Saxena et al., "Make3D", 2009).

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    difference = _log_ratio(prediction, target, mask)
    return float(np.abs(difference, out=difference).mean() / np.log(10.0))


def si_log(
    prediction: Float[Array, "*S"],
    target: Float[Array, "*S"],
    mask: Bool[Array, "*S"] | None = None,
    mean_weight: float = 1.0,
) -> float:
    """Root of mean(d²) - λ mean(d)², with d = ln p - ln t: no unit, lower is better.

    With λ = 1 this is the standard deviation of d, which a factor of the prediction doesn't change: the root of
    equation 1 of Eigen et al. (2014). With λ = 0 it is ``rmse_log``. ``kitti_si_log`` is a hundred times as large.

    Args:
        prediction: p.
        target: t.
        mask: where they count.
        mean_weight: λ, from 0 to 1. Losses often have another than the metric: Eigen et al. 0.5, Lee et al. (BTS, 2019)
            0.85.

    Raises:
        MidasError: no valid pixel, on one a value isn't positive and finite, or λ is out of range.
    """
    if not 0 <= mean_weight <= 1:
        raise MidasError(f"mean_weight is {mean_weight}: expected a number from 0 to 1")
    difference = _log_ratio(prediction, target, mask)
    mean = float(difference.mean())
    difference -= mean  # So that no digits are lost where the mean is large.
    return float(np.sqrt(np.square(difference, out=difference).mean() + (1 - mean_weight) * mean**2))


def kitti_si_log(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """KITTI's SILog: 100 times the standard deviation of ln p - ln t; lower is better (Uhrig et al., 2017).

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    return 100.0 * si_log(prediction, target, mask)


def delta1_accuracy(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Percentage of valid pixels with max(p / t, t / p) < 1.25: higher is better.

    A pixel at the very threshold is counted neither here nor by ``delta1_outliers``, so that the two may sum to less
    than 100; likewise for the further powers of 1.25.

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    return _percentage_within(prediction, target, mask, DELTA_THRESHOLD)


def delta2_accuracy(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Percentage of valid pixels with max(p / t, t / p) < 1.25²: higher is better.

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    return _percentage_within(prediction, target, mask, DELTA_THRESHOLD**2)


def delta3_accuracy(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Percentage of valid pixels with max(p / t, t / p) < 1.25³: higher is better.

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    return _percentage_within(prediction, target, mask, DELTA_THRESHOLD**3)


def delta1_outliers(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Percentage of valid pixels with max(p / t, t / p) > 1.25: lower is better (MiDaS paper, section 6).

    The field mostly reports the share below the threshold, which is ``delta1_accuracy``.

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    return _percentage_beyond(prediction, target, mask, DELTA_THRESHOLD)


def delta2_outliers(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Percentage of valid pixels with max(p / t, t / p) > 1.25²: lower is better.

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    return _percentage_beyond(prediction, target, mask, DELTA_THRESHOLD**2)


def delta3_outliers(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> float:
    """Percentage of valid pixels with max(p / t, t / p) > 1.25³: lower is better.

    Raises:
        MidasError: no valid pixel, or on one a value isn't positive and finite.
    """
    return _percentage_beyond(prediction, target, mask, DELTA_THRESHOLD**3)


def valid_pixels(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None = None
) -> tuple[Float64[Array, " N"], Float64[Array, " N"]]:
    """The valid pixels of both in a row, in double precision; views of arrays that are so already.

    Raises:
        MidasError: no valid pixel, or shapes differ.
    """
    if not prediction.shape == target.shape == (target.shape if mask is None else mask.shape):
        shapes = f"{prediction.shape}, {target.shape} and {target.shape if mask is None else mask.shape}"
        raise MidasError(f"prediction, target and mask have the shapes {shapes}: expected one and the same")
    if mask is None or mask.all():
        predicted, true = prediction.ravel(), target.ravel()
    else:
        pixels = np.flatnonzero(mask)  # Taking by index is twice as fast as by mask.
        predicted, true = prediction.ravel()[pixels], target.ravel()[pixels]
    if predicted.size == 0:
        raise MidasError("a metric needs at least one valid pixel; the mask has none")
    return predicted.astype(np.float64, copy=False), true.astype(np.float64, copy=False)


def _checked(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None, positive: _Positive
) -> tuple[Float64[Array, " N"], Float64[Array, " N"]]:
    predicted, true = valid_pixels(prediction, target, mask)
    _require("prediction", predicted, positive=positive == "both")
    _require("target", true, positive=positive != "neither")
    return predicted, true


def _require(name: str, values: Float64[Array, " N"], *, positive: bool) -> None:
    with np.errstate(invalid="ignore"):
        low, high = float(values.min()), float(values.max())
    if not (0.0 if positive else -np.inf) < low <= high < np.inf:
        expected = "positive and finite" if positive else "finite"
        raise MidasError(
            f"the {name}'s valid pixels run from {low:g} to {high:g}: expected them {expected}; cut them to a range of "
            "depths, or leave such pixels out of the mask"
        )


def _root_mean_square(error: Float64[Array, " N"]) -> float:
    return float(np.sqrt(np.square(error, out=error).mean()))


def _log_ratio(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None
) -> Float64[Array, " N"]:
    """ln p - ln t, as the logarithm of the ratio: one logarithm is half as dear as two."""
    predicted, true = _checked(prediction, target, mask, positive="both")
    ratio: Float64[Array, " N"] = predicted / true
    np.log(ratio, out=ratio)
    return ratio


def _percentage_within(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None, threshold: float
) -> float:
    # Products with a power of 1.25 are exact for values in single precision, as quotients are not.
    predicted, true = _checked(prediction, target, mask, positive="both")
    within = (predicted < threshold * true) & (true < threshold * predicted)
    return 100.0 * np.count_nonzero(within) / within.size


def _percentage_beyond(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"] | None, threshold: float
) -> float:
    predicted, true = _checked(prediction, target, mask, positive="both")
    beyond = (predicted > threshold * true) | (true > threshold * predicted)
    return 100.0 * np.count_nonzero(beyond) / beyond.size
