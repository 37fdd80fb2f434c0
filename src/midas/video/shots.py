"""What is kept of a shot from one frame to the next, and how its gauge stays near the network's own."""

from __future__ import annotations

import math
from typing import NamedTuple

from midas.arrays import Array
from midas.video.gauges import Gauge

_FAR_LOG_SCALE, _RETURN = 0.35, 0.2


class Key(NamedTuple):
    """A frame to which later ones are compared too: errors add up once per key frame, and not once per frame."""

    small: Array
    aligned: Array
    age: int = 0


class Shot(NamedTuple):
    """What is kept of a shot from one frame to the next."""

    small: Array
    aligned: Array
    fused: Array
    gauge: Gauge
    key: Key
    usual_residual: float = 0.0
    doubt: float = 0.0  # how little the last fit says
    held: bool = False  # it said too little
    fits: float = 1.0  # the first frame, whose gauge is the network's own, is one
    mean_log_scale: float = 0.0
    mean_shift: float = 0.0

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

    def nearer_to_own(self, share: float) -> Shot:
        """With a gauge that has gone so far back to the network's own."""
        log_scale, shift = math.log(self.gauge.scale), self.gauge.shift
        log_scale += share * (self.mean_log_scale - log_scale)
        return self._replace(gauge=Gauge(math.exp(log_scale), shift + share * (self.mean_shift - shift)))

    def not_far(self, level: float) -> Shot:
        """With a scale that isn't far from the network's, where a shot has become another scene.

        Args:
            level: value of the frame's map that stays as it is.
        """
        log_scale = math.log(self.gauge.scale)
        far = max(0.0, abs(log_scale) - _FAR_LOG_SCALE)
        scale = math.exp(log_scale - math.copysign(_RETURN * far, log_scale))
        return self._replace(gauge=Gauge(scale, self.gauge.shift + (self.gauge.scale - scale) * level))
