"""The back ends that run graph files, ONNX Runtime and OpenVINO: what both take, give and refuse alike."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import METADATA, TinyGraph, write_tiny_model

import midas
from midas.arrays import Array
from midas.assets import asset_path
from midas.backends import Backend, open_backend, openvino_is_installed
from midas.backends.onnxruntime import _session_options
from midas.backends.runtimes import WHOLE_PRODUCTS
from midas.errors import MidasError, ModelError
from midas.models.zoo import DEFAULT_MODEL

Load = Callable[[Path], Backend]


@pytest.fixture(
    scope="module",
    params=[
        "onnxruntime",
        pytest.param(
            "openvino",
            marks=pytest.mark.skipif(not openvino_is_installed(), reason="midas-depth[openvino] isn't installed"),
        ),
    ],
)
def load(request: pytest.FixtureRequest) -> Load:
    return lambda path: open_backend(path, backend=request.param, threads=1, precision="float32")


@pytest.fixture(scope="module")
def backend(load: Load, tmp_path_factory: pytest.TempPathFactory) -> Backend:
    return load(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def random_pixels(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 3, 32, 96), (4, 3, 64, 32)])
def test_disparity_has_the_batch_and_size_of_the_pixels(shape: tuple[int, ...], backend: Backend) -> None:
    pixels = random_pixels(*shape)
    np.testing.assert_allclose(backend(pixels), pixels.mean(axis=1), atol=1e-6)


def test_metadata_are_those_of_the_file(backend: Backend) -> None:
    assert {key: backend.metadata[key] for key in METADATA} == METADATA


def test_the_number_format_is_known(backend: Backend) -> None:
    assert backend.precision == "float32"


def test_a_file_that_is_no_model_is_refused(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "photo.onnx"
    path.write_bytes(b"not a model" * 100)
    with pytest.raises(ModelError, match=r"can't load .*photo\.onnx"):
        load(path)


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
def test_any_graph_from_an_image_to_a_map_runs(graph: TinyGraph, load: Load, tmp_path: Path) -> None:
    pixels = random_pixels(3, 3, 64, 96)
    np.testing.assert_allclose(load(graph.write(tmp_path / "other.onnx"))(pixels), pixels.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("graph", [TinyGraph(channels=4), TinyGraph(channels=1)], ids=["4 channels", "1 channel"])
def test_a_graph_that_takes_no_image_is_refused(graph: TinyGraph, load: Load, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"takes pixels .* x {graph.channels} x .*; expected one input B x 3 x H x W"):
        load(graph.write(tmp_path / "other.onnx"))


def test_a_network_of_one_size_says_which(load: Load, tmp_path: Path) -> None:
    fixed = load(TinyGraph(shape=("B", 64, "W")).write(tmp_path / "fixed.onnx"))
    with pytest.raises(ModelError, match="an input of 32x96 doesn't fit: this model file takes 64x96"):
        fixed(np.zeros((1, 3, 32, 96), np.float32))


def test_an_input_that_the_network_does_not_take_is_an_error_of_the_model(load: Load) -> None:
    with pytest.raises(ModelError, match="33"):
        load(asset_path(f"{DEFAULT_MODEL}.onnx"))(np.zeros((1, 3, 33, 65), np.float32))


def test_threads_may_share_a_backend(backend: Backend) -> None:
    inputs = [random_pixels(1, 3, 64, 32 * width, seed=width) for width in (1, 2, 3, 4)] * 4
    with ThreadPoolExecutor(2) as executor:
        for disparity, pixels in zip(executor.map(backend, inputs), inputs, strict=True):
            np.testing.assert_allclose(disparity, pixels.mean(axis=1), atol=1e-6)


def test_an_input_need_not_be_one_block_of_memory(backend: Backend) -> None:
    pixels = random_pixels(1, 64, 96, 3).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(backend(pixels), pixels.mean(axis=1), atol=1e-6)


def test_a_result_is_not_overwritten_by_the_next_one(backend: Backend) -> None:
    first = backend(np.full((1, 3, 32, 32), 1, np.float32))
    backend(np.full((1, 3, 32, 32), 2, np.float32))
    assert (first == 1).all()


@pytest.mark.parametrize(
    "said",
    [{"midas.input": "{"}, {"midas.input": '{"size": []}'}, {"midas.input": "null"}, {"midas.kind": "parallax"}, {}],
    ids=["no JSON", "no size", "nothing", "no kind", "silence"],
)
def test_what_a_model_file_says_of_itself_is_refused_by_its_name(said: dict[str, str], tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "odd.onnx", metadata=METADATA | said if said else {})
    with pytest.raises(MidasError, match=r"odd\.onnx") as caught:
        midas.load(path, backend="onnxruntime")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("byte", [0xB3, 0xFF])
def test_a_graph_that_is_no_text_where_it_should_be_is_refused_without_a_word(
    byte: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_tiny_model(tmp_path / "odd.onnx")
    content = bytearray(path.read_bytes())
    at = content.index(b"midas.input") + len("midas.input") + 40
    content[at] = byte
    path.write_bytes(content)
    with pytest.raises(MidasError, match=r"odd\.onnx"):
        midas.load(path, backend="onnxruntime")
    assert capfd.readouterr() == ("", "")


def test_onnx_runtime_is_asked_for_products_of_bytes_that_do_not_overflow() -> None:
    """What that is worth, tests of int8 files see on processors with AVX2 alone."""
    key, value = WHOLE_PRODUCTS
    assert _session_options(None).get_session_config_entry(key) == value
