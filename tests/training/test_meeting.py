"""Processes that torchrun begins again meet each other, whatever dead ones have left in its store."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from torch.distributed import HashStore, Store

from midas.errors import TrainingError
from midas.training.meeting import part_of_these


def meet(store: Store, processes: int, late: int | None = None) -> list[Store]:
    """What each of them gets; that one comes a while after the others."""

    def come(rank: int) -> Store:
        time.sleep(0.3 if rank == late else 0)
        return part_of_these(store, rank, processes, timedelta(seconds=20))

    with ThreadPoolExecutor(processes) as pool:
        return list(pool.map(come, range(processes)))


def share(parts: list[Store], value: str) -> None:
    """As addresses are exchanged: each writes its own, all read all."""
    for rank, part in enumerate(parts):
        part.set(f"address/{rank}", f"{value} {rank}")
    for part in parts:
        assert [part.get(f"address/{rank}").decode() for rank in range(len(parts))] == [
            f"{value} {rank}" for rank in range(len(parts))
        ]


@pytest.mark.parametrize("late", [None, 0, 1, 2])
def test_those_that_are_alive_share_a_part_without_what_the_dead_wrote(late: int | None) -> None:
    store = HashStore()
    dead = meet(store, 3)
    share(dead, "dead")
    alive = meet(store, 3, late)
    assert not any(part.check([f"address/{rank}"]) for part in alive for rank in range(3))
    share(alive, "alive")
    assert dead[0].get("address/1") == b"dead 1"


def test_processes_that_died_before_they_met_are_waited_for_by_nobody() -> None:
    store = HashStore()
    for rank in (1, 2):  # process 0 never came
        with pytest.raises(TrainingError, match=f"process {rank} of 3 waited for process 0"):
            part_of_these(store, rank, 3, timedelta(seconds=0.1))
    with pytest.raises(TrainingError, match="of 3 processes these have not come: 1, 2"):  # nor do they now
        part_of_these(store, 0, 3, timedelta(seconds=0.1))
    share(meet(store, 3), "alive")
