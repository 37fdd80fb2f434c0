"""A cluster that has graphics cards on some of its nodes: on Ray's books alone, since here there is none."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.scale.small_pictures import write_pictures
from tests.scale.workers_on_ray import StandInWorker, Whereabouts

from midas.models.zoo import DEFAULT_MODEL
from midas.scale import job as jobs
from midas.scale.engine import Engine
from midas.scale.job import Manner, plan, work
from midas.scale.settings import Recipe
from midas.scale.spread import spread
from midas.storage.addresses import Place

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # Ray warns of its own settings

SMALL = {"object_store_memory": 100 << 20}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head without processors, a node with one, and a node with one and, so it says, a graphics card."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    for name, value in {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}.items():
        monkeypatch.setenv(name, value)
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **SMALL})
    found.plain = found.add_node(num_cpus=1, **SMALL)
    found.card = found.add_node(num_cpus=1, num_gpus=1, **SMALL)
    found.wait_for_nodes()
    yield found
    found.shutdown()


def test_workers_are_told_of_the_card_on_its_node_and_of_none_on_the_other(cluster: Any, tmp_path: Path) -> None:
    engine = Engine("ray", address=cluster.address, gpu_share=0.5)
    seen = set(spread(partial(Whereabouts, tmp_path), range(100), engine))
    by_card = {one for one in seen if one.device == "cuda"}
    assert {one.node for one in by_card} == {cluster.card.node_id}
    assert {one.cards for one in by_card} == {"0"}
    assert len({one.process for one in by_card}) <= 2
    # Ray may put a worker of the other kind beside it, too, where cores are free: it is told of no card there.
    assert not {one for one in seen - by_card if one.cards}
    assert {one.item for one in seen} == set(range(100))
    alone = set(spread(Whereabouts, range(20), Engine("ray", address=cluster.address, one_kind=True)))
    assert ({one.device for one in alone}, len(alone)) == ({"cuda"}, 20)


@pytest.mark.parametrize("lost", [False, True])
def test_both_kinds_of_nodes_do_one_job_and_cards_end_it_when_processors_are_lost(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    monkeypatch.setattr(jobs, "ShardWorker", StandInWorker)
    write_pictures(tmp_path / "in", 60)
    recipe = Recipe(model=DEFAULT_MODEL, packing="parquet")
    destination = Place.of(tmp_path / "out")
    planned = plan([str(tmp_path / "in")], destination, recipe, Manner(shard_size=5))
    finished: list[int] = []

    def show(report: Any) -> None:
        finished.append(report.shard)
        if lost and len(finished) == 2:
            cluster.remove_node(cluster.plain, allow_graceful=False)

    summary = work(planned, Engine("ray", address=cluster.address), show=show)
    assert summary.is_complete, summary
    assert summary.status.done == 60
    assert len(finished) == len(set(finished)) == 12
    assert len(list((tmp_path / "out").glob("maps-*.parquet"))) == 12
    receipts = [json.loads(path.read_text()) for path in (tmp_path / "out/_midas/receipts").glob("*.json")]
    kinds = {"batches of 32" in receipt["runs_on"] for receipt in receipts}
    assert lost or kinds == {True, False}
