"""``midas batch`` on Ray itself, begun once for all of these tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.cli.test_render import write_folders
from tests.corpus_miniature import write_miniature
from tests.scale.small_pictures import outputs_of
from tests.scale.workers_on_ray import DiesOfOne
from typer.testing import CliRunner

from midas.cli import app
from midas.errors import ConfigError, MidasError
from midas.scale import on_ray
from midas.scale.engine import Engine
from midas.scale.spread import spread
from midas.scale.worker import ShardWorker

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # Ray warns of its own settings


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray = pytest.importorskip("ray")
    small = {"include_dashboard": False, "log_to_driver": False, "object_store_memory": 128 << 20}
    ray.init(address="local", num_cpus=2, **small)
    yield
    ray.shutdown()


def batch(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["batch", *map(str, arguments), "--shard-size", "4", "--quiet", "--json"])
    return found.exit_code, found.stdout


def test_ray_writes_what_this_machine_writes_and_does_nothing_again(tmp_path: Path, pictures: Path, tiny: Path) -> None:
    for engine in ("local", "ray"):
        job = [pictures, "-o", tmp_path / engine, "--model", tiny, "--engine", engine, "--workers", "1"]
        code, said = batch(*job)
        assert (code, json.loads(said)["worked"], json.loads(said)["failed"]) == (1, 11, 1)
    here, there = outputs_of(tmp_path / "local"), outputs_of(tmp_path / "ray")
    assert here.pop("errors.parquet")
    assert there.pop("errors.parquet")
    assert there == here
    code, said = batch(*job)
    assert (code, json.loads(said)["worked"]) == (1, 0)


def test_an_evaluation_has_the_same_figures_for_each_picture(tmp_path: Path, tiny: Path) -> None:
    write_miniature(tmp_path / "set", split="eval")
    files = [tmp_path / f"{engine}.csv" for engine in ("local", "ray")]
    for path in files:
        command = ["evaluate", "--root", str(tmp_path / "set"), "--model", str(tiny), "--csv", str(path)]
        found = CliRunner().invoke(app, [*command, "--engine", path.stem])
        assert found.exit_code == 0, found.output
    here, there = (sorted(path.read_text().splitlines()) for path in files)
    assert len(here) > 2
    assert there == here


def test_rendered_scenes_are_the_same_pictures(tmp_path: Path) -> None:
    root = write_folders(tmp_path, "good")
    for engine in ("local", "ray"):
        options = ["--environment", root / "environment", "--library", root / "library", "-o", root / engine]
        command = ["data", "render", *map(str, options), "--count", "4", "--workers", "1", "--engine", engine]
        found = CliRunner().invoke(app, command)
        assert found.exit_code == 0, found.output
    here, there = (
        {path.relative_to(root / engine): path.read_bytes() for path in (root / engine).glob("*/*/*.*g")}
        for engine in ("local", "ray")
    )
    assert len(here) >= 4
    assert there == here


def test_a_worker_that_dies_of_one_item_again_and_again_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "_DEATHS_OF_AN_ITEM", 2)
    with pytest.raises(MidasError, match="the cluster gave the work up"):
        list(spread(DiesOfOne, range(4), Engine("ray", workers=1, cores=1)))


def test_ray_says_why_workers_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no job by now"):
        list(spread(partial(ShardWorker, str(tmp_path), "0" * 32), range(3), Engine("ray", workers=1, cores=1)))
