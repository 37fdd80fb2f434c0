"""Gauges: the scale and the shift that make one map of a film like another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from midas.arrays import Array, Float, Float32
from midas.video.flow import Motion, Sight, rescaled
from midas.video.odometry import Odometry
from midas.video.two_views import Pose

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
_GUESSED, _SURE, _REMEMBERED, _MOST_TURNED = 20.0, 400.0, 0.98, 3.0
_AS_RIGHT = 0.95
_ALIKE = 30  # points beside each other err alike


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
        spread: of the other map.
    """

    gauge: Gauge
    residual: float
    weight: float
    spread: float


def is_flat(values: Array) -> bool:
    """Whether a map shows nothing, as of a black frame."""
    return bool(values.std() <= _FLAT * max(float(np.abs(values).max()), _TINY))


class FitPoints(NamedTuple):
    """What of two maps goes into a fit: every sixth pixel of each axis, without the edges.

    Attributes:
        values: of the map that is fitted, where the things of the earlier one are now.
        above: of the earlier map, above its value of infinity.
        trust: from 0 to 1.
        ahead: by which factor that has grown by a step of the camera.
        growth: by which share it has grown besides, if all of the turning is seen.
        infinity: the earlier map's value of that.
    """

    values: Array
    above: Array
    trust: Array
    ahead: Array
    growth: Array
    infinity: float

    @classmethod
    def of(
        cls,
        values: Float32[Array, "h w"],
        earlier: Float32[Array, "h w"],
        motion: Motion,
        odometry: Odometry,
        pose: Pose | None,
    ) -> FitPoints:
        """Of a map and an earlier one, by the camera's motion between them, if that is known."""
        size = (earlier.shape[0], earlier.shape[1])
        grid = later = _grid(*size)
        pixels = (slice(_GRID_PX // 2, None, _GRID_PX),) * 2
        before, trust = earlier[pixels], motion.trust[pixels]
        if motion.sight is not None:
            later, trust = _followed(motion.sight, size, odometry.places(pose, grid, before, size))
        ahead, turned = odometry.nearer(pose, grid, later, before, size)
        seen, even = (
            cv2.remap(each, *later, kind, borderMode=cv2.BORDER_REPLICATE)
            for each, kind in ((values, cv2.INTER_LINEAR), (_even(values), cv2.INTER_NEAREST))
        )
        trust = trust * even * _even(earlier)[pixels]
        infinity = np.float32(odometry.infinity)
        return cls(seen, before - infinity, trust, ahead, turned - 1, odometry.infinity)

    def turned(self, share: float) -> Array:
        """What is expected where so much of the motion was turning."""
        grown = self.ahead * (1 + np.float32(share) * self.growth)
        return np.asarray(np.float32(self.infinity) + self.above * grown, np.float32)

    def fit(self, turned: float) -> Fit | None:
        """The gauge, with what a turning camera has added to the earlier map."""
        return fit(self.values, self.turned(turned), self.trust)


def _followed(
    sight: Sight, size: tuple[int, int], by_camera: tuple[Array, Array] | None
) -> tuple[tuple[Array, Array], Array]:
    """Where the points of the grid are in the later map, and how far that can be believed.

    Flow looks around each pixel: where there is little to see, on walls and floors, it goes where it likes, mostly not
    far enough, by a tenth of a pixel. The camera's motion knows better wherever the pictures are no less alike by it.
    """
    across, down = (sight.later.shape[axis] / size[axis] for axis in (1, 0))
    points = rescaled(_grid(*size), across, down)
    *later, returns = sight.followed(*points)
    trust = sight.alike(points, (later[0], later[1])) * returns
    if by_camera is not None:
        places = rescaled(by_camera, across, down)
        alike = sight.alike(points, places)
        takes = (alike > 0) & (alike >= _AS_RIGHT * trust)
        trust = np.where(takes, alike, trust)
        later = [np.where(takes, each, other) for each, other in zip(places, later, strict=True)]
    return rescaled((later[0], later[1]), 1 / across, 1 / down), trust


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> tuple[Array, Array]:
    """Columns and rows of every sixth pixel."""
    steps = (np.arange(_GRID_PX // 2, length, _GRID_PX, dtype=np.float32) for length in (width, height))
    columns, rows = np.meshgrid(*steps)
    return columns, rows


class Turning(NamedTuple):
    """How much of a camera's motion is turning, which changes the inverse depth of what stands still.

    One that turns makes things nearer by that count as they wander from the middle of the picture to its edge; one that
    moves sideways does not. A scale that had to stand for the difference would drift as long as the camera turns.
    Pictures hardly tell the two apart, maps do, over some frames.

    Attributes:
        seen: which share of ``FitPoints.growth`` is seen in the maps: about 1 for turning, 0 for moving before a flat
            world, as into a photograph.
        weight: what that rests on.
    """

    seen: float = 1.0
    weight: float = 0.0

    @property
    def share(self) -> float:
        """The share that is likely: where little is seen, that of a camera in somebody's hand, which turns."""
        return (self.weight * self.seen + _GUESSED) / (self.weight + _GUESSED)

    def seeing(self, points: FitPoints, found: Fit) -> tuple[Turning, float, float]:
        """With two more frames; what was seen long ago is forgotten.

        Args:
            points: of the frames.
            found: what they were fitted by, with the share as it was.

        Returns:
            This; and what the frames say of the value of infinity: information, and the slope of the errors over it.
        """
        left = (points.turned(self.share) - found.gauge.of(points.values)).ravel().astype(np.float64)
        values = points.values.ravel().astype(np.float64)
        usual = max(found.residual * found.spread, _TINY)
        weights = points.trust.ravel() / (1 + (left / (_OUTLIER * _NORMAL * usual)) ** 4)
        grown = 1 + self.share * points.growth
        by_share = (points.growth * points.above * points.ahead).ravel()
        by_infinity = (1 - grown * points.ahead**2).ravel()
        # Scale and shift have had what of it they could stand for.
        sides = np.stack([np.ones_like(values), values])
        normal = (sides * weights) @ sides.T + _TINY * np.eye(2)
        moves = np.stack([by_share, by_infinity])
        moves = moves - np.linalg.solve(normal, (sides * weights) @ moves.T).T @ sides
        weighted = moves * weights / (usual * _NORMAL) ** 2 / _ALIKE
        square, slope = weighted @ moves.T, weighted @ left
        together = square[0, 1] / (square[0, 0] + self.weight + _GUESSED)
        known = square[1, 1] - together * square[0, 1], slope[1] - together * slope[0]
        if square[0, 0] <= _TINY:
            return self, *known
        share = self.share - slope[0] / square[0, 0]
        weight, kept = square[0, 0], _REMEMBERED * self.weight
        turning = Turning(
            min(max((kept * self.seen + weight * share) / (kept + weight), 0.0), _MOST_TURNED),
            min(kept + weight, _SURE),
        )
        return turning, *known


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
    return Fit(Gauge(scale, mean_y - scale * mean_x), usual / spread_y, float(weights.sum()), spread_y)


def _moments(x: Array, y: Array, weights: Array) -> tuple[float, float, float, float]:
    share = weights / weights.sum()
    mean_x, mean_y = float(share @ x), float(share @ y)
    return mean_x, mean_y, float(share @ (x - mean_x) ** 2) ** 0.5, float(share @ (y - mean_y) ** 2) ** 0.5


def _even(values: Array) -> Array:
    """1 where a map isn't steep, else 0: there values change with the smallest error of the flow."""
    across, down = (cv2.Sobel(values, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    return (cv2.magnitude(across, down) <= _EDGE * max(float(values.std()), _TINY)).astype(np.float32)
