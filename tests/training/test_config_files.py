"""Settings on disk: files that extend others, and changes from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from midas.errors import ConfigError
from midas.training.config import read_config

BASE = """
[model]
name = "midas_nano_256"
[data]
sizes = [[64, 96]]
[[data.sets]]
name = "first"
[optimizer]
decoder_rate = 1e-3
encoder_rate = 1e-4
[run]
epochs = 3
pictures_per_epoch = 24
batch_size = 4
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    (tmp_path / "more.toml").write_text('extends = "base.toml"\n[run]\nepochs = 7\n', encoding="utf-8")
    return tmp_path


def test_a_file_takes_from_the_one_it_extends_what_it_does_not_say(folder: Path) -> None:
    config = read_config(folder / "more.toml")
    assert (config.run.epochs, config.run.batch_size, config.data.sets[0].name) == (7, 4, "first")


def test_sets_are_joined_with_those_of_the_same_name_and_new_ones_follow(folder: Path) -> None:
    text = """extends = "more.toml"
    [[data.sets]]
    name = "second"
    [[data.sets]]
    name = "first"
    weight = 5
    """
    (folder / "sets.toml").write_text(text, encoding="utf-8")
    (folder / "sky.toml").write_text(
        'extends = "sets.toml"\ndata.sets = [{name = "first", sky = true}]', encoding="utf-8"
    )
    config = read_config(folder / "sky.toml")
    assert [(entry.name, entry.weight, entry.sky) for entry in config.data.sets] == [
        ("first", 5.0, True), ("second", 1.0, False),
    ]  # fmt: skip
    assert (config.data.sizes, config.run.epochs) == (((64, 96),), 7)


def test_any_other_array_and_any_change_replaces_what_was_there(folder: Path) -> None:
    (folder / "sizes.toml").write_text('extends = "more.toml"\ndata.sizes = [[32, 32]]\n', encoding="utf-8")
    assert read_config(folder / "sizes.toml").data.sizes == ((32, 32),)
    changed = read_config(folder / "sizes.toml", ['data.sets=[{name="third"}]'])
    assert [entry.name for entry in changed.data.sets] == ["third"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [("run.epochs=2", 2), ("run.epochs = 2", 2), ("loss.data=ssi_mse", "ssi_mse"), ('loss.data="ssi_mse"', "ssi_mse")],
)
def test_a_change_holds_before_the_file(folder: Path, change: str, expected: object) -> None:
    config = read_config(folder / "more.toml", [change])
    assert expected in (config.run.epochs, config.loss.data)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('extends = "loop.toml"', "extends itself"),
        ('extends = "none.toml"', r"none\.toml can't be read"),
        ("extends = 3", "expected the name of a TOML file"),
    ],
)
def test_a_file_that_extends_nothing_useful_is_refused(folder: Path, text: str, reason: str) -> None:
    (folder / "loop.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=reason):
        read_config(folder / "loop.toml")


@pytest.mark.parametrize(
    ("change", "reason"),
    [("run.epochs", "sets nothing"), ("run.epoch=2", r"run\.epoch"), ("run..epochs=2", "is not TOML")],
)
def test_a_change_that_sets_nothing_is_refused(folder: Path, change: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        read_config(folder / "base.toml", [change])
