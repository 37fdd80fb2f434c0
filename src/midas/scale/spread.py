"""Work spread over workers: one small adaptor for this machine's processes and for Ray, whatever the work is.

A worker is made once in each process, by a function of the share of the machine that it has there, and then called with
one item after the other. It must not matter if an item is done twice: that is how nothing is lost when workers die.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from midas.errors import MissingExtraError
from midas.scale.engine import Engine, MakeWorker


def spread(make: MakeWorker, items: Sequence[int], engine: Engine, *, weight: int = 1) -> Iterator[Any]:
    """What workers make of items, as it is ready, in any order. When the iterator is closed, they are ended.

    On a cluster some nodes of which have graphics cards, both kinds of workers come to each item, unless the engine is
    for one kind: the worker finds out whether the item is done already, and the results of both are given.

    Args:
        make: makes a worker of a ``Share``.
        items: numbers that mean something to the worker.
        engine: where.
        weight: pictures in an item, by which ``auto`` chooses.

    Raises:
        MidasError: workers can't be made, or keep dying.
        MissingExtraError: Ray is not installed.
    """
    if engine.chosen(len(items) * weight) == "local":
        from midas.scale.processes import spread_here

        return spread_here(make, items, engine)
    if find_spec("ray") is None:
        raise MissingExtraError("--engine ray", "scale")
    from midas.scale.on_ray import spread_on_ray

    return spread_on_ray(make, items, engine)
