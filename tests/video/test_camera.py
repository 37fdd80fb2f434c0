"""The motion of a whole picture is found to some hundredths of a pixel, or there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from midas.arrays import Array
from midas.video.camera import places_by, whole_motion
from midas.video.flow import FlowFinder

SIZE = (192, 256)


def picture(seed: int = 0, blur_px: float = 3) -> Array:
    random = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(random.normal(size=(*SIZE, 3)).astype(np.float32), (0, 0), blur_px)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def turned(angle_deg: float) -> Array:
    """From places in the later picture to those in the earlier one, of a camera that has turned to the right."""
    lens = np.array([[220.0, 0, 127.5], [0, 220, 95.5], [0, 0, 1]])
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.asarray(lens @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]) @ np.linalg.inv(lens))


def found(earlier: Array, later: Array) -> Array | None:
    motion = FlowFinder().motion(earlier, later)
    grey = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (earlier, later)]
    return whole_motion(np.stack([motion.columns_px, motion.rows_px], -1), motion.trust > 0.5, *grey)


@pytest.mark.parametrize("angle_deg", [0.1, 0.5, 2.0])
def test_a_turn_is_found_to_a_twentieth_of_a_pixel(angle_deg: float) -> None:
    earlier, true = picture(), turned(angle_deg)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    later = cv2.warpPerspective(earlier, true, SIZE[::-1], flags=how, borderMode=cv2.BORDER_REFLECT)
    brighter = np.clip(later * 0.9 + 10, 0, 255).astype(np.uint8)
    camera = found(earlier, brighter)
    assert camera is not None
    errors = np.hypot(*(one - other for one, other in zip(places_by(camera, SIZE), places_by(true, SIZE), strict=True)))
    assert np.median(errors) < 0.05


def test_pictures_that_have_nothing_in_common_have_no_motion() -> None:
    assert found(picture(1), picture(2)) is None


@pytest.mark.parametrize("period_px", [7, 40])
def test_stripes_move_a_camera_nowhere_along_them(period_px: int) -> None:
    rows = np.arange(SIZE[0] + 1)
    waves = (127 + 100 * np.sin(2 * np.pi * rows / period_px)).astype(np.uint8)[:, None, None]
    stripes = np.broadcast_to(waves, (len(rows), SIZE[1], 3))
    camera = found(np.ascontiguousarray(stripes[:-1]), np.ascontiguousarray(stripes[1:]))
    assert camera is None or np.abs(places_by(camera, SIZE)[0] - np.arange(SIZE[1])).max() < 1


def test_pictures_without_anything_to_see_give_no_motion_that_is_not_finite() -> None:
    black = np.zeros((*SIZE, 3), np.uint8)
    camera = found(black, black)
    assert camera is None or np.isfinite(camera).all()
