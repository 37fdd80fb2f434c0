"""Gauges: the scale and the shift that make one map of a film like another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from midas.arrays import Array, Float, Float32

_GRID_PX = 6  # every sixth pixel of a row and of a column goes into a fit
_NORMAL = 1.4826  # standard deviations per median absolute deviation
_OUTLIER = 4.0  # standard deviations
_ITERATIONS = 4
_LEAST_WEIGHT = 0.05  # share of the points
_LEAST_POINTS = 8
_BELIEVED = 0.1
_EDGE = 0.08  # of the spread, per pixel: values on an edge change with the smallest motion
_FLAT = 1e-3
_TINY = 1e-12
_EXACT = 1e-6


@dataclass(frozen=True)
class Gauge:
    """What makes a network's map part of a film: ``scale * map + shift``.

    Attributes:
        scale: factor.
        shift: added then, in the map's unit.
    """

    scale: float = 1.0
    shift: float = 0.0

    def of(self, values: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
        """The map in the film's scale and shift."""
        return np.float32(self.scale) * values + np.float32(self.shift)

    def then(self, more: Gauge) -> Gauge:
        """Both, one after the other."""
        return Gauge(more.scale * self.scale, more.scale * self.shift + more.shift)

    def share(self, share: float, level: float) -> Gauge:
        """A part of it, from 0 (nothing) to 1 (all), which takes the value ``level`` as far as it takes the scale."""
        scale: float = self.scale**share
        there = level + share * (self.scale * level + self.shift - level)
        return Gauge(scale, there - scale * level)


class Fit(NamedTuple):
    """How one map becomes the other.

    Attributes:
        gauge: by the ratio of the spreads.
        residual: median distance of the points from it, relative to the spread.
        weight: sum of the weights of the points.
    """

    gauge: Gauge
    residual: float
    weight: float


def is_flat(values: Array) -> bool:
    """Whether a map shows nothing, as of a black frame."""
    return bool(values.std() <= _FLAT * max(float(np.abs(values).max()), _TINY))


def fit_points(values: Array, expected: Array, trust: Array) -> tuple[Array, Array, Array]:
    """What of two maps goes into a fit: every sixth pixel of each axis, without the edges."""
    points = (slice(_GRID_PX // 2, None, _GRID_PX),) * 2
    return values[points], expected[points], trust[points] * ~_on_edge(expected, points)


def fit(values: Float32[Array, "h w"], expected: Float32[Array, "h w"], trust: Float[Array, "h w"]) -> Fit | None:
    """The gauge that makes ``values`` like ``expected``; None where they hold too little to tell.

    The line through the means whose slope is the ratio of the spreads (reduced major axis), with weights that fall only
    from four standard deviations on. Weights that follow ordinary noise, as Huber's, differ from frame to frame; then
    the errors of a chain of fits no longer cancel where all frames show the same, and add up.
    """
    x, y, trusted = (each.ravel().astype(np.float64) for each in (values, expected, trust))
    believed = trusted > _BELIEVED
    if trusted.sum() < max(_LEAST_WEIGHT * trusted.size, _LEAST_POINTS) or not believed.any():
        return None
    weights, usual = trusted, 0.0
    for _ in range(_ITERATIONS):
        mean_x, mean_y, spread_x, spread_y = _moments(x, y, weights)
        if spread_x <= _FLAT * np.ptp(x) or spread_y <= _FLAT * np.ptp(y):
            return None
        scale = spread_y / spread_x
        distance = np.abs(y - mean_y - scale * (x - mean_x))
        # Frames that repeat the one before fit exactly; a bound of nothing would leave no weight.
        usual = max(float(np.median(distance[believed])), _EXACT * spread_y)
        weights = trusted / (1 + (distance / (_OUTLIER * _NORMAL * usual)) ** 4)
    return Fit(Gauge(scale, mean_y - scale * mean_x), usual / spread_y, float(weights.sum()))


def _moments(x: Array, y: Array, weights: Array) -> tuple[float, float, float, float]:
    share = weights / weights.sum()
    mean_x, mean_y = float(share @ x), float(share @ y)
    return mean_x, mean_y, float(share @ (x - mean_x) ** 2) ** 0.5, float(share @ (y - mean_y) ** 2) ** 0.5


def _on_edge(values: Array, points: tuple[slice, slice]) -> Array:
    """Where a map is steep: there values change with the smallest error of the flow."""
    across, down = (cv2.Sobel(values, cv2.CV_32F, *axis, scale=1 / 8)[points] for axis in ((1, 0), (0, 1)))
    found: Array = np.hypot(across, down) > _EDGE * max(float(values.std()), _TINY)
    return found
