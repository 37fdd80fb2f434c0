"""A set in memory gives what its reader gives, once read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from midas.datasets.memory import InMemory
from midas.datasets.reader import Reader
from midas.datasets.sample import Sample
from midas.errors import DatasetError


@dataclass
class Counted:
    """Three pictures, blue above and unmeasured there as sky is, of which one may be damaged; counts what is read."""

    damaged: int | None = None
    reads: list[int] = field(default_factory=list)
    name: str = "counted"

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Sample:
        self.reads.append(index)
        if index == self.damaged:
            raise DatasetError(f"picture {index} is damaged")
        image = np.full((40, 40, 3), 100 + index, np.uint8)
        image[:20] = (90, 150, 230)
        disparity = np.zeros((40, 40), np.float32)
        disparity[20:] = 1.0 + index
        return Sample(image, disparity, disparity > 0, f"counted/{index}", metric=False, sparse=False)


def test_each_picture_is_read_once_however_often_it_is_drawn() -> None:
    reader = Counted()
    kept = InMemory(reader)
    drawn = [kept[index] for index in (0, 1, 2, 1, 0)]
    assert isinstance(kept, Reader)
    assert reader.reads == [0, 1, 2]
    assert [sample.name for sample in drawn] == [f"counted/{index}" for index in (0, 1, 2, 1, 0)]


def test_sky_is_found_once_if_it_is_asked_for() -> None:
    assert not InMemory(Counted())[0].mask[:10].any()
    with_sky = InMemory(Counted(), sky=True)[0]
    assert with_sky.mask[:10].all()
    assert not with_sky.disparity[:10].any()


def test_a_damaged_picture_is_an_error_when_it_is_drawn_and_not_before() -> None:
    kept = InMemory(Counted(damaged=1))
    assert len(kept) == 3
    with pytest.raises(DatasetError, match="picture 1 is damaged"):
        kept[1]
