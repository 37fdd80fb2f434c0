"""A small campaign: `make campaign` runs a large one."""

from __future__ import annotations

import numpy as np
import pytest
from tests.campaign.__main__ import parts
from tests.campaign.mutations import MUTATIONS, mutate
from tests.campaign.seeds import maps, pictures

PICTURES = 200


def test_at_least_15_formats_are_damaged() -> None:
    assert len(pictures()) >= 15
    assert len(maps()) >= 6


def test_damage_is_the_same_for_the_same_numbers_and_differs_for_others() -> None:
    whole = bytes(range(256)) * 8
    made = [mutate(whole, np.random.default_rng([0, number]), whole) for number in range(200)]
    assert made == [mutate(whole, np.random.default_rng([0, number]), whole) for number in range(200)]
    assert len(set(made)) > 150
    assert len(MUTATIONS) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("name", parts(PICTURES, seed=1))
def test_a_part_finds_no_fault(name: str) -> None:
    part = parts(PICTURES, seed=1)[name]()
    assert part.faults == {}
    assert part.tried or part.outcomes
