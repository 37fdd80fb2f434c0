"""Which part of a picture counts."""

from __future__ import annotations

import pytest

from midas.errors import ConfigError
from midas.evaluation.crops import CROPS, find_crop


def window(name: str, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """First row, last row, first column, last column."""
    rows, columns = find_crop(name).mask(size).nonzero()
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def test_eigens_window_of_nyu_is_the_published_one() -> None:
    assert window("nyu_eigen", (480, 640)) == (45, 470, 41, 600)


@pytest.mark.parametrize(("name", "expected"), [("garg", (153, 370, 44, 1196)), ("kitti_eigen", (124, 341, 44, 1196))])
def test_the_windows_of_kitti_are_the_published_shares(name: str, expected: tuple[int, int, int, int]) -> None:
    assert window(name, (375, 1242)) == expected


@pytest.mark.parametrize("size", [(375, 1242), (370, 1226), (376, 1241)])
def test_the_benchmark_s_window_lies_at_the_bottom_centre(size: tuple[int, int]) -> None:
    top, bottom, left, right = window("kitti_benchmark", size)
    assert (bottom - top + 1, right - left + 1) == (352, 1216)
    assert bottom == size[0] - 1
    assert abs(left - (size[1] - 1 - right)) <= 1


def test_a_smaller_picture_keeps_the_benchmark_s_share() -> None:
    top, bottom, left, right = window("kitti_benchmark", (232, 384))  # half a picture, made smaller
    assert (top, bottom) == (232 - round(232 * 352 / 375), 231)
    assert (left, right) == (4, 379)


def test_eigens_window_lies_within_the_benchmark_s() -> None:
    assert window("kitti_benchmark_eigen", (375, 1242)) == (23 + 117, 23 + 320, 13 + 43, 13 + 1171)


@pytest.mark.parametrize("name", CROPS)
def test_a_window_holds_pixels_of_any_picture(name: str) -> None:
    assert find_crop(name).mask((30, 40)).any()


def test_an_unknown_crop_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="there are: none, nyu_eigen"):
        find_crop("middle")
