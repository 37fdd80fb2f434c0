"""How the gauge of a shot stays near the network's own without following its wobble."""

from __future__ import annotations

import math

import numpy as np
import pytest

from midas.arrays import Array
from midas.video.gauges import Gauge
from midas.video.odometry import Odometry
from midas.video.shots import Key, Shot


def film_scales(own: Array, *, leak: float) -> Array:
    """Logarithm of the scale to the truth, where each fit is exact and only the pulls to the network's own gauge act.

    Args:
        own: logarithm of each frame's own scale to the truth.
        leak: share per frame.
    """
    truth = np.random.default_rng(0).uniform(0.2, 1, (48, 48)).astype(np.float32)
    first = np.float32(math.exp(own[0])) * truth
    shot, scales = Shot(truth, first, first, Gauge(), Key(truth, first), Odometry.beginning(first)), [float(own[0])]
    for each in own[1:]:
        values = np.float32(math.exp(each)) * truth
        shot = shot.counting(Gauge(math.exp(scales[-1] - float(each))), 1.0).nearer_to_own(leak)
        shot = shot._replace(aligned=shot.gauge.of(values), fused=shot.gauge.of(values)).in_range(values)
        scales.append(math.log(shot.gauge.scale) + float(each))
    return np.array(scales)


@pytest.mark.parametrize("first", [-0.3, -0.2, 0.0, 0.2, 0.3])
def test_a_first_frame_of_unusual_scale_takes_the_film_nowhere(first: float) -> None:
    """A bound on the scale of single frames would take 0.24 down by 0.09 in 300 frames."""
    own = np.random.default_rng(3).normal(0, 0.12, 300)
    own[0] = first
    assert film_scales(own, leak=0.0).std() < 1e-6
    assert film_scales(own, leak=0.004).std() < 0.06 * own.std()


def test_a_shot_that_has_become_another_scene_comes_near_to_the_networks_range() -> None:
    own = np.random.default_rng(4).normal(0, 0.05, 200)
    own[60:] += 1.0
    away = film_scales(own, leak=0.0) - np.where(np.arange(200) < 60, 0.0, 1.0)
    assert np.abs(away[:60]).max() < 0.15
    assert np.abs(away[90:]).max() < 0.6
