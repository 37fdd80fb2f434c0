"""Training beyond one process: shared statistics, uneven batches, shards in a store, and a rank that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from pathlib import Path

import pytest
import torch
from tests.corpus_miniature import write_miniature
from tests.scale.faults import MARK, marked_processes
from tests.training.processes import (
    ALONE,
    TWO,
    command,
    quiet,
    same_weights,
    train,
    wait_for_checkpoint,
    weights_of,
    write_config,
)
from torch import distributed, multiprocessing, nn

from midas.datasets.catalogue import open_reader
from midas.datasets.shard_members import Packing
from midas.datasets.shards import pack
from midas.errors import ConfigError, DatasetError
from midas.training.config import RunSettings
from midas.training.distributed import launch
from midas.training.run_folder import check_continuing
from midas.training.shared_statistics import share_statistics
from midas.training.state import CHECKPOINT

# With batch normalisations, and batches of five, which two processes can't divide evenly.
CONFIG = """
[model]
name = "midas_nano_256"
weights = "pretrained"

[data]
root = "{root}"
sizes = [[64, 96]]
[[data.sets]]
name = "miniature"

[optimizer]
decoder_rate = 1e-5
encoder_rate = 1e-6

[run]
epochs = 2
pictures_per_epoch = 13
batch_size = 5
precision = "float32"
threads = 1
workers = 0
checkpoint_steps = 1
fast_layers = "off"
"""


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    return write_config(tmp_path, CONFIG)


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    # Without biases, whose gradients before a normalisation are rounding alone.
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 2, 1, bias=False),
        nn.BatchNorm2d(2),
    )


def pictures() -> torch.Tensor:
    return 100 + torch.randn(5, 3, 8, 10, generator=torch.Generator().manual_seed(1))


def gradients_and_statistics(network: nn.Module, maps: torch.Tensor) -> list[torch.Tensor]:
    (network(maps) ** 3).sum().backward()
    return [parameter.grad.clone() for parameter in network.parameters()] + [  # type: ignore[union-attr]
        buffer.clone().double() for buffer in network.buffers()
    ]


def _one_of_two(rank: int, rendezvous: str, results: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2)
    network = layers()
    assert share_statistics(network) == 2
    own = pictures()[:2] if rank == 0 else pictures()[2:]
    found = gradients_and_statistics(network, own)
    parameters = len(list(network.parameters()))
    for gradient in found[:parameters]:
        distributed.all_reduce(gradient)
    torch.save(found, f"{results}.{rank}")
    distributed.destroy_process_group()


def test_batch_normalisations_of_two_uneven_processes_are_those_of_one(tmp_path: Path) -> None:
    expected = gradients_and_statistics(layers(), pictures())
    multiprocessing.spawn(_one_of_two, (str(tmp_path / "meet"), str(tmp_path / "found")), nprocs=2)
    for rank in range(2):
        found = torch.load(tmp_path / f"found.{rank}")
        for one, other in zip(expected, found, strict=True):
            torch.testing.assert_close(other, one, rtol=2e-4, atol=2e-4 * float(one.abs().max()))


def test_alone_nothing_is_shared() -> None:
    assert share_statistics(layers()) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("launcher", "devices"), [(TWO, 1), (ALONE, 2)], ids=["torchrun", "run.devices"])
def test_of_several_processes_one_speaks(launcher: list[str], devices: int, config_path: Path, tmp_path: Path) -> None:
    said = train(launcher, config_path, "-o", tmp_path / "two", "--set", f"run.devices={devices}")
    (line,) = said.splitlines()
    assert line.startswith("best validation figure")


@pytest.mark.slow
def test_two_processes_with_shared_statistics_learn_what_one_learns_from_uneven_batches(
    config_path: Path, tmp_path: Path
) -> None:
    train(ALONE, config_path, "-o", tmp_path / "one")
    train(TWO, config_path, "-o", tmp_path / "two", "--set", "run.sync_batch_norm=true")
    train(TWO, config_path, "-o", tmp_path / "apart")
    one, two, apart = (weights_of(tmp_path / name) for name in ("one", "two", "apart"))
    shared, alone = (
        sum(float((one[name] - other[name]).abs().sum()) for name in one if one[name].is_floating_point())
        for other in (two, apart)
    )
    assert shared < 0.02 * alone
    assert len((tmp_path / "two" / "log.csv").read_text().splitlines()) == 3


@pytest.mark.slow
def test_a_killed_process_is_begun_again_by_torchrun_to_the_same_weights(config_path: Path, tmp_path: Path) -> None:
    changes = ("--set", "run.epochs=4", "--continue")
    train(TWO, config_path, "-o", tmp_path / "whole", *changes)
    command_of_parts = command([*TWO, "--max-restarts", "3"], config_path, "-o", tmp_path / "parts", *changes)
    launcher = subprocess.Popen(command_of_parts, env=quiet(), stderr=subprocess.PIPE, text=True)
    wait_for_checkpoint(tmp_path / "parts", 200)
    ranks = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")
    if not ranks.exists():
        launcher.kill()
        pytest.skip("which processes are whose is read from /proc")
    os.kill(int(ranks.read_text().split()[1]), signal.SIGKILL)
    _, errors = launcher.communicate(timeout=280)
    assert launcher.returncode == 0, errors[-3000:]
    assert "SIGKILL" in errors or "exitcode: -9" in errors or "Signal 9" in errors, errors[-3000:]
    assert same_weights(tmp_path / "whole", tmp_path / "parts")


def test_machines_with_unlike_numbers_of_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="3 processes, 2 of them on this machine"):
        launch(RunSettings(epochs=1, pictures_per_epoch=3, batch_size=3))


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_processes_that_ray_begins_end_with_the_weights_of_those_of_torchrun(
    config_path: Path, tmp_path: Path, killed: bool
) -> None:
    pytest.importorskip("ray")
    changes = ("--set", "run.epochs=4")
    train(TWO, config_path, "-o", tmp_path / "torchrun", *changes)
    by_ray = command(ALONE, config_path, "-o", tmp_path / "ray", "--engine", "ray", "--processes", "2", *changes)
    mark = uuid.uuid4().hex
    run = subprocess.Popen(
        by_ray, env=quiet() | {MARK: mark}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if killed:
        wait_for_checkpoint(tmp_path / "ray", 200)
        processes = marked_processes(mark, "RayTrainWorker")
        assert len(processes) == 2
        os.kill(processes[1], signal.SIGKILL)
    said, errors = run.communicate(timeout=500)
    assert run.returncode == 0, errors[-3000:]
    assert said.startswith("best validation figure")
    assert "epoch 1/4" in errors
    assert same_weights(tmp_path / "torchrun", tmp_path / "ray")
    assert not list((tmp_path / "ray").glob(".ray-*"))


@pytest.mark.slow
def test_what_is_wrong_with_a_run_that_ray_begins_is_said_in_a_sentence(config_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    config_path.write_text(config_path.read_text().replace('name = "miniature"', 'name = "nowhere"'))
    by_ray = command(ALONE, config_path, "-o", tmp_path / "ray", "--engine", "ray", "--processes", "2")
    done = subprocess.run(by_ray, env=quiet(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.rpartition("midas: error: ")[2]
    assert "nowhere" in last.splitlines()[0]
    assert "begin again" not in done.stderr


@pytest.mark.parametrize("cached", [False, True])
def test_shards_in_a_store_give_the_samples_of_the_set(tmp_path: Path, cached: bool) -> None:
    fsspec = pytest.importorskip("fsspec")
    write_miniature(tmp_path / "miniature")
    reader = open_reader("corpus", tmp_path / "miniature")
    pack(reader, tmp_path / "shards", Packing(samples_per_shard=2))
    store = fsspec.filesystem("memory")
    for path in (tmp_path / "shards").iterdir():
        store.pipe_file(f"/{tmp_path.name}/{path.name}", path.read_bytes())
    address = f"memory://{tmp_path.name}"
    cache = str(tmp_path / "cache") if cached else ""
    shards = open_reader("shards", "", address=address, cache=cache)
    assert len(shards) == len(reader)
    for index in range(len(reader)):
        assert (shards[index].image == reader[index].image).all()
        assert (shards[index].disparity == reader[index].disparity).all()  # type: ignore[union-attr]
    store.rm(f"/{tmp_path.name}/shard-000000.tar")
    if cached:
        assert (shards[0].image == reader[0].image).all()
    with pytest.raises(DatasetError, match="is missing"):
        open_reader("shards", "", address=address)


def test_continuing_begins_resumes_and_never_removes_a_finished_run(tmp_path: Path) -> None:
    assert check_continuing(tmp_path, resume=False, overwrite=False) == (False, True)
    (tmp_path / "last.safetensors").touch()
    assert check_continuing(tmp_path, resume=False, overwrite=False) == (False, False)
    (tmp_path / CHECKPOINT).touch()
    assert check_continuing(tmp_path, resume=False, overwrite=False) == (True, False)
    with pytest.raises(ConfigError, match="leave out"):
        check_continuing(tmp_path, resume=True, overwrite=False)
