"""Work spread over processes and clusters: every item once at least, whatever dies, and a processor left for Ray."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus_miniature import write_miniature

from midas.errors import ConfigError, CostWarning, MidasError, ModelError
from midas.evaluation.candidates import PlaneCandidate
from midas.evaluation.runs import Benchmark, open_benchmark, run
from midas.scale.engine import Engine
from midas.scale.on_ray import RayWorker, _bound_on_deaths, _End, _until_ended, pools_for
from midas.scale.processes import DEATHS_IN_A_ROW
from midas.scale.scoring import scores_by
from midas.scale.share import Share, core_groups, cores_here
from midas.scale.spread import spread
from midas.scale.together import _room_for

TWO = Engine("local", workers=2, cores=1)


class Squares:
    """A worker for these tests; where a folder is named, the process that first comes to an item dies there."""

    def __init__(self, folder: str = "", *, share: Share) -> None:
        self.folder = folder
        assert share.cores in (0, 1)

    def __call__(self, item: int) -> int:
        if self.folder and item % 5 == 0:
            mark = Path(self.folder, str(item))
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return item * item


def test_every_item_is_done_by_two_processes_and_by_this_one() -> None:
    squares = [item * item for item in range(12)]
    assert sorted(spread(Squares, range(12), TWO)) == squares
    assert sorted(spread(Squares, range(12), Engine("local", workers=1))) == squares


def test_items_of_workers_that_are_killed_are_done_by_others(tmp_path: Path) -> None:
    assert set(spread(partial(Squares, str(tmp_path)), range(10), TWO)) == {item * item for item in range(10)}


class Dying(Squares):
    """Never finishes anything."""

    def __call__(self, item: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0


@pytest.mark.slow
def test_workers_that_always_die_end_the_work() -> None:
    with pytest.raises(MidasError, match=f"died {DEATHS_IN_A_ROW} times"):
        list(spread(Dying, range(3), TWO))


class Cores(Squares):
    """Says which core it may run on, once another process has come to the other item."""

    def __call__(self, item: int) -> int:
        with Path(self.folder, "pipe").open("rw"[item]):
            (core,) = os.sched_getaffinity(0)
            return core


@pytest.mark.skipif(len(cores_here()) < 2, reason="one core can't be shared out")
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores can't be chosen here")
def test_each_process_keeps_to_its_own_cores(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert set(spread(partial(Cores, str(tmp_path)), range(2), TWO)) == set(cores_here()[:2])


class Unmakeable:
    """A worker that there can't be."""

    def __init__(self, *, share: Share) -> None:
        raise ModelError("there is no such network")


@pytest.mark.parametrize("workers", [1, 2])
def test_why_workers_cannot_be_made_is_said_and_not_taken_for_their_death(
    workers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match="there is no such network"):
        list(spread(Unmakeable, range(3), Engine("local", workers=workers, cores=1)))
    assert capfd.readouterr().err == ""


def test_errors_of_a_worker_are_results_to_ray_which_would_begin_it_anew() -> None:
    (result,) = RayWorker(Unmakeable, Share())({"item": np.array([3])})["result"]
    assert isinstance(result, ModelError)


@given(st.integers(1, 64), st.integers(1, 16))
def test_core_groups_have_all_cores_once(cores: int, per_worker: int) -> None:
    groups = core_groups(list(range(cores)), per_worker)
    assert [core for group in groups for core in group] == list(range(cores))
    assert all(len(group) >= min(per_worker, cores) for group in groups)


@given(st.lists(st.integers(1, 128), min_size=1, max_size=6), st.integers(1, 8))
def test_workers_leave_something_of_each_node_free_on_ray_s_books(cpus: list[int], cores: int) -> None:
    nodes = [{"CPU": float(count)} for count in cpus]
    (pool,) = pools_for(nodes, Engine("ray", cores=cores))
    width = pool.share.cores
    assert pool.workers == sum(max(1, count // width) for count in cpus)
    for count in cpus:
        asked = pool.cpus * max(1, count // width)
        assert asked <= count - min(1.0, count / 2) + 1e-9
        assert pool.cpus > 0


def test_cards_and_processors_work_at_the_same_job() -> None:
    nodes = [{"CPU": 16.0, "GPU": 2.0}, {"CPU": 8.0}, {"memory": 1.0}]
    cards, processors = pools_for(nodes, Engine("ray", gpu_share=0.5))
    assert (cards.workers, cards.gpus, cards.share.device) == (4, 0.5, "cuda")
    assert cards.cpus * 4 < 16
    assert (processors.workers, processors.gpus, processors.share.cores) == (2, 0.0, 4)
    with pytest.raises(ModelError, match="has processors or graphics cards; start one"):
        pools_for([{"memory": 1.0}], Engine("ray"))


def ended(*pools: Sequence[object]) -> queue.Queue[Any]:
    results: queue.Queue[Any] = queue.Queue()
    for pool in pools:
        for result in pool:
            results.put(result)
    return results


def test_workers_of_one_kind_that_give_up_are_named_and_of_both_end_the_work() -> None:
    broken = _End(ModelError("no card can be used"))
    with pytest.warns(CostWarning, match="no card can be used"):
        assert list(_until_ended(ended([broken], [1, 2, _End()]), 2)) == [1, 2]
    with pytest.raises(ModelError, match="no card can be used"):
        list(_until_ended(ended([broken], [1, broken]), 2))


MIXED = [{"CPU": 16.0, "GPU": 2.0}, {"CPU": 8.0}]


@pytest.mark.parametrize(
    ("engine", "devices", "workers"),
    [
        (Engine("ray", workers=3), ["cuda", "cpu"], [2, 1]),
        (Engine("ray", workers=1), ["cuda"], [1]),
        (Engine("ray", device="cuda"), ["cuda"], [2]),
        (Engine("ray", device="cpu"), ["cpu"], [6]),
        (Engine("ray", one_kind=True), ["cuda"], [2]),
        (Engine("ray", one_kind=True, device="cpu"), ["cpu"], [6]),
    ],
)
def test_wishes_for_a_device_and_a_number_of_workers_hold_for_the_whole_cluster(
    engine: Engine, devices: list[str], workers: list[int]
) -> None:
    pools = pools_for(MIXED, engine)
    assert [pool.share.device for pool in pools] == devices
    assert [pool.workers for pool in pools] == workers
    with pytest.raises(ModelError, match="no node of the cluster has graphics cards"):
        pools_for(MIXED[1:], Engine("ray", device="cuda:0"))


@pytest.mark.parametrize(("processes", "cores", "wide"), [(None, None, 4), (2, None, 4), (5, None, 1), (4, 2, 2)])
def test_processes_that_learn_together_are_as_many_as_are_wished_for(
    processes: int | None, cores: int | None, wide: int
) -> None:
    pool = _room_for([{"CPU": 4.0}, {"CPU": 4.0}], Engine("ray", workers=processes, cores=cores))
    assert (pool.workers, pool.share.cores, pool.gpus) == (processes or 2, wide, 0.0)
    cards = _room_for(MIXED, Engine("ray", workers=2))
    assert (cards.workers, cards.gpus) == (2, 1.0)
    for nodes, wished in (([{"CPU": 4.0}], 5), (MIXED, 3)):
        with pytest.raises(ConfigError, match=f"not for {wished}"):
            _room_for(nodes, Engine("ray", workers=wished))


def test_engines_are_chosen_by_the_number_of_pictures_and_wrong_wishes_are_refused() -> None:
    assert Engine().chosen(100) == "local"
    assert Engine(address="auto").chosen(100) == "ray"
    for wrong in (
        {"name": "dask"},
        {"name": "local", "address": "auto"},
        {"name": "local", "gpu_share": 0.5},
        {"gpu_share": 0.0},
        {"workers": 0},
        {"cores": -1},
    ):
        with pytest.raises(ConfigError):
            Engine(**wrong)  # type: ignore[arg-type]


def miniature(folder: Path) -> Benchmark:
    write_miniature(folder / "set", split="eval")
    return open_benchmark("corpus", folder / "set")


def figures(benchmark: Benchmark, engine: Engine | None) -> list[tuple[str, tuple[float, ...]]]:
    plane = PlaneCandidate(tilted=True)
    metrics = benchmark.protocol.metrics
    elsewhere = None
    if engine is not None:
        elsewhere = lambda candidate, indices: scores_by(engine, candidate, benchmark, indices, metrics)  # noqa: E731
    return [(score.name, score.figures) for score in run(plane, benchmark, elsewhere=elsewhere).scores]


def test_figures_of_an_evaluation_do_not_depend_on_who_measures(tmp_path: Path) -> None:
    benchmark = miniature(tmp_path)
    assert figures(benchmark, TWO) == figures(benchmark, None)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray warns of its own settings
def test_ray_gives_the_figures_of_one_process_too(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    benchmark = miniature(tmp_path)
    assert figures(benchmark, Engine("ray", workers=1, cores=1)) == figures(benchmark, None)


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [2, 5])
def test_a_cluster_that_falls_apart_loses_nothing_and_does_no_finished_shard_again(tmp_path: Path, nodes: int) -> None:
    pytest.importorskip("ray")
    from tests.scale.faults import Options, disturbed_run

    options = Options(
        400, nodes, kill_every_s=4.0, remove_after_s=10.0, driver_killed_after_s=14.0, arguments=["--shard-size", "10"]
    )
    outcome = disturbed_run(tmp_path, options)
    assert outcome.is_good, outcome
    assert outcome.killed_workers
    assert outcome.removed_nodes == 1
    assert outcome.finished_before_second_start


def test_deaths_are_bounded_where_ray_can_be_told_and_elsewhere_it_still_runs() -> None:
    def today(fn: object, *, num_cpus: float | None = None, **ray_remote_args: object) -> None: ...
    def one_day(fn: object, *, num_cpus: float | None = None) -> None: ...

    assert _bound_on_deaths(today)["max_task_retries"] > 0
    assert _bound_on_deaths(one_day) == {}
