"""Scale and shift of all frames of a film at once: what neighbours, near and less near, say of each other.

Frame by frame, errors of the fits add up, however slowly. Here each frame is tied to those 1, 10 and 25 frames before
it, each tie gives the ratio of two scales and a difference of two shifts, and all of a shot are solved together, by
least squares. The ratios are those of robust spreads, and what is solved for is the logarithm of the scale, so that
nothing draws the scales to nothing; their mean is fixed to that of the network, to which each is drawn a little too.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from midas.arrays import Array, Float32, Float64, UInt8
from midas.maps.kinds import RELATIVE_DISPARITY, Kind
from midas.video.flow import FlowFinder, Motion
from midas.video.gauges import Fit, FitPoints, Gauge, Turning
from midas.video.odometry import Odometry
from midas.video.steady import small_picture

DISTANCES = (1, 10, 25)
# What a frame's own scale and shift, as the network gives them, count beside a tie. Ties that are all a little wrong
# in one direction, as where the camera turns or walks, would else add up over the film.
_OWN = 0.03


@dataclass(frozen=True)
class Tie:
    """What two frames say of each other.

    Attributes:
        earlier, later: their numbers.
        log_ratio: logarithm of the later one's scale over the earlier one's.
        shift: what has then to be added to the later map, in the earlier one's unit.
        weight: how far it can be believed.
    """

    earlier: int
    later: int
    log_ratio: float
    shift: float
    weight: float


class _Seen(NamedTuple):
    """A frame of late, with what is known of lens and infinity in its own map's scale and shift."""

    number: int
    small: Array
    values: Array
    odometry: Odometry


class JointGauges:
    """Collects ties while a film is read for the first time, and solves them at its end.

    Args:
        kind: what the maps' values are.
    """

    def __init__(self, kind: Kind = RELATIVE_DISPARITY) -> None:
        self._kind = kind
        self._flow = FlowFinder()
        self._recent: deque[_Seen] = deque(maxlen=max(DISTANCES))
        self._ties: list[Tie] = []
        self._shots: list[int] = []
        self._turning = Turning()
        self._count = 0

    def add(self, picture: UInt8[Array, "H W 3"], values: Float32[Array, "h w"], *, is_cut: bool) -> None:
        """Take the next frame and its map, as the network gives it."""
        small = small_picture(picture, values.shape)
        last = self._recent[-1] if self._recent else None
        if is_cut or last is None or last.small.shape != small.shape or last.values.shape != values.shape:
            self._shots.append(self._count)
            self._recent.clear()
            self._turning = Turning()
        for earlier in self._recent:
            if self._count - earlier.number in DISTANCES[1:]:
                self._tie(earlier, small, values)
        odometry = (
            self._follow(self._recent[-1], small, values) if self._recent else Odometry.beginning(values, self._kind)
        )
        self._recent.append(_Seen(self._count, small, values, odometry))
        self._count += 1

    def solved(self) -> list[Gauge]:
        """Scale and shift for each frame."""
        gauges: list[Gauge] = []
        for first, end in zip(self._shots, [*self._shots[1:], self._count], strict=True):
            ties = [tie for tie in self._ties if first <= tie.earlier < end]
            gauges += _solved_shot(ties, first, end - first)
        return gauges

    def _follow(self, last: _Seen, small: Array, values: Array) -> Odometry:
        """Tie a frame to the last one; what is then known of lens and infinity, in its own map's scale and shift."""
        motion = self._motion(last, small)
        known = last.odometry.seeing(motion.sight, last.values)
        points = FitPoints.of(values, last.values, motion, known, known.pose)
        found = self._tied(last, points)
        if found is None:
            return known
        self._turning, information, slope = self._turning.seeing(points, found)
        gauge = found.gauge
        return known.told(information, slope).in_gauge(1 / gauge.scale, -gauge.shift / gauge.scale)

    def _tie(self, earlier: _Seen, small: Array, values: Array) -> None:
        motion = self._motion(earlier, small)
        pose = earlier.odometry.between(motion.sight, earlier.values)
        points = FitPoints.of(values, earlier.values, motion, earlier.odometry, pose)
        found = self._tied(earlier, points) if earlier.odometry.tells(pose) else None
        if found is not None:
            self._turning, _, _ = self._turning.seeing(points, found)

    def _motion(self, earlier: _Seen, small: Array) -> Motion:
        return self._flow.motion(earlier.small, small).at_size((earlier.values.shape[0], earlier.values.shape[1]))

    def _tied(self, earlier: _Seen, points: FitPoints) -> Fit | None:
        found = points.fit(self._turning.share)
        if found is not None:
            weight = found.weight / (1e-3 + found.residual)
            gauge = found.gauge
            self._ties.append(Tie(earlier.number, self._count, math.log(gauge.scale), gauge.shift, weight))
        return found


def _solved_shot(ties: list[Tie], first: int, count: int) -> list[Gauge]:
    if not ties:
        return [Gauge()] * count
    earlier = np.array([tie.earlier - first for tie in ties])
    later = np.array([tie.later - first for tie in ties])
    weights = np.array([tie.weight for tie in ties])
    weights /= weights.mean()
    log_scales = _differences_solved(earlier, later, np.array([tie.log_ratio for tie in ties]), weights, count)
    log_scales -= log_scales.mean()
    scales = np.exp(log_scales)
    # earlier map ≈ ratio * later map + shift, and both times their own scale, plus their own shift, are to agree.
    differences = scales[earlier] * np.array([tie.shift for tie in ties])
    shifts = _differences_solved(earlier, later, differences, weights * scales.mean(), count)
    shifts -= shifts.mean()
    return [Gauge(float(scale), float(shift)) for scale, shift in zip(scales, shifts, strict=True)]


def _differences_solved(
    earlier: Array, later: Array, differences: Float64[Array, " N"], weights: Float64[Array, " N"], count: int
) -> Float64[Array, " C"]:
    """The numbers whose differences, later minus earlier, come nearest to those given: banded normal equations."""
    width = max(DISTANCES)
    band = np.zeros((count, width + 1))  # row i holds the entries (i, i), (i, i + 1) … of the symmetric matrix
    right = np.zeros(count)
    band[:, 0] = _OWN
    np.add.at(band[:, 0], earlier, weights)
    np.add.at(band[:, 0], later, weights)
    np.subtract.at(band, (earlier, later - earlier), weights)
    np.add.at(right, later, weights * differences)
    np.subtract.at(right, earlier, weights * differences)
    return _solve_banded(band, right)


def _solve_banded(band: Float64[Array, "C W"], right: Float64[Array, " C"]) -> Float64[Array, " C"]:
    """Cholesky's factorisation of a symmetric positive matrix with few diagonals, and both substitutions."""
    count, width = band.shape
    rows = band.copy()
    for i in range(count):
        rows[i] /= math.sqrt(rows[i, 0])
        for step in range(1, min(width, count - i)):
            rows[i + step, : width - step] -= rows[i, step] * rows[i, step:]
    forward = right.copy()
    for i in range(count):
        forward[i] /= rows[i, 0]
        end = min(width, count - i)
        forward[i + 1 : i + end] -= rows[i, 1:end] * forward[i]
    for i in range(count - 1, -1, -1):
        end = min(width, count - i)
        forward[i] = (forward[i] - rows[i, 1:end] @ forward[i + 1 : i + end]) / rows[i, 0]
    return forward
