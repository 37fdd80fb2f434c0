"""Metrics of steadiness: scenes whose right answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from midas.errors import MidasError
from midas.metrics import (
    flow_warping_error,
    gauge_wobble,
    self_consistency,
    temporal_alignment_error,
    temporal_gradient_error,
)

INTRINSICS = np.array([[20.0, 0, 15.5], [0, 20, 11.5], [0, 0, 1]])
SIZE = (24, 32)


def random_frames(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    earlier, later = np.random.default_rng(seed).uniform(1, 2, (2, *SIZE))
    return earlier, later


def uniform_flow(right: float, down: float) -> np.ndarray:
    return np.broadcast_to(np.array([right, down], np.float32), (*SIZE, 2))


def wall(distance_m: float) -> np.ndarray:
    """A wall across the view, in front of a camera."""
    return np.full(SIZE, distance_m)


def camera(right: float = 0.0, forward: float = 0.0) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 3] = right, 0, forward
    return pose


def turned(angle: float) -> np.ndarray:
    """A camera turned to the right by an angle."""
    pose = np.eye(4)
    pose[::2, ::2][:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    return pose


def tilted_plane(pose: np.ndarray) -> np.ndarray:
    """Depth of the world's plane z = 4 + 0.3 x, by casting a ray through every pixel."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    rays = np.stack([(columns - 15.5) / 20, (rows - 11.5) / 20, np.ones(SIZE)], axis=-1) @ pose[:3, :3].T
    origin, normal = pose[:3, 3], np.array([-0.3, 0, 1])
    return (4 - origin @ normal) / (rays @ normal)


def test_without_flow_the_error_is_the_mean_difference() -> None:
    earlier, later = random_frames()
    mask = np.random.default_rng(1).random(SIZE) < 0.5
    assert flow_warping_error(earlier, later, mask) == pytest.approx(np.abs(later - earlier)[mask].mean())


def test_a_frame_that_only_moved_by_whole_pixels_has_no_error() -> None:
    earlier, _ = random_frames()
    later = np.roll(earlier, (2, -3), axis=(0, 1))
    # Rows that came in at the top and columns that came in on the right are not in the earlier frame.
    assert flow_warping_error(earlier, later, flow_px=uniform_flow(3, -2)) == 0
    assert flow_warping_error(earlier, later, flow_px=uniform_flow(-3, 2)) > 0.1


@pytest.mark.parametrize(("right", "down"), [(0.25, 0.0), (-1.5, 0.75), (3.1, -2.2)])
def test_between_pixels_values_are_interpolated(right: float, down: float) -> None:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    earlier, later = 5 + 2 * rows - 3 * columns, 5 + 2 * (rows + down) - 3 * (columns + right)
    assert flow_warping_error(earlier, later, flow_px=uniform_flow(right, down)) == pytest.approx(0, abs=1e-5)


def test_hidden_pixels_have_no_influence() -> None:
    earlier, later = random_frames()
    mask = np.random.default_rng(1).random(SIZE) < 0.5
    spoiled = (np.where(mask, frame, np.nan) for frame in (earlier, later))
    flow = np.where(mask[..., None], uniform_flow(0, 0), np.nan)
    assert flow_warping_error(*spoiled, mask, flow) == pytest.approx(flow_warping_error(earlier, later, mask))


@pytest.mark.parametrize("flow", [None, uniform_flow(100, 0)])
def test_frames_that_share_no_pixel_have_no_warping_error(flow: np.ndarray | None) -> None:
    mask = np.full(SIZE, flow is not None)
    with pytest.raises(MidasError, match="no visible pixel in common"):
        flow_warping_error(*random_frames(), mask, flow)


def test_a_visible_pixel_that_is_not_finite_is_an_error() -> None:
    earlier, later = random_frames()
    later[3, 4] = np.nan
    with pytest.raises(MidasError, match="isn't finite on a visible pixel"):
        flow_warping_error(earlier, later)


def test_a_camera_that_stands_still_has_the_relative_difference_both_ways_as_alignment_error() -> None:
    depths = np.stack([wall(2.0), wall(2.5)])
    expected = 100 * (0.5 / 2.5 + 0.5 / 2.0) / 2
    assert temporal_alignment_error(depths, INTRINSICS, np.stack([camera(), camera()])) == pytest.approx(expected)


@pytest.mark.parametrize("pose", [camera(forward=1.0), camera(right=0.7), camera(right=-0.3, forward=-1.0)])
def test_a_wall_seen_by_a_moving_camera_has_no_alignment_error(pose: np.ndarray) -> None:
    depths = np.stack([wall(5.0), wall(5.0 - pose[2, 3])])
    assert temporal_alignment_error(depths, INTRINSICS, np.stack([camera(), pose])) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("pose", [turned(0.2), turned(-0.3), turned(0.1) @ camera(right=0.3, forward=0.5)])
def test_a_plane_seen_by_a_turning_camera_has_no_alignment_error_but_for_the_rounding_to_pixels(
    pose: np.ndarray,
) -> None:
    depths, poses = np.stack([tilted_plane(np.eye(4)), tilted_plane(pose)]), np.stack([np.eye(4), pose])
    assert temporal_alignment_error(depths, INTRINSICS, poses) < 1.5
    assert temporal_alignment_error(depths, INTRINSICS, poses[::-1]) > 5


def test_the_alignment_error_does_not_change_with_where_the_world_begins() -> None:
    depths = np.random.default_rng(0).uniform(2, 3, (3, *SIZE))
    poses = np.stack([camera(), camera(right=0.1), turned(0.05)])
    elsewhere = turned(1.0) @ camera(right=9, forward=-4)
    moved = np.stack([elsewhere @ pose for pose in poses])
    expected = temporal_alignment_error(depths, INTRINSICS, poses)
    assert temporal_alignment_error(depths, INTRINSICS, moved) == pytest.approx(expected, rel=1e-3)


def test_of_two_points_on_one_pixel_the_nearer_is_seen() -> None:
    columns = np.broadcast_to(np.arange(SIZE[1]), SIZE)
    # 1 m further left, what is 2 m away moves 10 pixels to the right, and what is 10 m away 2 pixels.
    depths = np.stack([np.where(columns < 16, 2.0, 10.0), np.where(columns < 26, 2.0, 10.0)])
    masks = np.stack([np.ones(SIZE, np.bool_), columns >= 10])
    poses = np.stack([camera(), camera(right=-1.0)])
    assert temporal_alignment_error(depths, INTRINSICS, poses, masks) == pytest.approx(0, abs=1e-12)


def test_points_behind_a_camera_are_not_seen_by_it() -> None:
    depths = np.stack([wall(5.0), wall(3.0)])
    with pytest.raises(MidasError, match="frame 0 shows nothing that frame 1 shows"):
        temporal_alignment_error(depths, INTRINSICS, np.stack([camera(), camera(forward=6.0)]))


def test_invalid_depths_have_no_influence_on_the_alignment_error() -> None:
    depths = np.random.default_rng(0).uniform(2, 3, (3, *SIZE))
    masks = np.random.default_rng(1).random(depths.shape) < 0.7
    poses = np.stack([camera(), camera(right=0.1), camera(forward=0.1)])
    expected = temporal_alignment_error(depths, INTRINSICS, poses, masks)
    assert temporal_alignment_error(np.where(masks, depths, np.nan), INTRINSICS, poses, masks) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depths_m": np.ones((1, *SIZE)), "poses": np.eye(4)[None]}, "1 frames: expected at least two"),
        ({"depths_m": np.zeros((2, *SIZE))}, "isn't positive and finite"),
        ({"depths_m": np.full((2, *SIZE), np.nan)}, "isn't positive and finite"),
        ({"intrinsics": np.zeros((3, 3))}, "focal lengths are not positive"),
        ({"poses": np.stack([camera(), camera(right=1e3)])}, "frame 0 shows nothing that frame 1 shows"),
        ({"masks": np.zeros((2, *SIZE), np.bool_)}, "frame 0 shows nothing that frame 1 shows"),
    ],
)
def test_a_video_without_alignment_error_is_an_error(change: dict[str, np.ndarray], message: str) -> None:
    video = {"depths_m": np.ones((2, *SIZE)), "intrinsics": INTRINSICS, "poses": np.stack([camera(), camera()])}
    with pytest.raises(MidasError, match=message):
        temporal_alignment_error(**(video | change))


def test_the_wobble_of_scales_is_the_deviation_of_their_logarithms() -> None:
    random = np.random.default_rng(0)
    truth = random.uniform(0.1, 1, (40, 12, 16))
    log_scales = random.normal(0, 0.1, 40)
    maps = np.exp(log_scales)[:, None, None] * truth + random.uniform(-1, 1, (40, 1, 1))
    assert gauge_wobble(maps, truth) == pytest.approx(log_scales.std())
    assert gauge_wobble(3 * truth + 1, truth) == pytest.approx(0, abs=1e-9)
    with pytest.raises(MidasError, match="frame 0 has no scale"):
        gauge_wobble(np.ones_like(truth), truth)


def test_a_flicker_that_the_truth_lacks_is_a_temporal_gradient_error() -> None:
    truth = np.full((3, 4, 5), 0.5)
    maps = truth + np.array([0.0, 0.1, 0.0])[:, None, None]
    assert temporal_gradient_error(maps, truth) == pytest.approx(0.1)
    assert temporal_gradient_error(truth, truth) == 0
    truth[1:] += 0.2  # all of it moves
    with pytest.raises(MidasError, match="changes everywhere"):
        temporal_gradient_error(maps[:2], truth[:2])


def test_self_consistency_is_in_units_of_the_maps_own_range() -> None:
    later = np.tile(np.linspace(0, 1, 101), (5, 1))
    for scale in (1, 7):
        assert self_consistency(scale * (later + 0.09), scale * later) == pytest.approx(0.1)
    with pytest.raises(MidasError, match="constant"):
        self_consistency(later, np.ones_like(later))
