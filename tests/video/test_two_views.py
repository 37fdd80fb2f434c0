"""The camera's motion between two pictures is found to some hundredths of a pixel, or there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tests.video.moves import Street

from midas.arrays import Array
from midas.video.flow import FlowFinder
from midas.video.two_views import Aligned, align

SIZE = (192, 256)
FOCAL = 220 / 256


def picture(seed: int = 0, blur_px: float = 3) -> Array:
    random = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(random.normal(size=(*SIZE, 3)).astype(np.float32), (0, 0), blur_px)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def some_map(seed: int = 0) -> Array:
    smooth = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=SIZE).astype(np.float32), (0, 0), 30)
    return np.asarray(0.5 + 0.2 * smooth / smooth.std(), np.float32)


def aligned(earlier: Array, later: Array, values: Array, focal: float = FOCAL, infinity: float = 0.0) -> Aligned | None:
    sight = FlowFinder().motion(earlier, later).sight
    assert sight is not None
    return align(sight, values, focal, infinity)


def warped(earlier: Array, matrix: Array) -> Array:
    """The picture by a homography from places in the later picture to those in the earlier one, in another light."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    later = cv2.warpPerspective(earlier, matrix, SIZE[::-1], flags=how, borderMode=cv2.BORDER_REFLECT)
    return np.clip(later * 0.9 + 10, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("angle_deg", [0.1, 0.5, 2.0])
def test_a_turn_is_found_to_a_twentieth_of_a_pixel_and_is_no_step(angle_deg: float) -> None:
    lens = np.array([[220.0, 0, 127.5], [0, 220, 95.5], [0, 0, 1]])
    turn = cv2.Rodrigues(np.radians([0.0, angle_deg, 0.0]))[0]
    found = aligned(picture(), warped(picture(), lens @ turn @ np.linalg.inv(lens)), some_map())
    assert found is not None
    assert np.abs(found.pose.rotation - turn.T).max() * 220 < 0.05
    assert np.abs(found.pose.step).max() < 1e-3
    assert abs(found.pose.zoom) < 1e-3


@pytest.mark.parametrize("share", [-0.01, 0.004, 0.02])
def test_a_zoom_into_a_photograph_is_no_step(share: float) -> None:
    """Nothing in it moves against anything else, whatever its map says."""
    matrix = cv2.getRotationMatrix2D((127.5, 95.5), 0, 1 + share)
    found = aligned(picture(), warped(picture(), np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))), some_map())
    assert found is not None
    assert found.pose.zoom == pytest.approx(share, abs=0.1 * abs(share))
    assert abs(found.pose.step[2]) < 0.1 * abs(share)


@pytest.mark.parametrize("infinity", [0.0, -0.3])
def test_a_step_ahead_is_found_whatever_scale_and_shift_a_map_has(infinity: float) -> None:
    street = Street(2, step_m=0.05)
    (earlier, inverse, _), (later, _, _) = street
    found = aligned(earlier, later, inverse + np.float32(infinity), street.focal, infinity)
    assert found is not None
    # Depth in metres becomes less by the step; the map has three units per inverse metre.
    assert found.pose.ahead == pytest.approx(-0.05 / 3, rel=0.1)
    # Where the lens may zoom as well, only what near things grow by more than far ones tells of it.
    assert found.pose.step[2] == pytest.approx(-0.05 / 3, rel=0.2)


def test_pictures_that_have_nothing_in_common_have_no_motion() -> None:
    assert aligned(picture(1), picture(2), some_map()) is None


def test_what_moves_by_itself_is_no_motion_of_the_camera() -> None:
    """Where half of the picture goes one way and half the other, neither is the camera's."""
    earlier, later = picture(1), picture(1)
    later[:, :128], later[:, 128:] = np.roll(earlier, 4, 1)[:, :128], np.roll(earlier, -4, 1)[:, 128:]
    assert aligned(earlier, later, some_map()) is None


@pytest.mark.parametrize("values", [np.zeros(SIZE, np.float32), some_map()])
def test_pictures_without_anything_to_see_have_no_motion(values: Array) -> None:
    black = np.zeros((*SIZE, 3), np.uint8)
    assert aligned(black, black, values) is None


def test_a_flat_map_tells_of_no_motion() -> None:
    assert aligned(picture(), picture(), np.ones(SIZE, np.float32)) is None


@pytest.mark.parametrize("period_px", [7, 40])
def test_stripes_move_a_camera_nowhere_along_them(period_px: int) -> None:
    waves = (127 + 100 * np.sin(2 * np.pi * np.arange(SIZE[0] + 1) / period_px)).astype(np.uint8)[:, None, None]
    stripes = np.ascontiguousarray(np.broadcast_to(waves, (len(waves), SIZE[1], 3)))
    found = aligned(stripes[:-1], stripes[1:], some_map())
    assert found is not None
    across_px = np.abs([found.pose.rotation[0, 2] * 220, found.pose.step[0] * 220 * some_map().max()])
    assert across_px.max() < 1
