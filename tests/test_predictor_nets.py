"""Whatever a picture, a network or a model file raises is an error of ours; settings without sense are refused."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from tests.tiny_model import INPUT, write_tiny_model

import midas
from midas.arrays import Array, Float32
from midas.errors import CostWarning, ImageError, MidasError, ModelError
from midas.predictor import Predictor

PICTURE = np.zeros((64, 64, 3), np.uint8)


class Broken:
    """A back end, or a file object, that fails in a way that nobody foresaw."""

    metadata: ClassVar[dict[str, str]] = {}

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        raise SystemError("error return without exception set")

    def read(self) -> bytes:
        raise ConnectionResetError(104, "Connection reset by peer")


def test_a_network_that_fails_for_reasons_of_its_own_is_an_error_of_the_model() -> None:
    with pytest.raises(ModelError, match="broken can't run on 1 x 64x64 pixels: error return without"):
        Predictor("broken", INPUT, Broken())(PICTURE)


def test_a_source_that_fails_to_be_read_is_an_error_of_the_picture(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="the picture in a Broken can't be read: Connection reset by peer"):
        midas.load(write_tiny_model(tmp_path / "tiny.onnx"))(Broken())


@pytest.mark.parametrize(
    "metadata",
    [
        {"midas.input": "[" * 100_000},
        {"midas.input": "null"},
        {"midas.input": INPUT.to_metadata().replace("64, 64", "1e400, 64")},
        {"midas.input": INPUT.to_metadata().replace("64, 64", f"{'9' * 5000}, 64")},
        {"midas.input": INPUT.to_metadata().replace("0.5, 0.5, 0.5", "NaN, 0.5, 0.5")},
    ],
    ids=["nesting", "null", "infinity", "digits", "nan"],
)
def test_absurd_metadata_are_an_error_of_ours(metadata: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(MidasError):
        midas.load(write_tiny_model(tmp_path / "absurd.onnx", metadata=metadata))


@pytest.mark.parametrize("choice", [{"size": 4097}, {"size": 10**9}, {"threads": 513}, {"threads": 20_000}])
def test_absurd_settings_are_refused_before_any_work(choice: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(MidasError, match=f"is {next(iter(choice.values()))}; expected a whole number"):
        midas.load(write_tiny_model(tmp_path / "tiny.onnx"), **choice)


def test_a_size_that_is_dear_says_what_it_costs(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx")
    with pytest.warns(CostWarning, match="tiny sees 16 times as many pixels"):
        midas.load(path, size=256)
    midas.load(path, size=192)
