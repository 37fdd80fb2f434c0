"""Weights in, safetensors with our names out, the same numbers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from midas.assets import asset_path
from midas.errors import ModelError, OutputError, WeightsError
from midas.models import create_model
from midas.models.convert import convert_weights
from midas.models.weights import read_safetensors, read_safetensors_metadata, write_safetensors
from midas.models.zoo import MODELS
from midas.pictures.preprocess import InputSpec

NAME = "midas_nano_256"
SOURCE = asset_path(f"{NAME}.safetensors")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "converted.safetensors"


def assert_has_the_numbers_of_the_source(path: Path) -> None:
    expected, actual = read_safetensors(SOURCE), read_safetensors(path)
    assert expected.keys() == actual.keys()
    assert all(torch.equal(actual[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize("model", [NAME, None])
def test_a_checkpoint_becomes_a_safetensors_file_that_describes_itself(
    model: str | None, target: Path, tmp_path: Path
) -> None:
    source = tmp_path / "checkpoint.pt"
    wrapped = {f"module.{name}": tensor for name, tensor in read_safetensors(SOURCE).items()}
    torch.save({"optimizer": {}, "model": wrapped}, source)
    report = convert_weights(source, target, model=model)
    assert_has_the_numbers_of_the_source(target)
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    assert (report.path, report.model, report.tensors, report.source_sha256) == (target, NAME, len(wrapped), sha256)
    metadata = read_safetensors_metadata(target)
    assert (metadata["midas.name"], metadata["midas.licence"]) == (NAME, "MIT")
    assert metadata["midas.source_sha256"] == sha256
    assert InputSpec.from_metadata(metadata["midas.input"]) == MODELS[NAME].input


def test_what_a_file_says_of_itself_is_kept(target: Path, tmp_path: Path) -> None:
    own = {"midas.licence": "all rights reserved", "epoch": "3"}
    for said, kept in ((own, own), (own | {"midas.name": "another"}, {"midas.licence": "MIT", "midas.name": NAME})):
        write_safetensors(read_safetensors(SOURCE), tmp_path / "mine.safetensors", said, overwrite=True)
        convert_weights(tmp_path / "mine.safetensors", target, model=NAME, overwrite=True)
        assert kept.items() <= read_safetensors_metadata(target).items()


def test_a_converted_file_loads_and_converts_to_itself(target: Path, tmp_path: Path) -> None:
    convert_weights(SOURCE, target)
    create_model(NAME, weights=target)
    convert_weights(target, tmp_path / "again.safetensors")
    assert_has_the_numbers_of_the_source(tmp_path / "again.safetensors")


def test_weights_of_another_model_are_refused(target: Path) -> None:
    with pytest.raises(WeightsError):
        convert_weights(SOURCE, target, model="midas_v21_small_256")
    with pytest.raises(ModelError, match="no model is called 'nobody'"):
        convert_weights(SOURCE, target, model="nobody")
    assert not target.exists()


def test_a_file_under_a_published_name_must_be_that_file(target: Path, tmp_path: Path) -> None:
    source = tmp_path / "model-small-70d6b9c8.pt"
    source.write_bytes(SOURCE.read_bytes())
    with pytest.raises(WeightsError, match=r"isn't that file: its SHA-256 begins with .*, expected 70d6b9c8"):
        convert_weights(source, target)


def test_an_existing_file_is_replaced_only_where_that_is_allowed(target: Path) -> None:
    target.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        convert_weights(SOURCE, target)
    assert target.read_bytes() == b"mine"
    convert_weights(SOURCE, target, overwrite=True)
    assert_has_the_numbers_of_the_source(target)


def test_a_file_that_does_not_hold_what_was_written_is_removed(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = read_safetensors(SOURCE)
    next(iter(damaged.values())).add_(1)
    monkeypatch.setattr("midas.models.convert.read_safetensors", lambda _: damaged)
    with pytest.raises(WeightsError, match="was removed: check the disk"):
        convert_weights(SOURCE, target)
    assert not target.exists()
