"""A run that is killed, spread over processes or met by bad data loses nothing and says what happened."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.corpus_miniature import write_miniature
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

from midas.datasets.sample import PairSample
from midas.errors import ConfigError, DamageWarning, TrainingError
from midas.training import sources as sources_module
from midas.training import trainer as trainer_module
from midas.training.config import ParetoSettings, parse_config, read_config
from midas.training.distributed import StepSampler
from midas.training.trainer import Trainer

# Without batch normalisation, whose statistics are those of the pictures that one process sees.
CONFIG = """
[model]
encoder = "vit_tiny_patch16_224"
features = 16

[data]
root = "{root}"
sizes = [[64, 96]]
[[data.sets]]
name = "miniature"

[optimizer]
decoder_rate = 1e-3
encoder_rate = 1e-4

[run]
epochs = 3
pictures_per_epoch = 24
batch_size = 4
precision = "float32"
threads = 1
workers = 0
checkpoint_steps = 2
"""


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    return write_config(tmp_path, CONFIG)


def distance(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    return sum(float((first[name] - second[name]).abs().sum()) for name in first)


def test_a_run_killed_in_the_middle_of_an_epoch_ends_with_the_weights_of_an_uninterrupted_one(
    config_path: Path, tmp_path: Path
) -> None:
    train(ALONE, config_path, "-o", tmp_path / "whole")
    arguments = (config_path, "-o", tmp_path / "parts")
    killed = subprocess.Popen(command(ALONE, *arguments), env=quiet(), stderr=subprocess.DEVNULL)
    wait_for_checkpoint(tmp_path / "parts", 120)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    log = tmp_path / "parts" / "log.csv"
    assert not log.exists() or len(log.read_text().splitlines()) < 4
    train(ALONE, *arguments, "--resume")
    assert same_weights(tmp_path / "whole", tmp_path / "parts")


@pytest.fixture
def slow_config_path(config_path: Path) -> Path:
    # Slow enough that rounding isn't blown up from step to step, as training does with any small difference.
    slow = config_path.read_text().replace("1e-3", "1e-5").replace("1e-4", "1e-6")
    config_path.write_text(slow.replace("pictures_per_epoch = 24", "pictures_per_epoch = 8"))
    return config_path


@pytest.mark.parametrize("strategy", ["ddp", pytest.param("fsdp", marks=pytest.mark.slow)])
def test_two_processes_learn_what_one_learns_from_the_same_batches(
    slow_config_path: Path, tmp_path: Path, strategy: str
) -> None:
    train(ALONE, slow_config_path, "-o", tmp_path / "one")
    train(TWO, slow_config_path, "-o", tmp_path / "two", "--set", f"run.strategy={strategy}")
    one, two = weights_of(tmp_path / "one"), weights_of(tmp_path / "two")
    start = trainer_module.start_network(read_config(slow_config_path).model, 0).state_dict()
    assert distance(one, two) < 0.01 * distance(one, start)
    assert len((tmp_path / "two" / "log.csv").read_text().splitlines()) == 4


@pytest.mark.slow
def test_a_sharded_run_that_is_killed_goes_on_to_the_same_weights(slow_config_path: Path, tmp_path: Path) -> None:
    arguments = (slow_config_path, "--set", "run.strategy=fsdp", "-o")
    train(TWO, *arguments, tmp_path / "whole")
    killed = subprocess.Popen(
        command(TWO, *arguments, tmp_path / "parts"),
        env=quiet(), start_new_session=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for_checkpoint(tmp_path / "parts", 120)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    train(TWO, *arguments, tmp_path / "parts", "--resume")
    assert same_weights(tmp_path / "whole", tmp_path / "parts")


def config(tmp_path: Path, **changes: dict[str, Any]) -> Any:
    if not (tmp_path / "miniature").exists():
        write_miniature(tmp_path / "miniature")
    sections: dict[str, Any] = {
        "model": {"encoder": "vit_tiny_patch16_224", "features": 16},
        "data": {"root": str(tmp_path), "sets": [{"name": "miniature"}], "sizes": [[64, 96]]},
        "optimizer": {"decoder_rate": 1e-3, "encoder_rate": 1e-4},
        "run": {"epochs": 2, "pictures_per_epoch": 8, "batch_size": 4, "workers": 0, "precision": "float32"},
    }
    return parse_config({name: sections.get(name, {}) | changes.get(name, {}) for name in sections | changes})


def test_gradients_accumulated_over_parts_of_a_batch_are_those_of_the_batch(tmp_path: Path) -> None:
    slow = {"decoder_rate": 1e-5, "encoder_rate": 1e-6}
    for accumulate in (1, 2):
        settings = config(tmp_path, run={"accumulate": accumulate}, optimizer=slow)
        Trainer(settings, tmp_path / f"run{accumulate}").run()
    whole, parts = weights_of(tmp_path / "run1"), weights_of(tmp_path / "run2")
    start = trainer_module.start_network(settings.model, 0).state_dict()
    assert distance(whole, parts) < 0.01 * distance(whole, start)


def test_too_many_unreadable_samples_end_the_run_and_name_the_last(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature")
    for path in sorted((tmp_path / "miniature").glob("*/*.png"))[:4]:
        path.write_bytes(b"damaged")
    with pytest.warns(DamageWarning, match=r"a sample is left out: miniature\[\d\]: .*\d\.png is damaged"):
        Trainer(config(tmp_path, data={"unreadable_limit": 1000}), tmp_path / "patient").run()
    with (
        pytest.warns(DamageWarning),
        pytest.raises(TrainingError, match=r"more than data\.unreadable_limit 0; the last: miniature\["),
    ):
        Trainer(config(tmp_path, data={"unreadable_limit": 0}), tmp_path / "strict").run()


def test_a_loss_that_is_no_number_stops_the_run_with_its_batch_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = trainer_module.loss_terms
    monkeypatch.setattr(
        trainer_module, "loss_terms", lambda *arguments: original(*arguments)._replace(total=torch.tensor(float("nan")))
    )
    with pytest.raises(TrainingError, match=r"the loss is nan in epoch 1, step 1; its batch is in .*nan_batch\.pt"):
        Trainer(config(tmp_path), tmp_path / "run").run()
    saved = torch.load(tmp_path / "run" / "nan_batch.pt", weights_only=True)
    assert saved["pixels"].shape == (4, 3, 64, 96)
    assert saved["prediction"].shape == (4, 64, 96)


def test_a_run_without_gain_stops_and_keeps_only_its_best_epochs(tmp_path: Path) -> None:
    settings = config(
        tmp_path,
        data={"sets": [{"name": "miniature", "validation_scenes": ["b"]}]},
        optimizer={"decoder_rate": 1e-12, "encoder_rate": 1e-12},
        run={"epochs": 9, "patience": 2, "keep_best": 1},
    )
    run = Trainer(settings, tmp_path / "run")
    run.run()
    assert run.position.epoch < 9
    assert len(list((tmp_path / "run").glob("epoch_*.safetensors"))) == 1


def test_tensorboard_gets_scalars_and_pictures(tmp_path: Path) -> None:
    Trainer(config(tmp_path, run={"epochs": 1, "tensorboard": True}), tmp_path / "run").run()
    (events,) = (tmp_path / "run" / "tensorboard").glob("events*")
    content = events.read_bytes()
    assert b"pictures_per_s" in content
    assert b"PNG" in content


@pytest.mark.parametrize(("rank", "processes", "accumulate"), [(0, 1, 1), (0, 2, 1), (1, 2, 2), (3, 4, 1)])
def test_processes_and_pieces_share_each_step_s_samples(rank: int, processes: int, accumulate: int) -> None:
    shares = [
        list(StepSampler(24, 8, accumulate=accumulate, rank=other, processes=processes)) for other in range(processes)
    ]
    assert sorted(index for share in shares for piece in share for index in piece) == list(range(24))
    own = shares[rank]
    assert len(own) == 3 * accumulate
    assert own[0][0] == rank * 8 // processes


@pytest.mark.parametrize(
    ("pictures", "batch_size", "processes", "accumulate"), [(23, 8, 3, 1), (10, 7, 2, 3), (9, 4, 4, 1)]
)
def test_uneven_batches_are_shared_out_and_each_sample_counts_the_same(
    pictures: int, batch_size: int, processes: int, accumulate: int
) -> None:
    samplers = [
        StepSampler(pictures, batch_size, accumulate=accumulate, rank=rank, processes=processes)
        for rank in range(processes)
    ]
    pieces = [list(sampler) for sampler in samplers]
    left_out = pictures % batch_size if pictures % batch_size < processes * accumulate else 0
    assert sorted(index for own in pieces for piece in own for index in piece) == list(range(pictures - left_out))
    assert all(piece for own in pieces for piece in own)
    for step in samplers[0].steps:
        of_step = [len(own[step * accumulate + piece]) for own in pieces for piece in range(accumulate)]
        counts = [samplers[0].weight(step, samples) / samples for samples in of_step]
        assert counts == pytest.approx([len(of_step) / sum(of_step)] * len(counts))


def test_a_sampler_can_begin_in_the_middle() -> None:
    assert list(StepSampler(11, 4, first=2)) == list(StepSampler(11, 4))[2:]


def test_a_batch_that_cannot_be_divided_is_refused() -> None:
    with pytest.raises(ConfigError, match="can't be divided among 9 processes"):
        StepSampler(24, 8, processes=9)


@pytest.mark.parametrize("model", [{}, {"name": "midas_nano_256", "encoder": "resnet18"}])
def test_a_model_is_either_named_or_built_on_an_encoder(tmp_path: Path, model: dict[str, str]) -> None:
    settings = config(tmp_path)
    chosen = type(settings.model)(**model)
    with pytest.raises(ConfigError, match="one of them"):
        trainer_module.start_network(chosen, 0)


def two_sets(tmp_path: Path, **changes: dict[str, Any]) -> Any:
    write_miniature(tmp_path / "other", name="other")
    sets = [{"name": "miniature"}, {"name": "other"}]
    return config(tmp_path, data={"sets": sets, "mixing": "naive"}, **changes)


def test_a_pareto_run_learns_from_all_sets_at_once(tmp_path: Path) -> None:
    settings = two_sets(tmp_path, run={"epochs": 4, "pictures_per_epoch": 16})
    settings = replace(settings, pareto=ParetoSettings(normalization="l2"))
    Trainer(settings, tmp_path / "run").run()
    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").read_text().splitlines()))
    assert float(rows[-1]["loss"]) < 0.8 * float(rows[0]["loss"])


def test_a_pareto_step_takes_one_batch_whole(tmp_path: Path) -> None:
    settings = replace(two_sets(tmp_path, run={"accumulate": 2}), pareto=ParetoSettings())
    with pytest.raises(ConfigError, match="accumulate is 1"):
        Trainer(settings, tmp_path / "run")


@pytest.mark.parametrize("loss", [{"data": "ssi_mae"}, {"data": "ssi_mse"}, {"variant": "gist"}])
def test_a_run_can_take_another_loss(tmp_path: Path, loss: dict[str, str]) -> None:
    Trainer(config(tmp_path, loss=loss), tmp_path / "run").run()
    assert (tmp_path / "run" / "last.safetensors").is_file()


def test_pairs_of_points_teach_their_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bright half is nearer than a dark one, and nothing else is said."""

    class BrightIsNear:
        name = "diw"

        def __len__(self) -> int:
            return 8

        def __getitem__(self, index: int) -> PairSample:
            image = np.full((64, 96, 3), 30, np.uint8)
            left, right = np.array([[32, 20]]), np.array([[32, 75]])
            image[:, slice(0, 48) if index % 2 else slice(48, 96)] = 220
            relation = np.array([1 if index % 2 else -1], np.int8)
            return PairSample(image, left, right, relation, f"diw/a/{index}")

    monkeypatch.setattr(sources_module, "open_reader", lambda name, folder, **_: BrightIsNear())
    run = Trainer(
        config(
            tmp_path, data={"sets": [{"name": "diw", "reader": "diw"}]}, run={"epochs": 4, "pictures_per_epoch": 32}
        ),
        tmp_path / "run",
    )
    run.run()
    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").read_text().splitlines()))
    assert float(rows[-1]["ordinal_loss"]) < 0.7 * float(rows[0]["ordinal_loss"])
