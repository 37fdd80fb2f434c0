"""Alignment: the least-squares solution, its laws, and what makes it impossible."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from midas.alignment import Alignment, align_from_points, align_from_range, align_least_squares
from midas.errors import AlignmentError

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9)
PREDICTIONS = hnp.arrays(np.float32, SHAPES, elements=st.integers(-1000, 1000).map(float)).filter(np.ptp)
FACTORS = st.floats(-100, 100)


def residual(alignment: Alignment, prediction: np.ndarray, target: np.ndarray) -> float:
    difference = alignment.scale * prediction.astype(np.float64) + alignment.shift - target
    return float((difference**2).sum())


def random_pair(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    prediction, target = rng.normal(size=(2, 23, 31)).astype(np.float32)
    return prediction, target + 0.7 * prediction, rng.random((23, 31)) < 0.6


@given(PREDICTIONS, FACTORS, FACTORS)
def test_an_affine_target_gives_its_scale_and_shift_back(prediction: np.ndarray, scale: float, shift: float) -> None:
    target = scale * prediction.astype(np.float64) + shift
    alignment = align_least_squares(prediction, target)
    np.testing.assert_allclose(astuple(alignment), (scale, shift), rtol=1e-9, atol=1e-7)


@given(PREDICTIONS, FACTORS.filter(lambda factor: abs(factor) > 1e-2), FACTORS, st.integers(0, 2**32 - 1))
def test_the_aligned_map_does_not_change_with_an_affine_change_of_the_prediction(
    prediction: np.ndarray, scale: float, shift: float, seed: int
) -> None:
    target = np.random.default_rng(seed).normal(size=prediction.shape)
    changed = scale * prediction.astype(np.float64) + shift
    first, second = align_least_squares(prediction, target), align_least_squares(changed, target)
    np.testing.assert_allclose(
        second.scale * changed + second.shift, first.scale * prediction + first.shift, rtol=1e-6, atol=1e-6
    )


def test_it_equals_the_solution_of_a_general_least_squares_solver() -> None:
    prediction, target, mask = random_pair()
    columns = np.stack([prediction[mask], np.ones(mask.sum())], axis=1)
    expected = np.linalg.lstsq(columns, target[mask], rcond=None)[0]
    np.testing.assert_allclose(astuple(align_least_squares(prediction, target, mask)), expected, rtol=1e-6)


@pytest.mark.parametrize(("scale_change", "shift_change"), [(1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3)])
def test_no_other_scale_or_shift_leaves_a_smaller_residual(scale_change: float, shift_change: float) -> None:
    prediction, target, _ = random_pair()
    best = align_least_squares(prediction, target)
    other = Alignment(best.scale + scale_change, best.shift + shift_change)
    assert residual(other, prediction, target) > residual(best, prediction, target)


def test_pixels_outside_the_mask_have_no_influence() -> None:
    prediction, target, mask = random_pair()
    spoiled_prediction = np.where(mask, prediction, np.float32(np.nan))
    spoiled_target = np.where(mask, target, np.float32(np.inf))
    expected = align_least_squares(prediction, target, mask)
    assert align_least_squares(spoiled_prediction, spoiled_target, mask) == expected


def test_a_large_shift_of_the_prediction_costs_no_digits() -> None:
    prediction = (2.0**23 + np.arange(1000)).astype(np.float32).reshape(10, 100)
    target = 0.5 * prediction.astype(np.float64)
    assert align_least_squares(prediction, target).scale == pytest.approx(0.5, rel=1e-12)


def test_apply_gives_scale_times_prediction_plus_shift_and_leaves_the_prediction() -> None:
    prediction = np.array([[0, 1], [2, 4]], np.float32)
    np.testing.assert_array_equal(Alignment(0.5, -1.0).apply(prediction), [[-1, -0.5], [0, 1]])
    np.testing.assert_array_equal(prediction, [[0, 1], [2, 4]])


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7])
def test_a_constant_prediction_has_scale_0_and_the_mean_target_as_shift(value: float) -> None:
    target = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert align_least_squares(np.full((3, 4), value, np.float32), target) == Alignment(0.0, 5.5)


@pytest.mark.parametrize("valid", [0, 1])
def test_fewer_than_two_valid_pixels_are_an_error(valid: int) -> None:
    mask = np.zeros((3, 4), np.bool_)
    mask.flat[:valid] = True
    with pytest.raises(AlignmentError, match=f"at least 2 valid pixels, the mask has {valid}"):
        align_least_squares(np.ones((3, 4), np.float32), np.ones((3, 4), np.float32), mask)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("spoiled", [0, 1])
def test_a_valid_pixel_that_is_not_finite_is_an_error(bad: float, spoiled: int) -> None:
    pair = random_pair()[:2]
    pair[spoiled][2, 2:4] = bad, -bad
    with pytest.raises(AlignmentError, match="isn't finite on a valid pixel"):
        align_least_squares(*pair)


def test_two_known_points_are_met_exactly() -> None:
    values = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    alignment = align_from_points(values, [(0, 0, 10.0), (1, 2, 2.0)])
    np.testing.assert_allclose(1 / alignment.apply(values)[[0, 1], [0, 2]], [10, 2], rtol=1e-6)


def test_more_points_than_two_are_fitted_in_inverse_depth() -> None:
    values = np.array([[1, 2, 4]], np.float32)
    points = [(0, 0, 8.0), (0, 1, 5.0), (0, 2, 1.0)]
    expected = align_least_squares(values, np.array([[1 / 8, 1 / 5, 1]]))
    assert align_from_points(values, points) == expected


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "at least 2 points"),
        ([(0, 0, 1.0)], "at least 2 points"),
        ([(0, 0, 1.0), (2, 0, 1.0)], "outside the map of 2 rows, 3 columns"),
        ([(0, 0, 1.0), (0, -1, 1.0)], "outside the map"),
        ([(0, 0, 1.0), (0, 1, 0.0)], "positive number of metres"),
        ([(0, 0, 1.0), (0, 1, float("nan"))], "positive number of metres"),
        ([(0, 0, 1.0), (1, 0, 2.0)], "is 1 at every point"),
    ],
)
def test_points_that_determine_nothing_are_an_error(points: list[tuple[int, int, float]], message: str) -> None:
    with pytest.raises(AlignmentError, match=message):
        align_from_points(np.array([[1, 2, 3], [1, 5, 6]], np.float32), points)


@pytest.mark.parametrize("far_m", [50.0, float("inf")])
def test_a_range_puts_the_largest_value_at_its_near_end_and_the_smallest_at_its_far_end(far_m: float) -> None:
    values = np.array([[0, 3, np.nan], [10, 7, np.inf]], np.float32)
    inverse_depth = align_from_range(values, 2.0, far_m).apply(values)
    np.testing.assert_allclose(inverse_depth[[1, 0], [0, 0]], [1 / 2, 1 / far_m], rtol=1e-6)


@pytest.mark.parametrize(("near_m", "far_m"), [(0.0, 1.0), (2.0, 1.0), (1.0, 1.0), (float("nan"), 1.0)])
def test_a_range_that_is_none_is_an_error(near_m: float, far_m: float) -> None:
    with pytest.raises(AlignmentError, match="0 < near < far"):
        align_from_range(np.array([[0, 1]], np.float32), near_m, far_m)


def test_a_constant_map_has_no_range() -> None:
    with pytest.raises(AlignmentError, match="constant map"):
        align_from_range(np.ones((2, 2), np.float32), 1.0, 2.0)
