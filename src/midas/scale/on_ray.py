"""Workers on a Ray cluster: Ray Data schedules them, moves items to them, and does again what was lost.

The one door to Ray, but for ``midas.scale.together``, which comes in by it.

Two things it must not be left to do. Actors that take every processor of a node leave none for Ray's own tasks, and the
job waits for ever (seen in 2.60, open as ray#44687): a worker therefore asks for a little less than the cores that it
uses, so that each node keeps one free on Ray's books. And items come from the driver's memory, not from a read task, so
that the first of them need no processor either.
"""

from __future__ import annotations

import io
import logging
import os
import queue
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

from midas.errors import CostWarning, MidasError, ModelError, net
from midas.scale.engine import Engine, MakeWorker, made
from midas.scale.share import CORES_PER_WORKER, Share

# Before Ray is imported: it neither reports its use, nor says what every worker says, nor draws bars of its own, nor
# starts a cluster for a thread that still asks something of one that has ended.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",
}

_OBJECT_STORE_BYTES = 128 * 1024 * 1024  # items are numbers, results are counts
_ITEMS_PER_BLOCK = 4
_MOST_BLOCKS = 2048
_DEATHS_OF_AN_ITEM = 20  # of the workers that do it; Ray would begin it for ever
_LEAST_FREE = 0.5  # of the only processor of a node


@dataclass(frozen=True)
class Pool:
    """Workers of one kind.

    Attributes:
        workers: how many.
        cpus: that each asks Ray for.
        gpus: likewise.
        share: what each is told to use.
    """

    workers: int
    cpus: float
    gpus: float
    share: Share


def pools_for(nodes: Sequence[dict[str, float]], engine: Engine) -> list[Pool]:
    """The workers that a cluster has room for: on its graphics cards, and on the processors of nodes without one.

    Args:
        nodes: the resources of each node, by Ray's names.
        engine: wishes.

    Raises:
        ModelError: the cluster lacks what the work is to run on.
    """
    wide = engine.cores or CORES_PER_WORKER
    cards = [node for node in nodes if node.get("GPU", 0) > 0] if engine.takes_cards else []
    plain = [node for node in nodes if node.get("CPU", 0) > 0 and node not in cards]
    plain = plain if engine.takes_processors and not (engine.one_kind and cards) else []
    pools = []
    if cards:
        count = sum(int(node["GPU"] / engine.gpu_share) for node in cards)
        scarce = min(node.get("CPU", 1.0) / (node["GPU"] / engine.gpu_share) for node in cards)
        pools.append(Pool(count, max(0.0, round(scarce * 0.5, 2)), engine.gpu_share, Share(device="cuda")))
    if plain:
        cores = min(wide, int(min(max(1.0, node["CPU"]) for node in plain)))
        count = sum(max(1, int(node["CPU"] // cores)) for node in plain)
        pools.append(Pool(count, _asked_for(cores, plain), 0.0, Share(cores=cores)))
    if not pools:
        wanted = " or ".join(["processors"] * engine.takes_processors + ["graphics cards"] * engine.takes_cards)
        raise ModelError(f"no node of the cluster has {wanted}; start one that has, or choose another --device")
    return _bounded(pools, engine.workers)


def _asked_for(cores: int, nodes: Sequence[dict[str, float]]) -> float:
    """Processors that a worker asks for, so that each node has one left when it is full."""
    return min(int(100 * _spare(node["CPU"]) / max(1, int(node["CPU"] // cores))) / 100 for node in nodes)


def _spare(cpus: float) -> float:
    """Processors of a node that workers may ask for together: all but one, of one a half."""
    return max(cpus - 1, min(cpus, 1.0) * _LEAST_FREE)


def _bounded(pools: list[Pool], workers: int | None) -> list[Pool]:
    """No more workers than are wished for, those with graphics cards first."""
    bounded, left = [], sum(pool.workers for pool in pools) if workers is None else workers
    for pool in pools:
        count = min(pool.workers, left)
        left -= count
        if count:
            bounded.append(replace(pool, workers=count))
    return bounded


def spread_on_ray(make: MakeWorker, items: Sequence[int], engine: Engine) -> Iterator[Any]:
    """``midas.scale.spread.spread`` on a cluster; a cluster that was started for it ends with it.

    Raises:
        MidasError: the cluster can't be reached, or gives the work up.
    """
    with connected(engine) as ray:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        pools = pools_for(nodes, engine)
        results: queue.Queue[Any] = queue.Queue()
        # Pools take the same items in opposite orders: a worker finds out by itself what is done already.
        threads = [
            threading.Thread(
                target=_run, args=(ray, make, list(items)[:: 1 if number % 2 == 0 else -1], pool, results), daemon=True
            )
            for number, pool in enumerate(pools)
        ]
        for thread in threads:
            thread.start()
        yield from _until_ended(results, len(threads))


class _End:
    """Put behind the last result of a pool.

    Attributes:
        error: why it ended early; None if it didn't.
    """

    def __init__(self, error: MidasError | None = None) -> None:
        self.error = error


def _until_ended(results: queue.Queue[Any], pools: int) -> Iterator[Any]:
    """Results of all pools; if one gives up, the others go on, for they may do its part too.

    Warns:
        CostWarning: one has given up.
    """
    errors = []
    for _ in range(pools):
        while not isinstance(result := results.get(), _End):
            yield result
        if result.error is not None:
            errors.append(result.error)
    if len(errors) == pools:
        raise errors[0]
    for error in errors:  # cards that are paid for, say, and can't be used
        warnings.warn(f"some of the cluster's workers did nothing more: {error}", CostWarning, stacklevel=2)


def _run(ray: Any, make: MakeWorker, items: list[int], pool: Pool, results: queue.Queue[Any]) -> None:
    try:
        with net("the cluster gave the work up", MidasError, "what is finished stays; the same command goes on"):
            for result in _results(ray, make, items, pool):
                results.put(result)
    except MidasError as error:
        results.put(_End(error))
    else:
        results.put(_End())


def _bound_on_deaths(map_batches: Callable[..., Any]) -> dict[str, Any]:
    """What bounds how often an item is begun again, where this Ray can be told: it means to take that away in 2.64."""
    takes_more = any(each.kind is each.VAR_KEYWORD for each in signature(map_batches).parameters.values())
    return {"max_task_retries": _DEATHS_OF_AN_ITEM} if takes_more else {}


def _results(ray: Any, make: MakeWorker, items: list[int], pool: Pool) -> Iterator[Any]:
    blocks = max(1, min(_MOST_BLOCKS, -(-len(items) // _ITEMS_PER_BLOCK)))
    dataset = ray.data.from_items([{"item": item} for item in items], override_num_blocks=min(blocks, len(items)))
    done = dataset.map_batches(
        RayWorker,
        fn_constructor_args=(make, pool.share),
        batch_size=1,
        num_cpus=pool.cpus,
        num_gpus=pool.gpus or None,
        concurrency=(1, pool.workers) if pool.workers > 1 else 1,
        **_bound_on_deaths(dataset.map_batches),
    )
    for batch in done.iter_batches(batch_size=1, batch_format="numpy", prefetch_batches=0):
        result = batch["result"][0]
        if isinstance(result, MidasError):
            raise result
        yield result


class RayWorker:
    """What Ray keeps in one of its processes: a worker that was made there.

    Errors of ours are results: raised in there, they would come back as pages of Ray's, or the actor would be begun
    again.

    Args:
        make: makes it.
        share: what it may use.
    """

    def __init__(self, make: MakeWorker, share: Share) -> None:
        if share.cores:
            os.environ["OMP_NUM_THREADS"] = str(share.cores)
        self._work = made(make, share)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do a batch of one item."""
        import numpy as np

        result = np.empty(1, object)
        try:
            result[0] = self._work(int(batch["item"][0]))
        except MidasError as error:
            result[0] = error
        return {"result": result}


@contextmanager
def connected(engine: Engine, *, heard: bool = False) -> Iterator[Any]:
    """Ray's own module, while there is a cluster; one that was started for the block ends with it.

    Args:
        engine: which cluster.
        heard: whether what its processes say on standard error is said here.

    Raises:
        MidasError: it can't be reached or started.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray
    import ray.data

    with redirect_stdout(_Unheard()):  # Ray says there that a worker has died, among lines that others read
        yield from _session(ray, engine, heard=heard)


class _Unheard(io.TextIOBase):
    """Takes what nobody asked for; the logs of the cluster have it too."""

    def write(self, text: str) -> int:
        """Drop it."""
        return len(text)


def _session(ray: Any, engine: Engine, *, heard: bool) -> Iterator[Any]:
    ours = not ray.is_initialized()
    if ours:
        with net("Ray can't be started or reached", MidasError, "check --address, and that all nodes have this Ray"):
            _start(ray, engine, heard=heard)
    _calm(ray)
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


def _start(ray: Any, engine: Engine, *, heard: bool) -> None:
    quiet = {"logging_level": logging.ERROR, "log_to_driver": heard}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about versions to come
        if engine.address is not None:
            ray.init(address=engine.address, **quiet)
            return
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        ray.init(
            address="local",
            num_cpus=cpus,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            **quiet,
        )


def _calm(ray: Any) -> None:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.verbose_progress = False
    # A worker that dies is the cluster's affair and is replaced as often as it has to be.
    context.max_errored_blocks = 0
    logging.getLogger("ray.data").setLevel(logging.ERROR)
