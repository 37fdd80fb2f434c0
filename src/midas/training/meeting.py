"""How processes that ``torchrun`` begins again find each other, and not those that they take the place of.

Its agent keeps one store over all restarts, in which the addresses of dead processes lie under the names that the new
ones look under (PyTorch issue 135712): who reads before the other has written waits for a dead process until its time
is over, half an hour. The number of the restart is no way out: each machine counts its own. So each process says who it
is by a word that nobody had before, the first answers each with the name of a part of the store that is theirs alone,
and goes on answering until all have said that they know it. Nobody reads an answer to the dead.
"""

from __future__ import annotations

import atexit
import os
import time
import uuid
from datetime import timedelta

from lightning_fabric import Fabric
from torch import distributed
from torch.distributed import PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

from midas.errors import TrainingError

LIMIT = timedelta(minutes=10)

_LOOK_EVERY_S = 0.02
_HERE, _ANSWER, _KNOWN = "midas/here", "midas/answer", "midas/known"


def join_restarted(fabric: Fabric) -> None:
    """Begin the process group of one of several processes of ``torchrun``; of others, Fabric does.

    Args:
        fabric: before its launch, whose processes it then finds begun.

    Raises:
        TrainingError: not all processes have come within ten minutes.
    """
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return
    rank, processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), processes, False, LIMIT)
    device = fabric.device
    backend = distributed.get_default_backend_for_device(device)
    distributed.init_process_group(
        backend,
        store=part_of_these(store, rank, processes),
        rank=rank,
        world_size=processes,
        device_id=None if device.type == "cpu" else device,
    )
    if backend == "nccl":
        atexit.register(distributed.destroy_process_group)


def part_of_these(store: Store, rank: int, processes: int, limit: timedelta = LIMIT) -> Store:
    """The part of a store that only the processes that are alive know, the same for all of them.

    Args:
        store: which may hold what processes of the same ranks wrote before they died.
        rank, processes: which process this is, of how many. All of them call this.
        limit: how long to wait for the others.

    Raises:
        TrainingError: not all have come by then.
    """
    own = uuid.uuid4().hex
    end = time.monotonic() + limit.total_seconds()
    if rank == 0:
        _gather(store, own, processes, end)
        return PrefixStore(own, store)
    store.set(f"{_HERE}/{rank}", own)
    answer = f"{_ANSWER}/{own}"
    while not store.check([answer]):
        if time.monotonic() > end:
            raise TrainingError(f"process {rank} of {processes} waited for process 0 in vain: does it run, and where?")
        time.sleep(_LOOK_EVERY_S)
    name = store.get(answer).decode()
    store.set(f"{_KNOWN}/{name}/{rank}", own)
    return PrefixStore(name, store)


def _gather(store: Store, name: str, processes: int, end: float) -> None:
    """Answer whoever is or was there, until all ranks know the name."""
    answered: dict[int, str] = {}
    missing = set(range(1, processes))
    while missing:
        for rank in sorted(missing):
            if store.check([f"{_KNOWN}/{name}/{rank}"]):
                missing.remove(rank)
            elif store.check([f"{_HERE}/{rank}"]):
                other = store.get(f"{_HERE}/{rank}").decode()
                if answered.get(rank) != other:
                    answered[rank] = other
                    store.set(f"{_ANSWER}/{other}", name)
        if missing and time.monotonic() > end:
            numbers = ", ".join(map(str, sorted(missing)))
            raise TrainingError(f"of {processes} processes these have not come: {numbers}; do they run, and where?")
        time.sleep(_LOOK_EVERY_S if missing else 0)
