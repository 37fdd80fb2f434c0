"""A domain: several sets behind the face of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from midas.datasets.domain import Domain
from midas.datasets.reader import Reader
from midas.datasets.sample import Sample
from midas.errors import ConfigError


@dataclass(frozen=True)
class Letters:
    """A set of so many pictures, blue above as sky is, unmeasured there, each with its own name."""

    name: str
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        image = np.full((40, 40, 3), 100, np.uint8)
        image[:20] = (90, 150, 230)
        disparity = np.zeros((40, 40), np.float32)
        disparity[20:] = 1.0
        return Sample(image, disparity, disparity > 0, f"{self.name}/{index}", metric=False, sparse=False)


def domain(**changes: object) -> Domain:
    arguments = {"sets": [Letters("a", 3), Letters("b", 5)], "weights": [3.0, 1.0], "sky": [True, False]} | changes
    return Domain("letters", **arguments)  # type: ignore[arg-type]


def test_a_domain_is_a_reader() -> None:
    assert isinstance(domain(), Reader)


def test_sets_are_drawn_by_their_weights_and_their_pictures_evenly() -> None:
    names = [domain()[index].name for index in range(2000)]
    assert np.mean([name.startswith("a") for name in names]) == pytest.approx(0.75, abs=0.04)
    assert names.count("a/0") == pytest.approx(500, abs=80)
    assert len(set(names)) == 8


def test_a_draw_is_the_same_at_every_call() -> None:
    assert [domain()[index].name for index in (5, 2**31 - 1)] == [domain()[index].name for index in (5, 2**31 - 1)]
    with pytest.raises(IndexError):
        domain()[2**31]


def test_sky_is_found_in_the_sets_that_ask_for_it() -> None:
    drawn = [domain()[index] for index in range(40)]
    assert all(sample.mask[:10].all() == sample.name.startswith("a") for sample in drawn)


@pytest.mark.parametrize(
    "changes", [{"sets": [], "weights": [], "sky": []}, {"weights": [1.0]}, {"weights": [1.0, 0.0]}]
)
def test_a_domain_needs_sets_and_a_weight_above_zero_for_each(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="weights above 0"):
        domain(**changes)
