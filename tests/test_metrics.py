"""Depth metrics: a plain loop, hand-made examples, the laws they keep, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import midas.metrics as package
from midas.errors import MidasError
from midas.metrics import METRICS, PAIR_METRICS, abs_rel, rmse, rmse_log, si_log, valid_pixels

LOGARITHMIC = ["rmse_log", "log10_error", "si_log", "kitti_si_log"]
DELTAS = [name for name in METRICS if name.startswith("delta")]
ERRORS = [name for name in METRICS if METRICS[name].lower_is_better]

# Each over one pixel's p and t, and then over the mean of those.
PLAIN: dict[str, tuple[Callable[[float, float], float], Callable[[float], float]]] = {
    "abs_rel": (lambda p, t: abs(p - t) / t, float),
    "sq_rel": (lambda p, t: (p - t) ** 2 / t, float),
    "rmse": (lambda p, t: (p - t) ** 2, math.sqrt),
    "rmse_log": (lambda p, t: (math.log(p) - math.log(t)) ** 2, math.sqrt),
    "log10_error": (lambda p, t: abs(math.log10(p) - math.log10(t)), float),
    "delta1_accuracy": (lambda p, t: max(p / t, t / p) < 1.25, lambda mean: 100 * mean),
    "delta2_accuracy": (lambda p, t: max(p / t, t / p) < 1.25**2, lambda mean: 100 * mean),
    "delta3_accuracy": (lambda p, t: max(p / t, t / p) < 1.25**3, lambda mean: 100 * mean),
    "delta1_outliers": (lambda p, t: max(p / t, t / p) > 1.25, lambda mean: 100 * mean),
    "delta2_outliers": (lambda p, t: max(p / t, t / p) > 1.25**2, lambda mean: 100 * mean),
    "delta3_outliers": (lambda p, t: max(p / t, t / p) > 1.25**3, lambda mean: 100 * mean),
}


def random_depths(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    prediction, target = rng.uniform(0.5, 5, (2, 9, 11)).astype(np.float32)
    return prediction, target, rng.random((9, 11)) < 0.5


def si_log_slowly(prediction: np.ndarray, target: np.ndarray, mask: np.ndarray, mean_weight: float) -> float:
    """Eigen et al. 2014, as it is written there."""
    d = [math.log(float(p)) - math.log(float(t)) for p, t in zip(prediction[mask], target[mask], strict=True)]
    return math.sqrt(sum(x**2 for x in d) / len(d) - mean_weight * (sum(d) / len(d)) ** 2)


@pytest.mark.parametrize("name", PLAIN)
def test_a_metric_equals_a_plain_loop(name: str) -> None:
    prediction, target, mask = random_depths()
    term, of_mean = PLAIN[name]
    terms = [term(float(p), float(t)) for p, t in zip(prediction[mask], target[mask], strict=True)]
    expected = of_mean(sum(terms) / len(terms))
    assert METRICS[name].function(prediction, target, mask) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("mean_weight", [0.0, 0.5, 0.85, 1.0])
def test_the_scale_invariant_error_equals_a_plain_loop(mean_weight: float) -> None:
    expected = si_log_slowly(*random_depths(), mean_weight)
    assert si_log(*random_depths(), mean_weight) == pytest.approx(expected, rel=1e-12)


def test_kittis_scale_invariant_error_is_a_hundred_standard_deviations_of_the_logarithms_difference() -> None:
    prediction, target, mask = random_depths()
    difference = np.log(prediction[mask].astype(np.float64)) - np.log(target[mask].astype(np.float64))
    assert METRICS["kitti_si_log"].function(prediction, target, mask) == pytest.approx(100 * difference.std())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("abs_rel", (0.5 + 0.5 + 0) / 3),
        ("sq_rel", (0.5 + 1 + 0) / 3),
        ("rmse", math.sqrt((1 + 4 + 0) / 3)),
        ("rmse_log", math.sqrt((math.log(1.5) ** 2 + math.log(0.5) ** 2) / 3)),
        ("log10_error", (math.log10(1.5) + math.log10(2)) / 3),
        ("delta1_accuracy", 100 / 3),
        ("delta1_outliers", 200 / 3),
        ("delta2_accuracy", 200 / 3),
        ("delta3_accuracy", 200 / 3),
        ("delta3_outliers", 100 / 3),
    ],
)
def test_a_metric_is_what_one_finds_by_hand(name: str, expected: float) -> None:
    prediction, target = np.array([3.0, 2.0, 7.0]), np.array([2.0, 4.0, 7.0])
    assert METRICS[name].function(prediction, target) == pytest.approx(expected)


@pytest.mark.parametrize("power", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_pixel_at_the_very_threshold_is_neither_accurate_nor_an_outlier(power: int, dtype: type) -> None:
    target = np.array([1.0, 3.0, 0.7, 123.456], dtype)
    prediction = target * dtype(1.25**power)
    exact = prediction.astype(np.float64) == target.astype(np.float64) * 1.25**power
    assert exact[:2].all()
    for kind in ("accuracy", "outliers"):
        assert METRICS[f"delta{power}_{kind}"].function(prediction, target, exact) == 0


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_prediction_has_no_error_and_all_its_pixels_are_accurate(name: str) -> None:
    _, target, mask = random_depths()
    assert METRICS[name].function(target, target, mask) == (0 if METRICS[name].lower_is_better else 100)


@pytest.mark.parametrize("name", [*LOGARITHMIC, *DELTAS, "rmse"])
def test_prediction_and_target_may_change_places(name: str) -> None:
    prediction, target, mask = random_depths()
    metric = METRICS[name].function
    assert metric(prediction, target, mask) == pytest.approx(metric(target, prediction, mask), rel=1e-12)


@given(st.floats(1e-3, 1e3))
def test_a_factor_of_the_prediction_does_not_change_the_scale_invariant_error(factor: float) -> None:
    prediction, target, mask = random_depths()
    scaled = factor * prediction.astype(np.float64)
    assert si_log(scaled, target, mask) == pytest.approx(si_log(prediction, target, mask), rel=1e-9)


def test_without_its_mean_term_the_scale_invariant_error_is_the_logarithmic_one() -> None:
    assert si_log(*random_depths(), mean_weight=0.0) == pytest.approx(rmse_log(*random_depths()))


@pytest.mark.parametrize("name", sorted({*METRICS} - {"sq_rel", "rmse"}))
def test_a_metric_without_unit_is_the_same_in_feet(name: str) -> None:
    prediction, target, mask = random_depths()
    feet = 3.28084 * prediction.astype(np.float64), 3.28084 * target.astype(np.float64)
    metric = METRICS[name].function
    assert metric(*feet, mask) == pytest.approx(metric(prediction, target, mask), rel=1e-9)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_accurate_pixels_and_outliers_are_all_pixels(power: int) -> None:
    accuracy, outliers = (METRICS[f"delta{power}_{kind}"].function for kind in ("accuracy", "outliers"))
    assert accuracy(*random_depths()) + outliers(*random_depths()) == pytest.approx(100)


@pytest.mark.parametrize("spoiled", [np.nan, np.inf, 0.0, -1.0])
@pytest.mark.parametrize("name", METRICS)
def test_pixels_outside_the_mask_have_no_influence(name: str, spoiled: float) -> None:
    prediction, target, mask = random_depths()
    metric = METRICS[name].function
    changed = (np.where(mask, values, np.float32(spoiled)) for values in (prediction, target))
    assert metric(*changed, mask) == metric(prediction, target, mask)


@pytest.mark.parametrize("name", METRICS)
def test_no_mask_is_a_mask_that_is_true_everywhere(name: str) -> None:
    prediction, target, mask = random_depths()
    metric = METRICS[name].function
    assert metric(prediction, target) == metric(prediction, target, np.ones_like(mask))
    assert metric(prediction[mask], target[mask]) == metric(prediction, target, mask)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_leaves_its_arrays_as_they_are(name: str) -> None:
    depths = np.random.default_rng(1).uniform(1, 2, (2, 50))
    before = depths.copy()
    METRICS[name].function(*depths)
    np.testing.assert_array_equal(depths, before)


def test_valid_pixels_of_double_precision_and_without_mask_are_not_copied() -> None:
    depths = np.random.default_rng(1).uniform(1, 2, (2, 5, 7))
    assert all(np.shares_memory(pixels, depths) for pixels in valid_pixels(*depths))


@pytest.mark.parametrize("mask", [np.zeros(3, np.bool_), None])
@pytest.mark.parametrize("name", METRICS)
def test_an_empty_mask_is_an_error(name: str, mask: np.ndarray | None) -> None:
    depths = np.ones(3 if mask is not None else 0)
    with pytest.raises(MidasError, match="at least one valid pixel"):
        METRICS[name].function(depths, depths, mask)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("spoiled", [0, 1])
@pytest.mark.parametrize("name", [*LOGARITHMIC, *DELTAS])
def test_a_ratio_of_values_that_are_not_positive_and_finite_is_an_error(name: str, spoiled: int, bad: float) -> None:
    depths = np.ones((2, 3))
    depths[spoiled, 1] = bad
    with pytest.raises(MidasError, match=f"{('prediction', 'target')[spoiled]}'s valid .* expected them positive"):
        METRICS[name].function(*depths)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("spoiled", [0, 1])
@pytest.mark.parametrize("name", ["abs_rel", "sq_rel", "rmse"])
def test_values_that_are_not_finite_are_an_error(name: str, spoiled: int, bad: float) -> None:
    depths = np.ones((2, 3))
    depths[spoiled, 1] = bad
    with pytest.raises(MidasError, match=r"expected them .*finite"):
        METRICS[name].function(*depths)


@pytest.mark.parametrize("name", ["abs_rel", "sq_rel"])
def test_an_error_relative_to_nothing_is_an_error(name: str) -> None:
    with pytest.raises(MidasError, match="target's valid pixels run from 0 to 1"):
        METRICS[name].function(np.ones(2), np.array([0.0, 1.0]))


def test_a_prediction_behind_the_camera_still_has_a_relative_error() -> None:
    assert abs_rel(np.array([-1.0]), np.array([2.0])) == 1.5
    assert rmse(np.array([-1.0]), np.array([2.0])) == 3


@pytest.mark.parametrize("mean_weight", [-0.1, 1.1, math.nan])
def test_a_weight_of_the_mean_outside_0_to_1_is_an_error(mean_weight: float) -> None:
    with pytest.raises(MidasError, match="mean_weight"):
        si_log(*random_depths(), mean_weight)


@pytest.mark.parametrize("table", [METRICS, PAIR_METRICS])
def test_a_metric_is_listed_by_the_name_of_its_function(table: dict[str, package.Metric]) -> None:
    for name, metric in table.items():
        assert name == metric.name == metric.function.__name__
        assert getattr(package, name) is metric.function
        assert ("lower" if metric.lower_is_better else "higher") in (metric.function.__doc__ or "")
    assert len({metric.label for metric in table.values()}) == len(table)


def test_errors_and_accuracies_are_told_apart() -> None:
    assert {name for name in METRICS if name not in ERRORS} == {name for name in DELTAS if "accuracy" in name}


def test_torchmetrics_gives_the_same_figures() -> None:
    torchmetrics = pytest.importorskip("torchmetrics.functional")
    torch = pytest.importorskip("torch")
    prediction, target = valid_pixels(*random_depths())
    p, t = torch.from_numpy(prediction), torch.from_numpy(target)
    theirs = {
        "abs_rel": torchmetrics.mean_absolute_percentage_error(p, t),
        "rmse": torchmetrics.mean_squared_error(p, t, squared=False),
        "rmse_log": torchmetrics.mean_squared_error(p.log(), t.log(), squared=False),
        "log10_error": torchmetrics.mean_absolute_error(p.log10(), t.log10()),
    }
    for name, figure in theirs.items():
        assert METRICS[name].function(prediction, target) == pytest.approx(float(figure), rel=1e-9)
