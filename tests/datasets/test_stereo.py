"""Disparity from stereo pairs: views rendered from planes at known disparities, and the rules that drop frames."""

from __future__ import annotations

import numpy as np
import pytest
from tests.stereo_views import BOX, SIZE, box_in_front, ramp, texture, views

from midas.datasets.stereo import (
    MAX_DISAGREEMENT_PX,
    STEPS_PER_PX,
    Rejection,
    StereoRules,
    encode_target,
    match_views,
)
from midas.errors import ConfigError, DatasetError


@pytest.mark.parametrize(("far", "near"), [(2.0, 22.0), (-12.0, 9.0), (-24.0, -4.0)])
def test_the_disparity_of_a_plane_is_found_within_a_pixel_on_either_side_of_the_screen(far: float, near: float) -> None:
    expected = ramp(far, near)
    match = match_views(*views(expected))
    assert match.consistent_share > 0.85
    assert (np.abs(match.disparity_px - expected)[match.mask] < 1).mean() > 0.98
    assert match.rejection() is None


def test_a_box_stands_before_its_wall_and_what_only_one_eye_sees_is_invalid() -> None:
    left, right, expected = box_in_front(wall=-3, box=15)
    match = match_views(left, right)
    assert (np.abs(match.disparity_px - expected)[match.mask] < 1).mean() > 0.95
    hidden = match.mask[BOX[0], BOX[1].start - 15 : BOX[1].start - 3]
    assert hidden.mean() < 0.3
    assert match.rejection() is None


def test_a_pixel_is_valid_only_where_the_other_view_leads_back_to_it() -> None:
    left, right, _ = box_in_front(wall=0, box=14)
    match = match_views(left, right)
    back = match_views(right[:, ::-1], left[:, ::-1]).disparity_px[:, ::-1]
    rows, columns = np.nonzero(match.mask)
    there = np.rint(columns - match.disparity_px[rows, columns]).astype(int)
    assert ((there >= 0) & (there < SIZE[1])).all()
    known = back[rows, there] != 0
    difference = np.abs(match.disparity_px[rows, columns] - back[rows, there])[known]
    assert (difference <= MAX_DISAGREEMENT_PX).mean() > 0.99


def test_views_that_are_not_level_are_rejected() -> None:
    left, right = views(ramp(2, 22))
    lower = np.roll(right, 4, axis=0)
    assert match_views(left, lower).vertical_share(2.0) > 0.5
    assert match_views(left, lower).rejection() is Rejection.vertical


def test_a_flat_scene_is_rejected() -> None:
    match = match_views(*views(ramp(5, 12)))
    assert match.range_px == pytest.approx(7, abs=1)
    assert match.rejection() is Rejection.flat


def test_a_scene_of_which_much_is_seen_by_one_eye_only_is_rejected() -> None:
    left, right = views(ramp(2, 22))
    right[:, 90:] = texture(9)[:, 90:]
    match = match_views(left, right, search_px=(-8, 32))
    assert match.consistent_share < 0.7
    assert match.rejection(StereoRules(max_vertical_share=1.0)) is Rejection.inconsistent


def test_a_codes_step_is_the_matchers_and_the_farthest_pixel_has_code_1() -> None:
    left, right = views(ramp(-12, 9))
    match = match_views(left, right)
    target = encode_target(left, match, sky=False)
    assert target.codes[match.mask].min() == 1
    assert not target.codes[~match.mask].any()
    restored = target.codes[match.mask] / STEPS_PER_PX + target.shift_px
    np.testing.assert_array_equal(restored, match.disparity_px[match.mask])


def test_sky_has_the_least_disparity_of_its_frame() -> None:
    left, right = views(ramp(2, 22))
    left[:30], right[:30] = (90, 150, 240), (90, 150, 240)
    match = match_views(left, right)
    assert (encode_target(left, match).codes[:25] == 1).all()
    assert encode_target(left, match, sky=False).codes[match.mask].max() == encode_target(left, match).codes.max()


def test_views_of_two_sizes_or_too_small_ones_and_empty_searches_are_refused() -> None:
    left, right = views(ramp(2, 22))
    with pytest.raises(DatasetError, match="the right one"):
        match_views(left, right[:-1])
    with pytest.raises(DatasetError, match="too small"):
        match_views(left[:20], right[:20])
    with pytest.raises(ConfigError, match="the first must be the smaller"):
        match_views(left, right, search_px=(4, 4))


def test_where_nothing_agrees_there_is_nothing_to_store() -> None:
    left, right = views(ramp(2, 22))
    match = match_views(left, right)
    nowhere = type(match)(np.zeros(SIZE, np.float32), np.zeros(SIZE, bool), match.vertical_px)
    assert nowhere.range_px == 0
    with pytest.raises(DatasetError, match="agree nowhere"):
        encode_target(left, nowhere)


def test_a_search_where_the_flow_has_lost_its_way_is_as_wide_as_it_may_be() -> None:
    left, right = (np.random.default_rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8) for seed in (0, 1))
    assert match_views(left, right).rejection() is not None


def test_what_one_eye_alone_sees_does_not_count_as_vertical_disparity() -> None:
    left, right, _ = box_in_front(wall=0, box=28)
    match = match_views(left, right)
    assert np.isnan(match.vertical_px).any()
    assert match.vertical_share(2.0) < 0.05
