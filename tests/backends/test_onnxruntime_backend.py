"""The ONNX Runtime backend: what it takes, gives and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import TinyGraph, write_tiny_model

from midas.backends import Backend, open_backend
from midas.errors import ModelError


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Backend:
    return open_backend(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 3, 32, 96), (4, 3, 64, 32)])
def test_disparity_has_the_batch_and_size_of_the_pixels(shape: tuple[int, ...], backend: Backend) -> None:
    pixels = np.random.default_rng(0).standard_normal(shape, np.float32)
    np.testing.assert_allclose(backend(pixels), pixels.mean(axis=1), atol=1e-6)


def test_metadata_are_those_of_the_file(backend: Backend) -> None:
    assert backend.metadata["midas.name"] == "tiny"


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.onnx"
    path.write_bytes(b"not a model" * 100)
    with pytest.raises(ModelError, match=r"can't load .*photo\.onnx"):
        open_backend(path)


@pytest.mark.parametrize(
    "graph",
    [
        TinyGraph(input_name="0", output_name="797"),
        TinyGraph(keep_channel=True),
        TinyGraph(shape=(1, "H", "W")),
        TinyGraph(shape=(1, 64, 96), keep_channel=True),
    ],
    ids=["other names", "a channel", "single pictures", "one size"],
)
def test_any_graph_from_an_image_to_a_map_runs(graph: TinyGraph, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).standard_normal((3, 3, 64, 96), np.float32)
    disparity = open_backend(graph.write(tmp_path / "other.onnx"))(pixels)
    np.testing.assert_allclose(disparity, pixels.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("graph", [TinyGraph(channels=4), TinyGraph(channels=1)], ids=["4 channels", "1 channel"])
def test_a_graph_that_takes_no_image_is_refused(graph: TinyGraph, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"takes pixels .* x {graph.channels} x .*; expected one input B x 3 x H x W"):
        open_backend(graph.write(tmp_path / "other.onnx"))


def test_a_network_of_one_size_says_which(tmp_path: Path) -> None:
    backend = open_backend(TinyGraph(shape=("B", 64, "W")).write(tmp_path / "fixed.onnx"))
    with pytest.raises(ModelError, match="an input of 32x96 doesn't fit: this model file takes 64x96"):
        backend(np.zeros((1, 3, 32, 96), np.float32))


def test_an_input_that_the_network_does_not_take_is_an_error_of_the_model() -> None:
    from midas.assets import asset_path

    with pytest.raises(ModelError, match="33"):
        open_backend(asset_path("midas_nano_256.onnx"))(np.zeros((1, 3, 33, 65), np.float32))
