"""What of a target "low is near" explains, and sets without the pictures that it explains."""

from __future__ import annotations

import numpy as np
import pytest

from midas.datasets.relief import unexplained, with_relief
from midas.datasets.sample import Sample
from midas.errors import DatasetError

SIZE = (90, 120)
ROW, COLUMN = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
EVERYWHERE = np.ones(SIZE, np.bool_)


def field_under_the_sky() -> np.ndarray:
    return np.maximum(ROW - 40, 0)


def thing_before_it() -> np.ndarray:
    disparity = field_under_the_sky()
    disparity[5:60, 40:70] = 60
    return disparity


@pytest.mark.parametrize("disparity", [ROW, 2 * ROW - COLUMN + 7, field_under_the_sky(), np.full(SIZE, 3, np.float32)])
def test_planes_ground_and_constants_are_explained(disparity: np.ndarray) -> None:
    # The nearest fiftieth is cut off, which bends a plane a little.
    assert unexplained(disparity, EVERYWHERE) < 2e-3


def test_a_thing_before_the_ground_is_not() -> None:
    assert unexplained(thing_before_it(), EVERYWHERE) > 0.3


def test_scale_and_shift_do_not_matter() -> None:
    disparity = thing_before_it()
    assert unexplained(5 * disparity + 2, EVERYWHERE) == pytest.approx(unexplained(disparity, EVERYWHERE))


def test_one_blade_before_the_lens_is_not_all_there_is() -> None:
    disparity = field_under_the_sky()
    disparity[50:80, 60] = 10_000
    assert unexplained(disparity, EVERYWHERE) < 0.5


def test_only_valid_points_count_and_too_few_say_nothing() -> None:
    disparity, left = thing_before_it(), EVERYWHERE.copy()
    left[5:60, 40:70] = False
    disparity[~left] = np.nan
    assert unexplained(disparity, left) < 1e-6
    assert unexplained(disparity, np.zeros(SIZE, np.bool_)) == 1


class _Pictures:
    name = "three"

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Sample:
        if index == 2:
            raise DatasetError("damaged")
        disparity = (field_under_the_sky(), thing_before_it())[index].astype(np.float32)
        image = np.zeros((*SIZE, 3), np.uint8)
        return Sample(image, disparity, EVERYWHERE, f"three/0/{index}", metric=False, sparse=False)


def test_a_set_loses_what_teaches_nothing_and_keeps_what_cannot_be_read_to_name_it_later() -> None:
    assert with_relief(_Pictures(), 0.2).indices == (1, 2)


def test_a_set_of_which_nothing_is_left_is_named() -> None:
    class _First(_Pictures):
        def __len__(self) -> int:
            return 1

    with pytest.raises(DatasetError, match=r"three has no picture with least_unexplained 0\.9"):
        with_relief(_First(), 0.9)
