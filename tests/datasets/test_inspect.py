"""Figures of a set and its contact sheet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.inspect import chosen_indices, draw_sheet, inspect_set
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import AnySample, PairSample, Sample
from midas.errors import DatasetError
from midas.maps.sheets import CELL_SIZE


class Given:
    """A reader of given samples; None stands for one that can't be read."""

    name = "given"

    def __init__(self, *given: AnySample | None) -> None:
        self.given = given

    def __len__(self) -> int:
        return len(self.given)

    def __getitem__(self, index: int) -> AnySample:
        sample = self.given[index]
        if sample is None:
            raise DatasetError("torn")
        return sample


def flat(disparity: float, size: tuple[int, int] = (40, 60)) -> Sample:
    """Everything at one disparity; a quarter sky, a quarter invalid."""
    values, mask = np.full(size, disparity, np.float32), np.ones(size, bool)
    values[: size[0] // 2] = 0
    mask[: size[0] // 4] = False
    return Sample(np.full((*size, 3), 200, np.uint8), values, mask, "given/flat", metric=True, sparse=False)


def pairs() -> PairSample:
    points = np.array([[5, 5], [30, 50]])
    image = np.zeros((CELL_SIZE[0], CELL_SIZE[1], 3), np.uint8)
    return PairSample(image, points[:1], points[1:], np.array([1], np.int8), "given/pairs")


def test_the_draw_is_without_repetition_and_the_same_for_a_seed() -> None:
    assert sorted(chosen_indices(20, 30, seed=3)) == list(range(20))
    assert chosen_indices(20, 5, seed=3) == chosen_indices(20, 30, seed=3)[:5]
    assert chosen_indices(20, 20, seed=3) != chosen_indices(20, 20, seed=4)


def test_metric_targets_have_percentiles_in_metres_and_sky_has_no_part_in_them() -> None:
    found = inspect_set(Given(flat(0.5), flat(0.25)), range(2), shown=8).statistics
    assert (found.quantity, found.metric, found.sparse) == ("depth_m", True, False)
    assert (found.valid_share, found.sky_share) == (0.75, 0.25)
    assert (found.percentiles[5], found.percentiles[95]) == (2.0, 4.0)


def test_relative_targets_have_percentiles_of_disparity() -> None:
    found = inspect_set(Given(replace(flat(0.5), metric=False)), [0], shown=8).statistics
    assert (found.quantity, found.percentiles[50]) == ("disparity", 0.5)


def test_a_large_picture_counts_as_much_as_a_small_one() -> None:
    found = inspect_set(Given(flat(0.5, (200, 400)), flat(0.25, (8, 8))), range(2), shown=8).statistics
    assert (found.percentiles[25], found.percentiles[75]) == (2.0, 4.0)
    assert found.sizes == ((200, 400, 1), (8, 8, 1))


def test_samples_that_cannot_be_read_are_named_and_the_others_shown() -> None:
    found = inspect_set(Given(None, flat(1.0), None), [2, 1, 0], shown=8)
    assert found.statistics.unreadable == ("given[2]: torn", "given[0]: torn")
    assert (found.statistics.looked_at, len(found.shown)) == (3, 1)


def test_of_pairs_the_number_per_picture_is_given() -> None:
    found = inspect_set(Given(pairs(), pairs()), range(2), shown=1)
    assert (found.statistics.quantity, found.statistics.percentiles[50]) == ("pairs", 1.0)
    assert (found.statistics.valid_share, len(found.shown)) == (None, 1)
    assert "pairs of points" in found.statistics.as_text()


def test_the_text_has_one_line_per_fact(tmp_path: Path) -> None:
    text = inspect_set(CorpusDataset(write_miniature(tmp_path)), range(6), shown=1).statistics.as_text()
    assert "height x width   72x96 (6)" in text.splitlines()
    assert "target           metric, dense" in text.splitlines()
    assert "depth in metres" in text


def test_invalid_pixels_are_grey_and_near_ones_brighter_than_far_ones() -> None:
    size = CELL_SIZE
    disparity = np.tile(np.linspace(0, 1, size[1], dtype=np.float32), (size[0], 1))
    mask = np.ones(size, bool)
    mask[size[0] // 2 :] = False
    sample = Sample(np.zeros((*size, 3), np.uint8), disparity, mask, "given/ramp", metric=False, sparse=False)
    cell = draw_sheet([sample])[-size[0] - 6 : -6, -size[1] - 6 : -6]
    assert (cell[size[0] // 2 + 1 :] == 90).all()
    assert cell[10, -10].sum() > cell[10, 10].sum()


def test_scattered_points_are_drawn_so_large_that_they_are_seen() -> None:
    disparity, mask = np.zeros((1080, 1440), np.float32), np.zeros((1080, 1440), bool)
    disparity[540, 700], mask[540, 700] = 1.0, True
    sample = Sample(np.zeros((1080, 1440, 3), np.uint8), disparity, mask, "given/point", metric=True, sparse=True)
    cell = draw_sheet([sample])[-CELL_SIZE[0] - 6 : -6, -CELL_SIZE[1] - 6 : -6]
    assert 4 <= (cell != 90).any(axis=-1).sum() <= 16


@pytest.mark.parametrize(
    ("relation", "first", "second"),
    [(1, (255, 60, 40), (60, 120, 255)), (-1, (60, 120, 255), (255, 60, 40)), (0, (60, 220, 90), (60, 220, 90))],
)
def test_the_nearer_point_of_a_pair_is_red(relation: int, first: tuple[int, ...], second: tuple[int, ...]) -> None:
    sample = replace(pairs(), relation=np.array([relation], np.int8))
    cell = draw_sheet([sample])[-CELL_SIZE[0] - 6 : -6, -CELL_SIZE[1] - 6 : -6]
    assert tuple(cell[5, 5]) == first
    assert tuple(cell[30, 50]) == second


def test_a_sheet_has_a_tile_for_each_sample_and_none_for_no_sample() -> None:
    one, two, three = (draw_sheet([flat(1.0)] * count).shape[:2] for count in (1, 2, 3))
    assert one[0] == two[0] < three[0]
    assert one[1] < two[1] == three[1]
    with pytest.raises(DatasetError, match="nothing to draw"):
        draw_sheet([])
