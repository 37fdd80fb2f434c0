"""An exported file gives the network's numbers, at sizes it was not traced with, and knows its input rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import midas
from midas.errors import ModelError, OutputError
from midas.export import onnx as export
from midas.models import create_model
from midas.models.zoo import find_model
from midas.pictures.preprocess import Preprocess

SPEC = find_model("midas_nano_256")


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return create_model("midas_nano_256", weights=None)


def test_the_file_runs_in_the_core_with_the_network_s_numbers(network: torch.nn.Module, tmp_path: Path) -> None:
    report = export.export_onnx(network, SPEC, tmp_path / "nano.onnx")
    assert report.largest_difference < 1e-4
    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    predictor = midas.load(tmp_path / "nano.onnx")
    with torch.inference_mode():
        expected = network(torch.from_numpy(Preprocess(SPEC.input)(image)))[0].numpy()
    actual = predictor(image).values
    assert actual.shape == (200, 300)
    assert abs(float(actual.mean()) - float(expected.mean())) < 0.02 * float(np.ptp(expected))


def test_a_file_that_departs_from_its_network_is_not_written(
    network: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "LARGEST_DIFFERENCE", -1.0)
    with pytest.raises(ModelError, match="not written"):
        export.export_onnx(network, SPEC, tmp_path / "nano.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept(network: torch.nn.Module, tmp_path: Path) -> None:
    (tmp_path / "nano.onnx").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        export.export_onnx(network, SPEC, tmp_path / "nano.onnx")
    assert (tmp_path / "nano.onnx").read_bytes() == b"mine"
