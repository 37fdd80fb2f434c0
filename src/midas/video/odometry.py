"""What a film says of its camera, frame by frame: how it moves, through which lens, and what is infinitely far.

What comes nearer grows in true maps, most where it is nearest, and what a turning camera takes to the picture's edge
does a little. No comparison of two maps tells that from a change of scale, but the pictures do: things shift against
each other by their inverse depth. Two numbers are the film's and not the frame's, and are learnt as it goes: the focal
length, and which value of the maps is infinitely far.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from midas.arrays import Array, Float32, Float64
from midas.maps.kinds import INVERSE, RELATIVE_DISPARITY, Kind
from midas.video.flow import Sight
from midas.video.two_views import LEAST_DEPTH, Aligned, Pose, align, range_of

_FOCAL, _FOCAL_SPREAD = 0.87, 0.35  # of the longer side: 60 degrees over it; of the logarithm
_LEAST_FOCAL, _MOST_FOCAL = 0.35, 4.0
_BELOW, _BELOW_SPREAD, _MOST_BELOW = 0.15, 0.3, 1.5  # infinity below the farthest thing in sight, of the map's range
_KEPT = 0.99  # of what is known, per frame
_FRAMES, _NO_STEP = 25, 1e-3  # a camera that goes nowhere seems to by less than that per frame
_STANDS, _WALKS = 1e-3, 0.5  # of ``Odometry.walks``
# Ratios of the two steps: walks came to 0.6 and more, zooms into photographs to 0.3 and less.
_RECENT, _PARALLAX, _SHARPNESS, _LEAST_SQUARE = 0.96, 0.42, 8, 1e-5
_FINEST = 5e-3  # of the bounds of infinity
_FLAT = 1e3  # a range by which nothing is known of infinity


class Odometry(NamedTuple):
    """What is known of a film's lens and of its maps, and the last motion of its camera.

    Attributes:
        log_focal: logarithm of the focal length over the longer side.
        infinity: the maps' value of what is infinitely far.
        information: of both, the inverse of their covariance.
        bounds: of infinity.
        pose: the last motion; None if it isn't known.
        ahead: mean step ahead per frame, of late, as a share of the nearest thing's depth.
        inverse: whether the maps are of inverse kinds. In others the camera's motion isn't sought, and ``infinity`` is
            the value of the depth of nothing.
        together, alone: sums over the frames of late: of the step ahead for a lens that may zoom times that for one
            that doesn't, and of the latter's square.
    """

    log_focal: float
    infinity: float
    information: Float64[Array, "2 2"]
    bounds: tuple[float, float]
    inverse: bool = True
    pose: Pose | None = None
    ahead: float = 0.0
    together: float = 0.0
    alone: float = 0.0

    @classmethod
    def beginning(cls, values: Float32[Array, "h w"], kind: Kind = RELATIVE_DISPARITY) -> Odometry:
        """At the first frame of a shot, by its map: a usual lens, and infinity a little below the farthest thing."""
        if kind not in INVERSE:
            return cls(math.log(_FOCAL), 0.0, _beforehand(0.0), (0.0, 0.0), inverse=False)
        low, spread = range_of(values)
        return cls(math.log(_FOCAL), low - _BELOW * spread, _beforehand(spread), _bounds(low, spread))

    def in_gauge(self, scale: float, shift: float) -> Odometry:
        """The same of maps in another scale and shift."""
        scales = np.diag([1.0, 1 / scale])
        low, high = (scale * each + shift for each in self.bounds)
        return self._replace(
            infinity=scale * self.infinity + shift,
            information=scales @ self.information @ scales,
            bounds=(low, high),
            pose=None if self.pose is None else self.pose.rescaled(scale),
        )

    def seeing(self, sight: Sight | None, values: Float32[Array, "h w"]) -> Odometry:
        """With two more frames.

        Args:
            sight: their pictures; None where there are none.
            values: the map of the earlier one.
        """
        if not self.inverse:
            return self
        low, spread = range_of(values)
        here = self._replace(bounds=_bounds(low, spread))
        found = self._aligned(sight, values)
        if found is None:
            return here._replace(pose=None, ahead=(1 - 1 / _FRAMES) * self.ahead)
        pose, step = found.pose, found.pose.ahead * spread
        here = here._replace(
            pose=pose,
            ahead=self.ahead + (step - self.ahead) / _FRAMES,
            together=_RECENT * self.together + pose.step[2] * spread * step,
            alone=_RECENT * self.alone + step**2,
            information=_KEPT * self.information + (1 - _KEPT) * _beforehand(spread),
        )
        return here._learning(found.information, found.slope)

    def told(self, information: float, slope: float) -> Odometry:
        """With what maps say of their value of infinity: information, and the slope of their errors over it."""
        if not self.inverse:
            return self
        return self._learning(np.diag([0.0, max(information, 0.0)]), np.array([0.0, slope]))

    def between(self, sight: Sight | None, values: Float32[Array, "h w"]) -> Pose | None:
        """The motion between two frames by what is known by now; None if it can't be told."""
        found = self._aligned(sight, values)
        return None if found is None else found.pose

    @property
    def parallax(self) -> float:
        """From 0 to 1, how surely near things grow more than far ones, as they don't where a lens zooms.

        Whether the lens zooms or not is the same then: a ratio of 1 of the two steps; 0 for a zoom into a photograph.
        """
        seen = max(self.together / (self.alone + _LEAST_SQUARE), 0.0) ** _SHARPNESS
        return float(seen / (seen + _PARALLAX**_SHARPNESS))

    @property
    def walks(self) -> float:
        """From 0 to 1, how surely the camera goes ahead or back, and doesn't seem to by small errors that add up."""
        return self.parallax * self.ahead**4 / (self.ahead**4 + _NO_STEP**4)

    def tells(self, pose: Pose | None) -> bool:
        """Whether frames that lie apart can be compared: by the motion between them, or while nobody walks."""
        return pose is not None or self.walks < _WALKS

    def places(
        self, pose: Pose | None, points: tuple[Array, Array], values: Array, size: tuple[int, int]
    ) -> tuple[Array, Array] | None:
        """Columns and rows to which points of an earlier map have moved; None where the motion isn't known.

        Args:
            pose: the motion.
            points: columns and rows.
            values: the map's at the points.
            size: height and width of the map.
        """
        if pose is None:
            return None
        above, rays = values - np.float32(self.infinity), self._rays(points, size)
        there = [_turned(pose, axis, rays) + np.float32(pose.step[axis]) * above for axis in range(3)]
        zoomed = self._focal_px(size) * np.float32(1 + pose.zoom) / np.maximum(there[2], np.float32(LEAST_DEPTH))
        across, down = (there[axis] * zoomed + middle for axis, middle in enumerate(_middle(size)))
        return across, down

    def nearer(
        self,
        pose: Pose | None,
        points: tuple[Array, Array],
        later: tuple[Array, Array],
        values: Array,
        size: tuple[int, int],
    ) -> tuple[Array, Array]:
        """By which factor what is above infinity grows in a map: by the camera's step, and by its turning.

        Args:
            pose: the motion; None if it isn't known: then it is taken for a turn that the places say.
            points: columns and rows in the earlier map.
            later: those in the later one.
            values: the earlier map's at the points.
            size: height and width of both.
        """
        across, down = self._rays(points, size)
        if pose is None:
            # A thing at the distance r, seen at p from the middle, has the inverse depth sqrt(f² + p²) / (f r).
            later_across, later_down = self._rays(later, size)
            grown = np.sqrt((1 + later_across**2 + later_down**2) / (1 + across**2 + down**2))
            return np.ones_like(grown), grown if self.inverse else 1 / grown
        turned = np.maximum(_turned(pose, 2, (across, down)), np.float32(LEAST_DEPTH))
        if self.walks < _STANDS:
            return np.ones((), np.float32), 1 / turned
        ahead = np.float32(self.walks * pose.ahead) * (values - np.float32(self.infinity)) / turned
        return 1 / np.maximum(1 + ahead, np.float32(LEAST_DEPTH)), 1 / turned

    def carried(
        self, earlier: Float32[Array, "h w"], places: tuple[Array, Array], turning: float
    ) -> Float32[Array, "h w"]:
        """A map of the frame before, moved to where its things are now, with what they have come nearer by.

        Args:
            earlier: the map.
            places: where each pixel was.
            turning: how much of the camera's turning is seen in the maps.
        """
        size = (earlier.shape[0], earlier.shape[1])
        ahead, turned = self.nearer(self.pose, places, _all(*size), earlier, size)
        infinity = np.float32(self.infinity)
        grown = ahead * (1 + np.float32(turning) * (turned - 1))
        return np.asarray(infinity + (earlier - infinity) * grown, np.float32)

    def _aligned(self, sight: Sight | None, values: Float32[Array, "h w"]) -> Aligned | None:
        if sight is None or not self.inverse:
            return None
        return align(sight, values, math.exp(self.log_focal), self.infinity)

    def _learning(self, information: Float64[Array, "2 2"], slope: Float64[Array, " 2"]) -> Odometry:
        """With more information on focal length and infinity; on the latter as far as it isn't a zoom's."""
        shares = np.array([1.0, math.sqrt(self.parallax)])
        known = self.information + np.outer(shares, shares) * information
        change = np.linalg.solve(known, shares * slope)
        log_focal = min(max(self.log_focal - change[0], math.log(_LEAST_FOCAL)), math.log(_MOST_FOCAL))
        infinity = min(max(self.infinity - change[1], self.bounds[0]), self.bounds[1])
        # Maps err alike over many frames: nothing is known of infinity to less than a share of their range.
        least = _FINEST * (self.bounds[1] - self.bounds[0])
        sides = np.array([1.0, 1 / max(1.0, least * math.sqrt(known[1, 1]))])
        return self._replace(log_focal=log_focal, infinity=infinity, information=np.outer(sides, sides) * known)

    def _focal_px(self, size: tuple[int, int]) -> np.float32:
        return np.float32(math.exp(self.log_focal) * max(size))

    def _rays(self, points: tuple[Array, Array], size: tuple[int, int]) -> tuple[Array, Array]:
        """How far points are from the middle, in focal lengths."""
        across, down = (
            (each - middle) / self._focal_px(size) for each, middle in zip(points, _middle(size), strict=True)
        )
        return across, down


def _beforehand(spread: float) -> Float64[Array, "2 2"]:
    """What is known of focal length and infinity before anything was seen: of infinity nothing by a flat map."""
    return np.diag([_FOCAL_SPREAD**-2, (_BELOW_SPREAD * spread if spread > 0 else _FLAT) ** -2])


def _bounds(low: float, spread: float) -> tuple[float, float]:
    return low - _MOST_BELOW * spread, low


def _middle(size: tuple[int, int]) -> tuple[np.float32, np.float32]:
    return np.float32((size[1] - 1) / 2), np.float32((size[0] - 1) / 2)


def _turned(pose: Pose, axis: int, rays: tuple[Array, Array]) -> Array:
    across, down, depth = np.asarray(pose.rotation[axis], np.float32)
    return np.asarray(across * rays[0] + down * rays[1] + depth)


@lru_cache(maxsize=4)
def _all(height: int, width: int) -> tuple[Array, Array]:
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return columns, rows
