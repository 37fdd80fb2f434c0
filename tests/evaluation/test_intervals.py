"""Bootstrap intervals of a mean."""

from __future__ import annotations

import numpy as np
import pytest

from midas.evaluation.intervals import bootstrap_interval

VALUES = np.random.default_rng(0).gamma(2.0, 3.0, 400)


def test_the_interval_is_that_of_the_normal_approximation_for_many_pictures() -> None:
    low, high = bootstrap_interval(VALUES)
    error = VALUES.std(ddof=1) / np.sqrt(len(VALUES))
    assert low == pytest.approx(VALUES.mean() - 1.96 * error, abs=0.25 * error)
    assert high == pytest.approx(VALUES.mean() + 1.96 * error, abs=0.25 * error)


def test_the_same_values_have_the_same_interval() -> None:
    assert bootstrap_interval(VALUES) == bootstrap_interval(VALUES.copy())


def test_one_picture_and_equal_pictures_leave_no_doubt() -> None:
    assert bootstrap_interval(np.array([3.0])) == (3.0, 3.0)
    assert bootstrap_interval(np.full(20, 2.0)) == (2.0, 2.0)


def test_a_picture_without_weight_does_not_count() -> None:
    weights = np.r_[np.ones(399), 0.0]
    outlier = np.r_[VALUES[:-1], 1e9]
    assert bootstrap_interval(outlier, weights)[1] < 10


def test_a_level_of_one_half_is_narrower_than_one_of_95_percent() -> None:
    wide, narrow = bootstrap_interval(VALUES), bootstrap_interval(VALUES, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_many_pictures_need_no_more_memory_at_once() -> None:
    low, high = bootstrap_interval(np.random.default_rng(1).normal(5, 1, 60_000))
    assert low < 5.01 < high + 0.02
