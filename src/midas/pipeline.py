"""Stages of work: one runs ahead of the next, in threads, in order, within a bound; one groups items into batches."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from queue import Empty, Queue
from threading import Event
from typing import Any, TypeVar

MAX_THREADS = 512
"""The most threads that any of our options takes: those of the largest machines, and none that takes long to start."""

MAX_BATCH = 1024
"""The most pictures that go through a network at once."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Processors that this process may use, which may be fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)  # of Linux alone
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def run_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int, waiting: int = 1
) -> Generator[Future[Result], None, None]:
    """``function`` of each item, computed in threads ahead of the consumer.

    The items are drawn in the consumer's thread, so that a stage before this one may be a plain generator.

    Args:
        function: the work; it gains from threads as far as it releases the interpreter lock, as decoders, encoders and
            network runtimes do.
        items: what to work on, finite or not.
        workers: number of threads.
        waiting: how many items may be queued or done beside those that the threads are at.

    Yields:
        One future per item, in the items' order; ``result()`` waits for it and raises what ``function`` raised. When
        the generator is closed, work that has begun is finished and the rest is dropped.
    """
    begun: deque[Future[Result]] = deque()
    executor = ThreadPoolExecutor(workers, thread_name_prefix=f"midas-{getattr(function, '__name__', 'stage')}")
    try:
        for item in items:
            begun.append(executor.submit(function, item))
            del item  # it may be large, and the thread that works on it lets go of it sooner
            if len(begun) >= workers + waiting:
                yield begun.popleft()
        while begun:
            yield begun.popleft()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def drawn_ahead(items: Generator[Item, None, None], *, waiting: int = 4) -> Generator[Item, None, None]:
    """The same items, drawn in a thread of their own ahead of the consumer: a stage that keeps a state, as films have.

    Args:
        items: what to draw; closed in its thread, whether or not all of it was drawn.
        waiting: how many may lie between the two.

    Yields:
        The items in order; what drawing one raised is raised in its place. When the generator is closed, the thread
        ends after the item that it is at.
    """
    end, places, stopped = object(), Queue[Any](waiting), Event()

    def draw() -> None:
        try:
            with closing(items):
                for item in items:
                    places.put(item)
                    del item
                    if stopped.is_set():
                        return
        finally:
            places.put(end)

    executor = ThreadPoolExecutor(1, thread_name_prefix="midas-stage")
    drawing = executor.submit(draw)
    try:
        while (item := places.get()) is not end:
            yield item
        drawing.result()
    finally:
        stopped.set()
        while not drawing.done():  # it may be waiting for a place
            with suppress(Empty):
                places.get(timeout=0.02)
        executor.shutdown()


def group_alike(items: Iterable[Item], key: Callable[[Item], object], *, most: int) -> Iterator[list[Item]]:
    """Neighbours of one key together, in order; a group that is full doesn't wait for the next item.

    Args:
        items: finite or not.
        key: what the items of a group share.
        most: how many items a group has at most.

    Yields:
        Groups of one item or more.
    """
    group: list[Item] = []
    for item in items:
        if group and key(item) != key(group[0]):
            yield group
            group = []
        group.append(item)
        if len(group) == most:
            yield group
            group = []
    if group:
        yield group
