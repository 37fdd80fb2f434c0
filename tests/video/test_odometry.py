"""Lens and infinity are learnt from a film as it goes; what looks like a walk and is none moves nothing."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
import pytest
from tests.video.moves import SIZE, Street, Turn, gauge_of

from midas.arrays import Array
from midas.video.flow import FlowFinder
from midas.video.odometry import Odometry


def followed(frames: list[tuple[Array, Array]]) -> Odometry:
    """What is known at the end of a film of pictures and their maps."""
    odometry = Odometry.beginning(frames[0][1])
    for (earlier, values), (later, _) in pairwise(frames):
        odometry = odometry.seeing(FlowFinder().motion(earlier, later).sight, values)
    return odometry


def test_a_turning_camera_tells_its_focal_length() -> None:
    odometry = followed([(picture, truth) for picture, truth, _ in Turn(40)])
    assert math.exp(odometry.log_focal) == pytest.approx(1.0, rel=0.05)
    assert odometry.walks < 0.1


@pytest.mark.parametrize("infinity", [-0.4, 0.0, 0.5])
def test_a_walk_tells_what_is_infinitely_far(infinity: float) -> None:
    frames = [(picture, truth + np.float32(infinity)) for picture, truth, _ in Street(30)]
    odometry = followed(frames)
    assert odometry.infinity == pytest.approx(infinity, abs=0.05)
    assert odometry.walks > 0.9


def test_a_film_that_begins_black_tells_as_much() -> None:
    street = [(picture, truth) for picture, truth, _ in Street(30)]
    black = [(np.zeros_like(picture), np.zeros_like(truth)) for picture, truth in street[:4]]
    odometry = followed(black + street)
    assert odometry.infinity == pytest.approx(0, abs=0.05)
    assert odometry.walks > 0.9


def test_in_maps_of_depth_nothing_is_sought() -> None:
    (first, truth, _), (second, _, _) = Street(2)
    odometry = Odometry.beginning(1 / truth, "metric").seeing(FlowFinder().motion(first, second).sight, 1 / truth)
    assert odometry.pose is None
    assert odometry.infinity == 0
    assert odometry.in_gauge(2.0, 0.5).infinity == 0.5


def test_a_zoom_into_a_photograph_is_no_walk() -> None:
    (picture, truth, _), *_ = Street(1)
    frames = []
    for number in range(30):
        matrix = cv2.getRotationMatrix2D((SIZE[1] / 2, SIZE[0] / 2), 0, 1 + 0.01 * number)
        frames.append([cv2.warpAffine(each, matrix, SIZE[::-1], flags=cv2.INTER_LINEAR) for each in (picture, truth)])
    odometry = followed([(one, other) for one, other in frames])
    assert odometry.walks < 0.1


def test_another_gauge_of_the_maps_is_another_gauge_of_what_is_known() -> None:
    frames = [(picture, truth) for picture, truth, _ in Street(6)]
    direct = followed([(picture, 2 * truth + np.float32(0.3)) for picture, truth in frames])
    turned = followed(frames).in_gauge(2.0, 0.3)
    assert turned.infinity == pytest.approx(direct.infinity, abs=1e-3)
    assert turned.pose is not None
    assert direct.pose is not None
    assert turned.pose.step == pytest.approx(direct.pose.step, rel=0.01, abs=1e-6)
    assert turned.information == pytest.approx(direct.information, rel=0.01)


def test_a_step_ahead_takes_points_to_where_their_map_says_and_makes_them_nearer() -> None:
    street = Street(12)
    *_, (_, before, _), (_, after, _) = street
    odometry = followed([(picture, truth) for picture, truth, _ in street])
    points = (np.array([100.0, 20.0], np.float32), np.array([135.0, 130.0], np.float32))
    values = before[points[1].astype(int), points[0].astype(int)]
    places = odometry.places(odometry.pose, points, values, SIZE)
    assert places is not None
    seen = after[places[1].round().astype(int), places[0].round().astype(int)]
    ahead, turned = odometry.nearer(odometry.pose, points, places, values, SIZE)
    grown = odometry.infinity + (values - odometry.infinity) * ahead
    assert seen == pytest.approx(grown, rel=0.02)
    assert turned == pytest.approx(1, abs=0.01)


def test_the_scale_of_maps_is_that_of_the_film_again_after_a_gauge_and_back() -> None:
    odometry = Odometry.beginning(np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20))
    there = odometry.in_gauge(1.5, -0.2)
    assert there.in_gauge(1 / 1.5, 0.2 / 1.5).infinity == pytest.approx(odometry.infinity)
    assert gauge_of(np.array([[0.0, 1.0]]) * 1.5 - 0.2, np.array([[0.0, 1.0]])) == pytest.approx((1.5, -0.2))
