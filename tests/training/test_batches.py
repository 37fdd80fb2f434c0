"""What a loader's processes raise reaches the run as it was raised, in one line; a process that dies is said so."""

from __future__ import annotations

import os

import pytest
from torch.utils.data import DataLoader, Dataset

from midas.errors import DatasetError, MidasError, TrainingError
from midas.training.distributed import batches


class Failing(Dataset[int]):
    """Four numbers, of which the third is never there."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        if index == 2 and self.error is None:
            os._exit(3)
        if index == 2:
            assert self.error is not None
            raise self.error
        return index


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (DatasetError("set/a/2.jpg is damaged: get it again"), DatasetError, "set/a/2.jpg is damaged: get it again"),
        (ZeroDivisionError("division by zero"), TrainingError, "the processes that read samples fail: "),
    ],
    ids=["foreseen", "unforeseen"],
)
def test_an_error_of_a_sample_is_one_line(workers: int, error: Exception, kind: type[MidasError], text: str) -> None:
    found = batches(DataLoader(Failing(error), batch_size=None, num_workers=workers))
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(kind) as caught:
        next(found)
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


def test_a_process_that_dies_is_an_error_of_the_run() -> None:
    with pytest.raises(TrainingError, match="DataLoader worker"):
        list(batches(DataLoader(Failing(None), batch_size=None, num_workers=1)))
