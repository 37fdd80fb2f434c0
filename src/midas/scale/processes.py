"""Workers in processes of this machine, each with its cores; one that is killed is replaced, its item done again."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import wait as wait_for
from typing import Any

from midas.backends import AUTO
from midas.errors import MidasError
from midas.scale.engine import Engine, MakeWorker, Worker, made
from midas.scale.share import CORES_PER_WORKER, Share, core_groups, cores_here, graphics_device

DEATHS_IN_A_ROW = 5
"""So often workers may die before one item is finished; then it isn't chance."""

_worker: Worker | None = None


def spread_here(make: MakeWorker, items: Sequence[int], engine: Engine) -> Iterator[Any]:
    """``midas.scale.spread.spread`` on this machine.

    One worker works in this process, without the second that another takes to start.

    Raises:
        MidasError: workers keep dying, or can't be made.
    """
    device = graphics_device() if engine.device == AUTO else engine.device
    groups = _groups(engine.workers, engine.cores, device)
    if len(groups) == 1:
        return _alone(make, items, groups[0], device)
    return _side_by_side(make, items, groups)


def _groups(workers: int | None, cores: int | None, device: str) -> list[list[int]]:
    """The cores of each worker."""
    here = cores_here()
    if workers is None:
        if device not in (AUTO, "cpu"):
            return [here]  # one process feeds a card
        return core_groups(here, cores or CORES_PER_WORKER)
    if cores is None and workers <= len(here):
        return core_groups(here, len(here) // workers)[:workers]
    wide = cores or 1
    return [[here[(index * wide + offset) % len(here)] for offset in range(wide)] for index in range(workers)]


def _alone(make: MakeWorker, items: Sequence[int], cores: Sequence[int], device: str) -> Iterator[Any]:
    narrower = len(cores) < len(cores_here())
    work = make(share=Share(cores=len(cores) if narrower else 0, device=device))
    try:
        for item in items:
            yield work(item)
    finally:
        close = getattr(work, "close", None)  # of one that holds a process of its own
        if close is not None:
            close()


def _side_by_side(make: MakeWorker, items: Sequence[int], groups: list[list[int]]) -> Iterator[Any]:
    left, deaths = list(items), 0
    while left:
        finished: set[int] = set()
        try:
            for item, result in _pool(make, left, groups):
                finished.add(item)
                deaths = 0
                yield result
        except BrokenProcessPool as error:
            deaths += 1
            if deaths >= DEATHS_IN_A_ROW:
                raise MidasError(
                    f"workers died {deaths} times in a row without finishing anything: out of memory, perhaps; try "
                    "fewer with --workers. What is finished stays"
                ) from error
        left = [item for item in left if item not in finished]


def _pool(make: MakeWorker, items: Sequence[int], groups: list[list[int]]) -> Iterator[tuple[int, Any]]:
    context = multiprocessing.get_context("spawn")  # threads of runtimes don't survive a fork
    numbers = context.SimpleQueue()
    for number in range(len(groups)):
        numbers.put(number)
    count = min(len(groups), len(items))
    executor = ProcessPoolExecutor(count, context, _begin, (make, groups, numbers))
    under_way: dict[Future[Any], int] = {}
    waiting = iter(items)
    try:
        while True:
            while len(under_way) < 2 * count and (item := next(waiting, None)) is not None:
                under_way[executor.submit(_work, item)] = item
            if not under_way:
                return
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                yield under_way.pop(future), future.result()
    finally:
        children = multiprocessing.active_children()
        executor.shutdown(wait=False, cancel_futures=True)
        if under_way:  # stopped, or one has died
            for child in children:
                child.terminate()
        for child in children:
            child.join()


def _begin(make: MakeWorker, groups: list[list[int]], numbers: Any) -> None:
    """In a new process: take the cores of one of the groups, and make the worker."""
    global _worker
    threading.Thread(target=_end_with_parent, daemon=True, name="midas-parent").start()
    cores = groups[numbers.get()]
    numbers.close()
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # where it may not choose
            os.sched_setaffinity(0, cores)
    os.environ["OMP_NUM_THREADS"] = str(len(cores))
    _worker = made(make, Share(cores=len(cores), device="cpu"))


def _work(item: int) -> Any:
    assert _worker is not None
    return _worker(item)


def _end_with_parent() -> None:
    """Nobody asks for more work when the process that began this one was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)
