"""The unknown shift: no shift bends a plane, right angles tell it, and what is assumed is called so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from midas.alignment import Alignment
from midas.errors import AlignmentError, ConfigError
from midas.geometry import Anchor, anchor_from_right_angles, assumed_anchor, find_anchor, point_cloud
from midas.geometry.planes import find_planes
from midas.maps.depth_map import DepthMap

from .box_rooms import box_room


def flatness(points: np.ndarray) -> float:
    """Largest distance from the best plane, as a share of the patch's size."""
    middle = points - points.mean(axis=0)
    normal = np.linalg.svd(middle, full_matrices=False)[2][2]
    return float(np.abs(middle @ normal).max() / np.ptp(middle, axis=0).max())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ratio", [2.0, 10.0, 60.0])
def test_walls_are_flat_to_a_fifth_of_a_percent_whatever_the_shift(seed: int, ratio: float) -> None:
    room = box_room(seed)
    anchor = assumed_anchor(room.disparity, ratio)
    cloud = point_cloud(room.disparity, room.camera, anchor, max_jump=None)
    # Nothing within the limit of what is too far was moved.
    assert len(cloud) == room.disparity.size
    points = cloud.points.reshape(*room.disparity.shape, 3).astype(np.float64)
    surfaces, counts = np.unique(room.surface, return_counts=True)
    near = room.inverse_depth > np.percentile(room.inverse_depth, 2)
    for surface in surfaces[counts > 2000]:
        assert flatness(points[(room.surface == surface) & near]) < 0.002


def test_right_angles_come_out_right_in_eight_of_ten_rooms() -> None:
    right = 0
    for seed in range(10):
        room = box_room(seed)
        zero = _zero(anchor_from_right_angles(room.disparity, room.camera))
        true = np.polyfit(room.disparity.ravel().astype(float), room.inverse_depth.ravel().astype(float), 1)
        planes = find_planes(room.disparity, room.camera)
        pairs = list(itertools.combinations(planes, 2))
        square = [
            pair for pair in pairs if abs(pair[0].normal(true[1] / true[0]) @ pair[1].normal(true[1] / true[0])) < 0.1
        ]
        angles = [np.degrees(np.arccos(one.normal(zero) @ other.normal(zero))) for one, other in square]
        right += bool(angles) and bool(np.abs(np.array(angles) - 90).max() < 3)
    assert right >= 8


def _zero(anchor: Anchor) -> float:
    return anchor.alignment.shift / anchor.alignment.scale


def test_noise_in_the_map_moves_right_angles_by_little() -> None:
    room = box_room(4)
    noise = np.random.default_rng(0).normal(0, 0.002 * np.ptp(room.disparity), room.disparity.shape)
    clean = anchor_from_right_angles(room.disparity, room.camera)
    noisy = anchor_from_right_angles((room.disparity + noise).astype(np.float32), room.camera)
    assert _zero(noisy) == pytest.approx(_zero(clean), rel=0.05)


def test_a_picture_without_planes_has_no_right_angles() -> None:
    room, rng = box_room(0), np.random.default_rng(1)
    with pytest.raises(AlignmentError, match="no right angles"):
        anchor_from_right_angles(rng.random(room.disparity.shape, np.float32), room.camera)


def test_what_is_assumed_is_called_so_and_has_the_ratio() -> None:
    room = box_room(2)
    anchor = find_anchor(room.disparity)
    assert (anchor.found, anchor.unit) == ("assumed", "arbitrary")
    depth = 1 / anchor.inverse_depth(np.percentile(room.disparity, (1, 99)).astype(np.float32)[None])
    assert depth[0, 0] / depth[0, 1] == pytest.approx(10, rel=1e-3)
    assert depth[0, 1] == pytest.approx(1, rel=1e-3)


def test_known_points_give_metres_exactly() -> None:
    room = box_room(3)
    places = [(40, 50), (200, 160), (120, 300)]
    points = [(row, column, float(1 / room.inverse_depth[row, column])) for row, column in places]
    anchor = find_anchor(room.disparity, points=points)
    assert (anchor.found, anchor.unit) == ("points", "metre")
    np.testing.assert_allclose(anchor.inverse_depth(room.disparity), room.inverse_depth, rtol=1e-3)


def test_near_and_far_are_stated_together_and_alone() -> None:
    room = box_room(0)
    with pytest.raises(ConfigError, match="together"):
        find_anchor(room.disparity, near_m=1.0)
    with pytest.raises(ConfigError, match="exclude"):
        find_anchor(room.disparity, near_m=1.0, far_m=2.0, ratio=3.0)


def test_points_that_exchange_near_and_far_are_refused() -> None:
    room = box_room(3)
    row, column = np.unravel_index(room.disparity.argmax(), room.disparity.shape)
    far_row, far_column = np.unravel_index(room.disparity.argmin(), room.disparity.shape)
    with pytest.raises(AlignmentError, match="near things far"):
        find_anchor(room.disparity, points=[(int(row), int(column), 9.0), (int(far_row), int(far_column), 1.0)])


def test_a_map_in_metres_needs_no_anchor_and_takes_none() -> None:
    room = box_room(1)
    depth = DepthMap((1 / room.inverse_depth).astype(np.float32), kind="metric")
    cloud = depth.cloud(room.camera, max_jump=None)
    np.testing.assert_allclose(cloud.points[:, 2], depth.values.ravel(), rtol=1e-5)
    assert cloud.facts["unit"] == "metre"
    with pytest.raises(AlignmentError, match="depth already"):
        depth.cloud(room.camera, anchor=Anchor(Alignment(1.0, 0.0), "stated", True))
