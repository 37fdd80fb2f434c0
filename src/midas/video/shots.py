"""What is kept of a shot from one frame to the next, and how its gauge stays near the network's own."""

from __future__ import annotations

import math
from typing import NamedTuple

from midas.arrays import Array
from midas.video.flow import Motion
from midas.video.gauges import Fit, FitPoints, Gauge, Turning
from midas.video.odometry import Odometry

_FAR_LOG_RANGE, _RETURN = 0.5, 0.2
_GRID_PX = 6
_RECENT_FRAMES = 5


class Key(NamedTuple):
    """A frame to which later ones are compared too: errors add up once per key frame, and not once per frame."""

    small: Array
    fused: Array
    age: int = 0


class Shot(NamedTuple):
    """What is kept of a shot from one frame to the next."""

    small: Array
    aligned: Array
    fused: Array
    gauge: Gauge
    key: Key
    odometry: Odometry
    usual_residual: float = 0.0
    doubt: float = 0.0  # how little the last fit says
    held: bool = False  # it said too little
    fits: float = 1.0  # the first frame, whose gauge is the network's own, is one
    mean_log_scale: float = 0.0
    mean_shift: float = 0.0
    recent_log_range: float = 0.0
    turning: Turning = Turning()

    def moving(self, motion: Motion) -> Shot:
        """With how the camera has moved to the next frame."""
        return self._replace(odometry=self.odometry.seeing(motion.sight, self.fused))

    def learning(self, points: FitPoints, found: Fit) -> Shot:
        """With what a fit says of the camera's turning, and of the maps' value of infinity."""
        turning, information, slope = self.turning.seeing(points, found)
        return self._replace(turning=turning, odometry=self.odometry.told(information, slope))

    def counting(self, gauge: Gauge, weight: float) -> Shot:
        """With the next frame's gauge, and that counted in the means, which are the network's own gauge in the film's.

        The network's own scale and shift are right in the long run, where errors of fits add up.
        """
        fits = self.fits + weight
        share = weight / fits
        return self._replace(
            gauge=gauge,
            fits=fits,
            mean_log_scale=self.mean_log_scale + share * (math.log(gauge.scale) - self.mean_log_scale),
            mean_shift=self.mean_shift + share * (gauge.shift - self.mean_shift),
        )

    def changed(self, more: Gauge) -> Shot:
        """With all that is kept in another gauge."""
        return self._replace(
            aligned=more.of(self.aligned),
            fused=more.of(self.fused),
            gauge=self.gauge.then(more),
            odometry=self.odometry.in_gauge(more.scale, more.shift),
        )

    def nearer_to_own(self, share: float) -> Shot:
        """With a gauge that has gone so far back to the network's own."""
        log_scale, shift = math.log(self.gauge.scale), self.gauge.shift
        log_scale += share * (self.mean_log_scale - log_scale)
        gauge = Gauge(math.exp(log_scale), shift + share * (self.mean_shift - shift))
        change = gauge.scale / self.gauge.scale
        odometry = self.odometry.in_gauge(change, gauge.shift - change * self.gauge.shift)
        return self._replace(gauge=gauge, odometry=odometry)

    def in_range(self, values: Array) -> Shot:
        """With a range that isn't far from that of the network's maps for long, where a shot has become another scene.

        A frame's own range wobbles. What is far by the wobble of single frames alone must stay: where the first frame's
        is unusual, each unusual one after it would take the film's range with it, always to the same side.

        Args:
            values: the frame's map as the network gives it.
        """
        points = (slice(None, None, _GRID_PX),) * 2
        fused = self.fused[points]
        own, spread = float(values[points].std()), float(fused.std())
        if self.held or not (own > 0 and spread > 0):
            return self
        recent = self.recent_log_range + (math.log(spread / own) - self.recent_log_range) / _RECENT_FRAMES
        far = max(0.0, abs(recent) - _FAR_LOG_RANGE)
        if far == 0:
            return self._replace(recent_log_range=recent)
        step = math.copysign(_RETURN * far, recent)
        scale, level = math.exp(-step), float(fused.mean())
        return self._replace(recent_log_range=recent - step).changed(Gauge(scale, (1 - scale) * level))
