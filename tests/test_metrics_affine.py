"""Errors of disparity up to scale and shift: against plain loops, and what they must not depend on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from midas.alignment import align_least_squares
from midas.errors import MidasError
from midas.metrics import disparity_range, order_accuracy, range_error, sample_pairs


def random_maps(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    prediction, target = rng.uniform(1, 2, (2, 23, 31)).astype(np.float32)
    return prediction, target, rng.random((23, 31)) < 0.8


def test_the_range_error_is_the_mean_absolute_error_in_units_of_the_target_s_range() -> None:
    prediction, target, mask = random_maps()
    values = sorted(target[mask].tolist())
    errors = [abs(float(p) - float(t)) for p, t in zip(prediction[mask], target[mask], strict=True)]
    low, high = (np.interp(share * (len(values) - 1), range(len(values)), values) for share in (0.05, 0.95))
    assert disparity_range(target, mask) == pytest.approx(high - low)
    assert range_error(prediction, target, mask) == pytest.approx(100 * np.mean(errors) / (high - low), rel=1e-6)


def test_order_accuracy_is_the_share_of_distant_pairs_in_the_target_s_order() -> None:
    prediction, target, mask = random_maps()
    told = right = 0.0
    for a, b in zip(*sample_pairs(mask, 500, 3), strict=True):
        step, said = (float(values[tuple(a)]) - float(values[tuple(b)]) for values in (target, prediction))
        if abs(step) > 0.1 * disparity_range(target, mask):
            told += 1
            right += (said > 0) == (step > 0)
    assert order_accuracy(prediction, target, mask, pairs=500, seed=3) == pytest.approx(100 * right / told)


@pytest.mark.parametrize(("scale", "shift"), [(0.01, 0.0), (37.0, -60.0)])
def test_both_are_the_same_for_a_target_of_any_scale_and_shift(scale: float, shift: float) -> None:
    prediction, target, mask = random_maps()

    def figures(target: np.ndarray) -> tuple[float, float]:
        aligned = align_least_squares(prediction, target, mask).apply(prediction)
        return range_error(aligned, target, mask), order_accuracy(prediction, target, mask)

    assert figures((scale * target + shift).astype(np.float32)) == pytest.approx(figures(target), rel=1e-3)


def test_the_target_itself_is_right_its_negative_wrong_and_a_constant_in_the_middle() -> None:
    _, target, mask = random_maps()
    constant = np.ones_like(target)
    assert [order_accuracy(values, target, mask) for values in (target, -target, constant)] == [100, 0, 50]
    assert range_error(target, target, mask) == 0


def test_what_lies_outside_the_mask_has_no_influence() -> None:
    prediction, target, mask = random_maps()
    elsewhere = np.where(mask, prediction, 1e6).astype(np.float32), np.where(mask, target, -1e6).astype(np.float32)
    assert range_error(*elsewhere, mask) == range_error(prediction, target, mask)
    assert order_accuracy(*elsewhere, mask) == order_accuracy(prediction, target, mask)


@pytest.mark.parametrize("metric", [range_error, order_accuracy])
def test_without_a_range_or_with_numbers_that_are_none_there_is_no_figure(metric: Callable[..., float]) -> None:
    prediction, target, mask = random_maps()
    with pytest.raises(MidasError, match="its range is no unit for errors"):
        metric(prediction, np.ones_like(target), mask)
    with pytest.raises(MidasError, match="the prediction isn't finite"):
        metric(np.full_like(prediction, np.nan), target, mask)
    with pytest.raises(MidasError, match="the target isn't finite"):
        metric(prediction, np.full_like(target, np.inf), mask)
