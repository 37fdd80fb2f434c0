"""Figures of merit, one pure function each, over aligned arrays and a mask. Lower is better for all of them here."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Bool, Float
from midas.errors import MidasError

DELTA1_THRESHOLD = 1.25


def abs_rel(prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"]) -> float:
    """Mean of |prediction - target| / target over valid pixels; both are depths in the same unit.

    Raises:
        MidasError: no valid pixel.
    """
    predicted, true = _valid(prediction, target, mask)
    return float(np.mean(np.abs(predicted - true) / true))


def delta1_outliers(prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"]) -> float:
    """Percentage of valid pixels with max(prediction / target, target / prediction) > 1.25 (MiDaS paper, section 6).

    The field mostly reports the share below the threshold; this is the share above it, in percent.

    Raises:
        MidasError: no valid pixel.
    """
    predicted, true = _valid(prediction, target, mask)
    ratio = np.maximum(predicted / true, true / predicted)
    return float(100.0 * np.mean(ratio > DELTA1_THRESHOLD))


def _valid(
    prediction: Float[Array, "*S"], target: Float[Array, "*S"], mask: Bool[Array, "*S"]
) -> tuple[Float[Array, " N"], Float[Array, " N"]]:
    if not mask.any():
        raise MidasError("a metric needs at least one valid pixel; the mask has none")
    return prediction[mask].astype(np.float64), target[mask].astype(np.float64)
