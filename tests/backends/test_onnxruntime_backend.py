"""The ONNX Runtime backend: what it takes, gives and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import write_tiny_model

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


def test_a_model_with_other_inputs_and_outputs_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "other.onnx", output_name="depth")
    with pytest.raises(ModelError, match=r"\['pixels', 'depth'\], expected \['pixels', 'disparity'\]"):
        open_backend(path)


def test_an_input_that_the_network_does_not_take_is_an_error_of_the_model() -> None:
    from midas.assets import asset_path

    with pytest.raises(ModelError, match="33"):
        open_backend(asset_path("midas_nano_256.onnx"))(np.zeros((1, 3, 33, 65), np.float32))
