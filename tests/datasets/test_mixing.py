"""The rules of sharing: each set gets its part, and the same draw comes back."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midas.datasets.mixing import MixingRule, batch_plan, expected_shares
from midas.errors import ConfigError, DatasetError

RULES = get_args(MixingRule)
WEIGHTS = (1.0, 2.0, 5.0)
SIZES = (30, 60, 10)


def plans(rule: MixingRule, batch_size: int, batches: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([batch_plan(rule, WEIGHTS, SIZES, batch_size, rng) for _ in range(batches)])


@pytest.mark.parametrize(
    ("rule", "shares"),
    [
        ("naive", (1 / 3, 1 / 3, 1 / 3)),
        ("weighted", (0.125, 0.25, 0.625)),
        ("dataset_uniform", (1 / 3, 1 / 3, 1 / 3)),
        ("by_size", (0.3, 0.6, 0.1)),
    ],
)
def test_each_set_gets_its_share_in_the_long_run(rule: MixingRule, shares: tuple[float, ...]) -> None:
    counts = np.bincount(plans(rule, 10, 2000).ravel(), minlength=3)
    assert expected_shares(rule, WEIGHTS, SIZES) == pytest.approx(shares)
    assert counts / counts.sum() == pytest.approx(shares, abs=0.01)


@pytest.mark.parametrize("rule", RULES)
def test_a_plan_depends_on_the_generator_alone(rule: MixingRule) -> None:
    first, again, other = (
        batch_plan(rule, WEIGHTS, SIZES, 64, np.random.default_rng(seed)).tolist() for seed in (3, 3, 4)
    )
    assert first == again != other
    assert set(first) == {0, 1, 2}


@given(sets=st.integers(1, 12), batch_size=st.integers(0, 40), seed=st.integers(0, 99), data=st.data())
def test_in_equal_parts_counts_differ_by_at_most_one_in_a_batch_and_in_any_slice_of_it(
    sets: int, batch_size: int, seed: int, data: st.DataObject
) -> None:
    plan = batch_plan("naive", [1.0] * sets, [9] * sets, batch_size, np.random.default_rng(seed))
    start, end = sorted(data.draw(st.integers(0, batch_size)) for _ in range(2))
    for part in (plan, plan[start:end]):
        counts = np.bincount(part, minlength=sets)
        assert counts.max() - counts.min() <= 1


def test_what_is_left_over_of_equal_parts_goes_to_every_set_equally_often() -> None:
    counts = np.stack([np.bincount(plan, minlength=3) for plan in plans("naive", 8, 3000)])
    assert set(counts.ravel()) == {2, 3}
    assert (counts == 3).mean(axis=0) == pytest.approx([2 / 3] * 3, abs=0.03)


def test_a_set_of_weight_zero_is_never_drawn_and_may_be_empty() -> None:
    plan = batch_plan("weighted", (0.0, 1.0), (0, 5), 100, np.random.default_rng(0))
    assert set(plan) == {1}


@pytest.mark.parametrize("weights", [(0.0, 0.0, 0.0), (1.0, -1.0, 1.0), (1.0, float("nan"), 1.0), (1.0, 1.0)])
def test_weights_that_are_no_shares_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="weight"):
        expected_shares("weighted", weights, SIZES)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("sizes", [(3, 0, 4), ()])
def test_an_empty_set_and_no_set_are_refused(rule: MixingRule, sizes: tuple[int, ...]) -> None:
    with pytest.raises(DatasetError, match=r"hold no sample|no data set"):
        batch_plan(rule, [1.0] * len(sizes), sizes, 4, np.random.default_rng(0))
