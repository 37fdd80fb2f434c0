"""Metrics of sharpness against plain loops, and the laws that they keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest

from midas.errors import MidasError
from midas.metrics import BOUNDARY_THRESHOLDS, BoundaryScores, boundary_scores, sobel_edge_scores

Scores = Callable[..., BoundaryScores]

PERFECT = BoundaryScores(1.0, 1.0, 1.0)
NEIGHBOURS = [(0, 1), (0, -1), (1, 0), (-1, 0)]
STEP = np.repeat([[1.0, 1.0, 1.0, 3.0, 3.0, 3.0]], 6, axis=0)


def random_maps(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = rng.choice([1.0, 1.08, 1.3, 2.0], (12, 15))
    prediction = target * rng.choice([1.0, 1.0, 1.1], target.shape)
    return prediction.astype(np.float32), target.astype(np.float32), rng.random(target.shape) < 0.8


def contours_slowly(depth: np.ndarray, mask: np.ndarray, ratio: float, step: tuple[int, int]) -> set[tuple[int, int]]:
    """Pixels whose neighbour in one direction is farther by more than a ratio."""
    found, (height, width) = set(), depth.shape
    for row in range(height):
        for column in range(width):
            r, c = row + step[0], column + step[1]
            both_valid = 0 <= r < height and 0 <= c < width and mask[row, column] and mask[r, c]
            if both_valid and float(depth[r, c]) > ratio * float(depth[row, column]):
                found.add((row, column))
    return found


def edges_slowly(depth: np.ndarray, mask: np.ndarray, threshold: float) -> set[tuple[int, int]]:
    """Pixels with a long Sobel gradient, all of whose neighbours are valid."""
    kernel, found = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]), set()
    for row in range(1, depth.shape[0] - 1):
        for column in range(1, depth.shape[1] - 1):
            window = np.s_[row - 1 : row + 2, column - 1 : column + 2]
            around = depth[window].astype(np.float64)
            length = np.hypot((kernel * around).sum(), (kernel.T * around).sum())
            if mask[window].all() and length > threshold:
                found.add((row, column))
    return found


def scores_slowly(predicted: set[tuple[int, ...]], true: set[tuple[int, ...]]) -> tuple[float, float, float]:
    precision, recall = len(predicted & true) / len(predicted), len(predicted & true) / len(true)
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("threshold", [1.05, 1.2, 1.25])
def test_boundary_scores_equal_a_plain_loop(threshold: float) -> None:
    prediction, target, mask = random_maps()
    predicted, true = (
        {(*place, *step) for step in NEIGHBOURS for place in contours_slowly(depth, mask, threshold, step)}
        for depth in (prediction, target)
    )
    scores = boundary_scores(prediction, target, mask, [threshold])
    assert astuple(scores) == pytest.approx(scores_slowly(predicted, true))


def test_per_direction_precision_and_recall_are_means_of_the_four() -> None:
    prediction, target, mask = random_maps()
    found = [[contours_slowly(depth, mask, 1.2, step) for depth in (prediction, target)] for step in NEIGHBOURS]
    precision, recall, _ = np.mean([scores_slowly(*pair) for pair in found], axis=0)
    scores = boundary_scores(prediction, target, mask, [1.2], per_direction=True)
    assert astuple(scores) == pytest.approx((precision, recall, 2 * precision * recall / (precision + recall)))


@pytest.mark.parametrize("per_direction", [False, True])
def test_scores_are_means_over_thresholds_weighted_with_them(per_direction: bool) -> None:
    maps = random_maps()
    each = [astuple(boundary_scores(*maps, [x], per_direction)) for x in BOUNDARY_THRESHOLDS]
    expected = np.average(each, axis=0, weights=BOUNDARY_THRESHOLDS)
    assert astuple(boundary_scores(*maps, per_direction=per_direction)) == pytest.approx(tuple(expected))


def test_the_thresholds_are_ten_from_5_to_25_percent() -> None:
    np.testing.assert_allclose(BOUNDARY_THRESHOLDS, np.linspace(1.05, 1.25, 10))


def test_a_perfect_prediction_scores_1() -> None:
    _, target, mask = random_maps()
    assert boundary_scores(target, target, mask) == PERFECT
    assert boundary_scores(target, target, mask, per_direction=True) == PERFECT
    assert sobel_edge_scores(target, target, mask) == PERFECT


def test_thresholds_at_which_there_is_nothing_to_find_are_left_out() -> None:
    shallow = np.where(STEP == 3, 1.12, 1.0)
    assert boundary_scores(shallow, shallow) == PERFECT


def test_by_the_authors_count_a_target_with_contours_one_way_only_scores_less_than_1() -> None:
    assert astuple(boundary_scores(STEP, STEP, per_direction=True)) == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize("factor", [0.1, 30.0])
def test_boundaries_do_not_change_with_a_factor(factor: float) -> None:
    prediction, target, mask = (values.astype(np.float64) for values in random_maps())
    expected = astuple(boundary_scores(prediction, target, mask > 0))
    assert astuple(boundary_scores(factor * prediction, target, mask > 0)) == pytest.approx(expected)


def test_boundaries_in_depth_are_boundaries_in_inverse_depth() -> None:
    prediction, target, mask = (values.astype(np.float64) for values in random_maps())
    expected = astuple(boundary_scores(prediction, target, mask > 0))
    assert astuple(boundary_scores(1 / prediction, 1 / target, mask > 0)) == pytest.approx(expected)


def test_a_boundary_one_pixel_off_is_wrong() -> None:
    assert boundary_scores(np.roll(STEP, 1, axis=1)[:, 1:], STEP[:, 1:]) == BoundaryScores(0.0, 0.0, 0.0)


def test_a_flat_prediction_finds_no_boundary() -> None:
    assert boundary_scores(np.ones_like(STEP), STEP) == BoundaryScores(0.0, 0.0, 0.0)
    assert sobel_edge_scores(np.ones_like(STEP), STEP) == BoundaryScores(0.0, 0.0, 0.0)


@pytest.mark.parametrize("threshold", [0.25, 0.5, 1.0, 2.0])
def test_sobel_edge_scores_equal_a_plain_loop(threshold: float) -> None:
    prediction, target, mask = random_maps()
    mask |= np.random.default_rng(1).random(mask.shape) < 0.8
    predicted, true = (edges_slowly(depth, mask, threshold) for depth in (prediction, target))
    expected = scores_slowly(predicted, true)
    assert astuple(sobel_edge_scores(prediction, target, mask, threshold)) == pytest.approx(expected)


@pytest.mark.parametrize("metric", [boundary_scores, sobel_edge_scores])
@pytest.mark.parametrize("spoiled", [np.nan, np.inf, -1.0, 1e9])
def test_pixels_outside_the_mask_have_no_influence(metric: Scores, spoiled: float) -> None:
    prediction, target, mask = random_maps()
    changed = (np.where(mask, values, np.float32(spoiled)) for values in (prediction, target))
    assert metric(*changed, mask) == metric(prediction, target, mask)


@pytest.mark.parametrize("metric", [boundary_scores, sobel_edge_scores])
def test_a_target_without_boundary_is_an_error(metric: Scores) -> None:
    with pytest.raises(MidasError, match="no depth boundary"):
        metric(STEP, np.ones_like(STEP))
    with pytest.raises(MidasError, match="no depth boundary"):
        metric(STEP, STEP, np.zeros(STEP.shape, np.bool_))


@pytest.mark.parametrize("metric", [boundary_scores, sobel_edge_scores])
@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("spoiled", [0, 1])
def test_a_valid_pixel_that_is_no_depth_is_an_error(metric: Scores, spoiled: int, bad: float) -> None:
    maps = np.stack([STEP, STEP])
    maps[spoiled, 2, 2] = bad
    with pytest.raises(MidasError, match=f"the {('prediction', 'target')[spoiled]} isn't positive and finite"):
        metric(*maps)


@pytest.mark.parametrize("thresholds", [[], [1.0], [1.2, 0.9]])
def test_a_threshold_that_is_no_ratio_above_1_is_an_error(thresholds: list[float]) -> None:
    with pytest.raises(MidasError, match="expected ratios above 1"):
        boundary_scores(STEP, STEP, None, thresholds)


def test_a_picture_too_small_for_a_gradient_has_no_edges() -> None:
    with pytest.raises(MidasError, match="no depth boundary"):
        sobel_edge_scores(np.ones((2, 5)), np.ones((2, 5)))
