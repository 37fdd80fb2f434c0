"""Metrics of order against plain loops, and the laws that they keep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from midas.errors import MidasError
from midas.metrics import d3r, grid_pairs, ordinal_error, pair_accuracy, sample_pairs, whdr

ROW = np.array([[4.0, 2.0, 1.0, 1.0, 1.05]])


def points(*columns: int) -> np.ndarray:
    return np.array([(0, column) for column in columns])


def random_maps(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    prediction, target = np.random.default_rng(seed).uniform(1, 2, (2, 13, 17)).astype(np.float32)
    return prediction, target


def random_pairs(seed: int = 0, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    return sample_pairs(np.ones((13, 17), np.bool_), count, seed)


def order_slowly(a: float, b: float, tolerance: float) -> int:
    return 1 if a / b > 1 + tolerance else -1 if b / a > 1 + tolerance else 0


def orders_slowly(values: np.ndarray, first: np.ndarray, second: np.ndarray, tolerance: float) -> list[int]:
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    return [order_slowly(float(values[a, b]), float(values[c, d]), tolerance) for (a, b), (c, d) in pairs]


def test_whdr_is_the_weighted_share_of_pairs_that_people_see_otherwise() -> None:
    # Said: nearer, farther, farther, equal. Seen in the map: nearer, nearer, equal, farther by 0.05.
    first, second = points(0, 1, 2, 3), points(1, 2, 3, 4)
    relation = np.array([1, -1, -1, 0], np.int8)
    assert whdr(ROW, first, second, relation) == 75
    assert whdr(ROW, first, second, relation, np.array([7.0, 1.0, 1.0, 1.0])) == pytest.approx(30)
    assert whdr(ROW, first, second, relation, threshold=0.1) == 50


def test_whdr_equals_a_plain_loop() -> None:
    prediction, _ = random_maps()
    first, second = random_pairs()
    rng = np.random.default_rng(1)
    relation, weights = rng.integers(-1, 2, len(first)), rng.random(len(first))
    wrong = 0.0
    for one, other, said, weight in zip(first, second, relation, weights, strict=True):
        difference = float(prediction[tuple(one)]) - float(prediction[tuple(other)])
        seen = 1 if difference > 0.2 else -1 if difference < -0.2 else 0
        wrong += weight * (seen != said)
    expected = 100 * wrong / weights.sum()
    assert whdr(prediction, first, second, relation, weights, threshold=0.2) == pytest.approx(expected)


def test_order_does_not_change_with_a_positive_scale_and_a_shift() -> None:
    prediction, _ = random_maps()
    first, second = random_pairs()
    relation = np.where(np.random.default_rng(1).random(len(first)) < 0.5, 1, -1)
    moved = (4 * prediction - 9).astype(np.float32)
    assert whdr(moved, first, second, relation) == whdr(prediction, first, second, relation)


def test_a_tie_is_wrong_where_one_point_is_nearer() -> None:
    assert whdr(ROW, points(2), points(3), np.array([1])) == 100
    assert whdr(ROW, points(2), points(3), np.array([0])) == 0


def test_pair_accuracy_is_what_whdr_leaves_of_100() -> None:
    first, second, relation = points(0, 1, 2, 3), points(1, 2, 3, 4), np.array([1, -1, -1, -1])
    assert pair_accuracy(ROW, first, second, relation) == 50
    assert pair_accuracy(ROW, second, first, -relation) == 50
    assert pair_accuracy(ROW, first, second, relation) + whdr(ROW, first, second, relation) == 100


def test_ordinal_error_equals_a_plain_loop() -> None:
    prediction, target = random_maps()
    pairs = random_pairs()
    seen, true = (orders_slowly(values, *pairs, 0.03) for values in (prediction, target))
    expected = 100 * np.mean([a != b for a, b in zip(seen, true, strict=True)])
    assert ordinal_error(prediction, target, *pairs) == pytest.approx(expected)


@pytest.mark.parametrize("factor", [0.1, 1.0, 7.0])
def test_a_factor_of_the_target_is_a_perfect_order(factor: float) -> None:
    _, target = random_maps()
    assert ordinal_error(factor * target, target, *random_pairs()) == 0
    assert d3r(factor * target, target, *random_pairs()) == 0


@pytest.mark.parametrize("metric", [ordinal_error, d3r])
def test_order_in_depth_is_order_in_disparity(metric: Callable[..., float]) -> None:
    prediction, target = (values.astype(np.float64) for values in random_maps())
    pairs = random_pairs()
    assert metric(1 / prediction, 1 / target, *pairs) == metric(prediction, target, *pairs)


def test_d3r_equals_a_plain_loop() -> None:
    prediction, target = random_maps()
    pairs = grid_pairs(np.ones((13, 17), np.bool_), 100)
    seen, true = (orders_slowly(values, *pairs, 0.01) for values in (prediction, target))
    across = orders_slowly(target, *pairs, 0.1)
    terms = [abs(a - b) for a, b, order in zip(seen, true, across, strict=True) if order]
    assert d3r(prediction, target, *pairs) == pytest.approx(sum(terms) / len(terms))


@pytest.mark.parametrize(("last", "expected"), [(2.0, 0.0), (1.0, 1.0), (0.5, 2.0)])
def test_a_discontinuity_that_is_missing_counts_1_and_one_the_wrong_way_round_2(last: float, expected: float) -> None:
    target, prediction = np.array([[1.0, 1.05, 2.0]]), np.array([[1.0, 1.0, last]])
    assert d3r(prediction, target, points(0, 1), points(1, 2)) == expected


def test_a_target_without_discontinuity_has_no_d3r() -> None:
    flat = np.ones((13, 17))
    with pytest.raises(MidasError, match="no pair lies across a discontinuity of more than 10%"):
        d3r(flat, flat, *random_pairs())


def test_sampled_pairs_are_of_two_different_valid_pixels_and_the_same_for_a_seed() -> None:
    mask = np.random.default_rng(0).random((13, 17)) < 0.1
    first, second = sample_pairs(mask, 1000, seed=3)
    assert first.shape == second.shape == (1000, 2)
    assert mask[tuple(first.T)].all()
    assert mask[tuple(second.T)].all()
    assert (first != second).any(axis=1).all()
    np.testing.assert_array_equal((first, second), sample_pairs(mask, 1000, seed=3))


def test_every_pair_of_pixels_is_drawn_about_as_often() -> None:
    first, second = sample_pairs(np.ones((1, 4), np.bool_), 12_000)
    counts = np.zeros((4, 4))
    np.add.at(counts, (first[:, 1], second[:, 1]), 1)
    assert (np.diag(counts) == 0).all()
    np.testing.assert_allclose(counts[~np.eye(4, dtype=np.bool_)], 1000, rtol=0.15)


@pytest.mark.parametrize(("valid", "count"), [(1, 5), (0, 5), (2, 0)])
def test_pairs_that_cannot_be_drawn_are_an_error(valid: int, count: int) -> None:
    with pytest.raises(MidasError, match=f"{count} pairs of {valid} valid pixels"):
        sample_pairs(np.arange(4)[None] < valid, count)


def test_a_grids_pairs_are_each_cell_with_its_right_and_its_lower_neighbour() -> None:
    first, second = grid_pairs(np.ones((6, 9), np.bool_), cells=6)
    pairs = [(tuple(one), tuple(other)) for one, other in zip(first.tolist(), second.tolist(), strict=True)]
    right = [((r, c), (r, c + 3)) for r in (1, 4) for c in (1, 4)]
    assert pairs == right + [((1, c), (4, c)) for c in (1, 4, 7)]


@pytest.mark.parametrize("size", [(480, 640), (1000, 300), (426, 560)])
def test_a_grid_has_about_the_cells_asked_for_and_square_ones(size: tuple[int, int]) -> None:
    first, second = grid_pairs(np.ones(size, np.bool_))
    assert len(np.unique(np.concatenate([first, second]), axis=0)) == pytest.approx(5000, rel=0.05)
    steps = np.abs(second - first)
    assert steps[:, 0].max() == pytest.approx(steps[:, 1].max(), abs=2)


def test_a_grid_leaves_out_pairs_with_an_invalid_point() -> None:
    mask = np.random.default_rng(0).random((13, 17)) < 0.5
    first, second = grid_pairs(np.ones_like(mask), 50)
    valid = [bool(mask[tuple(one)] and mask[tuple(other)]) for one, other in zip(first, second, strict=True)]
    np.testing.assert_array_equal(grid_pairs(mask, 50), (first[valid], second[valid]))


@pytest.mark.parametrize("cells", [0, -3])
def test_a_grid_of_no_cells_is_an_error(cells: int) -> None:
    with pytest.raises(MidasError, match=f"a grid of {cells} cells"):
        grid_pairs(np.ones((3, 3), np.bool_), cells)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.array([(0, 5)]), "outside the map of 1 rows and 5 columns"),
        (np.array([(-1, 0)]), "outside the map"),
        (np.array([(0.0, 1.0)]), "as integers"),
        (np.empty((0, 2), np.int64), "at least one pair"),
    ],
)
def test_points_that_are_none_are_an_error(bad: np.ndarray, message: str) -> None:
    with pytest.raises(MidasError, match=message):
        whdr(ROW, bad, bad, np.ones(len(bad), np.int8))


def test_a_point_where_the_map_is_not_finite_is_an_error() -> None:
    with pytest.raises(MidasError, match="isn't finite at a point"):
        whdr(np.array([[1, np.nan]]), points(0), points(1), np.array([1]))


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_a_ratio_at_a_point_that_is_not_positive_is_an_error(bad: float) -> None:
    with pytest.raises(MidasError, match="isn't positive at a point"):
        ordinal_error(np.array([[1, bad]]), np.ones((1, 2)), points(0), points(1))


def test_an_unknown_relation_is_an_error() -> None:
    with pytest.raises(MidasError, match="a relation is neither"):
        whdr(ROW, points(0), points(1), np.array([2]))


@pytest.mark.parametrize("weights", [[0.0, 0.0], [2.0, -1.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_weights_that_weigh_nothing_are_an_error(weights: list[float]) -> None:
    with pytest.raises(MidasError, match="a weight is negative or not finite, or all are 0"):
        whdr(ROW, points(0, 1), points(1, 2), np.array([1, 1]), np.array(weights))


@pytest.mark.parametrize("tolerance", [-0.1, np.nan])
def test_a_negative_tolerance_is_an_error(tolerance: float) -> None:
    with pytest.raises(MidasError, match="threshold or tolerance is"):
        whdr(ROW, points(0), points(1), np.array([1]), threshold=tolerance)
