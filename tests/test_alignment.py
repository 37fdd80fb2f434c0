"""Alignment: the least-squares solution, its laws, and what makes it impossible."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from midas.alignment import (
    ALIGNMENTS,
    Alignment,
    align_from_points,
    align_from_range,
    align_least_squares,
    align_median,
    align_median_mad,
    align_robust,
    align_scale,
)
from midas.errors import AlignmentError

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9)
PREDICTIONS = hnp.arrays(np.float32, SHAPES, elements=st.integers(-1000, 1000).map(float)).filter(np.ptp)
FACTORS = st.floats(-100, 100)
WITH_SHIFT = ["least_squares", "median_mad", "robust"]
SCALE_ONLY = ["median", "scale"]


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


def test_the_table_lists_every_way_to_align_two_maps_by_name() -> None:
    assert sorted(ALIGNMENTS) == sorted(WITH_SHIFT + SCALE_ONLY)


@pytest.mark.parametrize("name", WITH_SHIFT)
@given(prediction=PREDICTIONS, scale=FACTORS.map(abs), shift=FACTORS)
def test_every_way_with_a_shift_gives_a_rising_affine_targets_numbers_back(
    name: str, prediction: np.ndarray, scale: float, shift: float
) -> None:
    alignment = ALIGNMENTS[name](prediction, scale * prediction.astype(np.float64) + shift)
    np.testing.assert_allclose(astuple(alignment), (scale, shift), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("name", SCALE_ONLY)
@pytest.mark.parametrize("scale", [0.25, 3.0, -2.0])
def test_every_way_without_a_shift_gives_a_proportional_targets_factor_back(name: str, scale: float) -> None:
    prediction = random_pair()[0] + 5
    alignment = ALIGNMENTS[name](prediction, scale * prediction.astype(np.float64))
    assert astuple(alignment) == (pytest.approx(scale, rel=1e-12), 0.0)


def test_the_scale_alone_is_the_solution_of_a_general_least_squares_solver() -> None:
    prediction, target, mask = random_pair()
    expected = np.linalg.lstsq(prediction[mask][:, None], target[mask], rcond=None)[0]
    assert astuple(align_scale(prediction, target, mask)) == (pytest.approx(float(expected[0]), rel=1e-5), 0.0)


def test_median_scaling_is_the_ratio_of_medians() -> None:
    alignment = align_median(np.array([1.0, 2.0, 9.0]), np.array([6.0, 5.0, 0.0]))
    assert alignment == Alignment(2.5, 0.0)


def test_median_and_deviation_of_the_aligned_map_are_the_targets() -> None:
    prediction, target, mask = random_pair()
    alignment = align_median_mad(prediction, target, mask)
    aligned, known = alignment.scale * prediction[mask].astype(np.float64) + alignment.shift, target[mask]
    assert np.median(aligned) == pytest.approx(np.median(known))
    assert np.abs(aligned - np.median(aligned)).mean() == pytest.approx(np.abs(known - np.median(known)).mean())


@pytest.mark.parametrize("name", ["least_squares", "robust", "scale", "median"])
def test_a_target_that_runs_against_the_prediction_has_a_negative_scale(name: str) -> None:
    prediction = np.arange(1, 13, dtype=np.float32)
    alignment = ALIGNMENTS[name](prediction, -2.0 * prediction)
    assert alignment.scale == pytest.approx(-2.0)
    assert alignment.is_inverted


def test_median_and_deviation_never_give_a_negative_scale() -> None:
    prediction = np.arange(1, 13, dtype=np.float32)
    assert not align_median_mad(prediction, -2.0 * prediction).is_inverted


@pytest.mark.parametrize("share", [0.1, 0.3, 0.38])
@pytest.mark.parametrize("worst", [10.0, 1e4, 1e20])
def test_the_robust_line_is_not_moved_by_gross_errors_of_the_target(share: float, worst: float) -> None:
    prediction, _, _ = random_pair()
    noise, errors = np.random.default_rng(1).normal(size=(2, *prediction.shape))
    target = 0.7 * prediction + 3 + 0.01 * noise
    wrong = np.random.default_rng(2).random(prediction.shape) < share
    alignment = align_robust(prediction, np.where(wrong, worst * (errors + 1), target))
    np.testing.assert_allclose(astuple(alignment), (0.7, 3), atol=0.01)


def test_a_cluster_of_errors_on_one_side_does_not_move_the_robust_line_either() -> None:
    prediction = np.linspace(0, 1, 100_000, dtype=np.float32)
    target = 2 * prediction.astype(np.float64) + 1
    target[70_000:] = 0  # The nearest 30 %: the most leverage that they can have.
    np.testing.assert_allclose(astuple(align_robust(prediction, target)), (2, 1), rtol=1e-6)


def test_without_outliers_the_robust_line_is_nearly_that_of_least_squares() -> None:
    prediction, noise = np.random.default_rng(1).normal(size=(2, 2000))
    target = 0.7 * prediction + 3 + 0.1 * noise
    robust, plain = align_robust(prediction, target), align_least_squares(prediction, target)
    np.testing.assert_allclose(astuple(robust), astuple(plain), atol=0.002)


def test_the_robust_line_is_the_same_each_time() -> None:
    prediction, target = np.random.default_rng(3).normal(size=(2, 60, 70))
    assert align_robust(prediction, target) == align_robust(prediction, target)


@given(FACTORS.filter(lambda factor: abs(factor) > 1e-2), FACTORS)
def test_the_robust_map_does_not_change_with_an_affine_change_of_the_prediction(scale: float, shift: float) -> None:
    prediction, target = random_pair()[0].astype(np.float64), random_pair(5)[0] ** 3
    changed = scale * prediction + shift
    first, second = align_robust(prediction, target), align_robust(changed, target)
    np.testing.assert_allclose(
        second.scale * changed + second.shift, first.scale * prediction + first.shift, rtol=1e-6, atol=1e-6
    )


def test_where_most_predictions_are_the_same_the_robust_line_still_has_a_slope() -> None:
    prediction = np.where(np.arange(100) < 80, 0, np.arange(100)).astype(np.float32)
    np.testing.assert_allclose(astuple(align_robust(prediction, 0.5 * prediction)), (0.5, 0), atol=1e-9)


@pytest.mark.parametrize("name", ALIGNMENTS)
def test_invalid_pixels_have_no_influence_whatever_the_way(name: str) -> None:
    prediction, target, mask = random_pair()
    spoiled = np.where(mask, prediction, np.float32(np.nan)), np.where(mask, target, np.float32(np.inf))
    assert ALIGNMENTS[name](*spoiled, mask) == ALIGNMENTS[name](prediction[mask], target[mask])


@pytest.mark.parametrize("name", ALIGNMENTS)
def test_the_maps_are_left_as_they_are(name: str) -> None:
    pair = np.random.default_rng(6).normal(size=(2, 7, 9))
    before = pair.copy()
    ALIGNMENTS[name](*pair)
    np.testing.assert_array_equal(pair, before)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7])
@pytest.mark.parametrize(("name", "shift"), [("least_squares", 3.0), ("robust", 3.0), ("median_mad", 2.0)])
def test_a_constant_prediction_has_scale_0_and_the_targets_middle_as_shift(
    name: str, shift: float, value: float
) -> None:
    target = np.array([0, 1, 2, 3, 9], np.float32)
    assert ALIGNMENTS[name](np.full(5, value, np.float32), target) == Alignment(0.0, shift)


@pytest.mark.parametrize("name", WITH_SHIFT)
def test_a_constant_target_has_scale_0_and_itself_as_shift(name: str) -> None:
    alignment = ALIGNMENTS[name](np.arange(12, dtype=np.float32), np.full(12, 4, np.float32))
    assert astuple(alignment) == (pytest.approx(0, abs=1e-12), pytest.approx(4))


@pytest.mark.parametrize("name", SCALE_ONLY)
def test_a_constant_prediction_and_target_have_their_ratio_as_scale(name: str) -> None:
    assert ALIGNMENTS[name](np.full(5, 4.0), np.full(5, 2.0)) == Alignment(0.5, 0.0)


@pytest.mark.parametrize("name", ["least_squares", "robust"])
def test_two_pixels_are_met_exactly(name: str) -> None:
    alignment = ALIGNMENTS[name](np.array([1.0, 3.0]), np.array([5.0, 1.0]))
    assert astuple(alignment) == (pytest.approx(-2), pytest.approx(7))


@pytest.mark.parametrize("name", SCALE_ONLY)
def test_one_pixel_is_enough_for_a_scale(name: str) -> None:
    assert ALIGNMENTS[name](np.array([4.0]), np.array([-2.0])) == Alignment(-0.5, 0.0)


@pytest.mark.parametrize(("name", "valid"), [*((name, 1) for name in WITH_SHIFT), *((name, 0) for name in ALIGNMENTS)])
def test_too_few_valid_pixels_are_an_error_whatever_the_way(name: str, valid: int) -> None:
    with pytest.raises(AlignmentError, match=rf"need.* at least . valid pixels?, the mask has {valid}"):
        ALIGNMENTS[name](np.ones(4), np.ones(4), np.arange(4) < valid)


@pytest.mark.parametrize("name", SCALE_ONLY)
def test_no_scale_takes_a_prediction_of_zeros_to_a_target(name: str) -> None:
    with pytest.raises(AlignmentError, match="no scale takes it to the target"):
        ALIGNMENTS[name](np.zeros(4), np.ones(4))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("spoiled", [0, 1])
@pytest.mark.parametrize("name", ALIGNMENTS)
def test_a_valid_pixel_that_is_not_finite_is_an_error_whatever_the_way(name: str, spoiled: int, bad: float) -> None:
    pair = random_pair()[:2]
    pair[spoiled][2, 2] = bad
    with pytest.raises(AlignmentError, match="isn't finite on a valid pixel"):
        ALIGNMENTS[name](*pair)


def test_equal_weights_are_no_weights() -> None:
    prediction, target, mask = random_pair()
    weighted = align_least_squares(prediction, target, mask, np.full(mask.shape, 0.3))
    np.testing.assert_allclose(astuple(weighted), astuple(align_least_squares(prediction, target, mask)), rtol=1e-12)


def test_a_weight_counts_a_pixel_so_many_times() -> None:
    prediction, target, mask = random_pair()
    times = np.random.default_rng(4).integers(0, 4, mask.shape)
    repeated = (np.repeat(values[mask], times[mask]) for values in (prediction, target))
    weighted = align_least_squares(prediction, target, mask, times.astype(np.float32))
    np.testing.assert_allclose(astuple(weighted), astuple(align_least_squares(*repeated)), rtol=1e-9)


def test_weights_of_invalid_pixels_have_no_influence() -> None:
    prediction, target, mask = random_pair()
    weights = np.where(mask, np.float32(1), np.float32(np.nan))
    assert align_least_squares(prediction, target, mask, weights) == align_least_squares(prediction, target, mask)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_weight_that_is_none_is_an_error(bad: float) -> None:
    with pytest.raises(AlignmentError, match="weight is negative or not finite"):
        align_least_squares(np.arange(3.0), np.arange(3.0), None, np.array([1, bad, 1]))
