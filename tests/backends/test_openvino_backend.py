"""The OpenVINO backend: what it takes, gives and refuses, as ONNX Runtime does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny_model import METADATA, TinyGraph, write_tiny_model

from midas.arrays import Array
from midas.assets import asset_path
from midas.backends import Backend, exactness, open_backend
from midas.backends.exactness import LARGEST_DIFFERENCE, Bfloat16, cpu_has_bfloat16
from midas.errors import MissingExtraError, ModelError
from midas.models.zoo import DEFAULT_MODEL

openvino = pytest.importorskip("openvino", reason="midas-depth[openvino] isn't installed")
backends = pytest.importorskip("midas.backends.openvino")

EMBEDDED = asset_path(f"{DEFAULT_MODEL}.onnx")


def load(path: Path, **options: Any) -> Backend:
    return open_backend(path, backend="openvino", **{"threads": 1, "precision": "float32"} | options)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Backend:
    return load(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def random_pixels(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def difference(actual: Array, expected: Array) -> float:
    return float(np.abs(actual - expected).mean() / np.ptp(expected))


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 3, 32, 96), (4, 3, 64, 32)])
def test_disparity_has_the_batch_and_size_of_the_pixels(shape: tuple[int, ...], backend: Backend) -> None:
    pixels = random_pixels(*shape)
    np.testing.assert_allclose(backend(pixels), pixels.mean(axis=1), atol=1e-6)


def test_metadata_are_those_of_the_file(backend: Backend) -> None:
    assert {key: backend.metadata[key] for key in METADATA} == METADATA


def test_openvinos_own_files_run_and_keep_their_metadata(tmp_path: Path) -> None:
    graph = openvino.Core().read_model(write_tiny_model(tmp_path / "tiny.onnx"))
    openvino.save_model(graph, tmp_path / "own.xml", compress_to_fp16=False)
    own = load(tmp_path / "own.xml")
    assert {key: own.metadata[key] for key in METADATA} == METADATA
    pixels = random_pixels(1, 3, 32, 64)
    np.testing.assert_allclose(own(pixels), pixels.mean(axis=1), atol=1e-6)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
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
def test_any_graph_from_an_image_to_a_map_runs(graph: TinyGraph, tmp_path: Path) -> None:
    pixels = random_pixels(3, 3, 64, 96)
    np.testing.assert_allclose(load(graph.write(tmp_path / "other.onnx"))(pixels), pixels.mean(axis=1), atol=1e-6)


def test_a_graph_that_takes_no_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"takes pixels .* x 4 x .*; expected one input B x 3 x H x W"):
        load(TinyGraph(channels=4).write(tmp_path / "other.onnx"))


def test_a_network_of_one_size_says_which(tmp_path: Path) -> None:
    fixed = load(TinyGraph(shape=("B", 64, "W")).write(tmp_path / "fixed.onnx"))
    with pytest.raises(ModelError, match="an input of 32x96 doesn't fit: this model file takes 64x96"):
        fixed(np.zeros((1, 3, 32, 96), np.float32))


def test_an_input_that_the_network_does_not_take_is_an_error_of_the_model() -> None:
    with pytest.raises(ModelError, match="33"):
        load(EMBEDDED)(np.zeros((1, 3, 33, 65), np.float32))


def test_threads_may_share_a_backend(backend: Backend) -> None:
    inputs = [random_pixels(1, 3, 64, 32 * width, seed=width) for width in (1, 2, 3, 4)] * 4
    with ThreadPoolExecutor(2) as executor:
        for disparity, pixels in zip(executor.map(backend, inputs), inputs, strict=True):
            np.testing.assert_allclose(disparity, pixels.mean(axis=1), atol=1e-6)


def test_a_result_is_not_overwritten_by_the_next_one(backend: Backend) -> None:
    first = backend(np.full((1, 3, 32, 32), 1, np.float32))
    backend(np.full((1, 3, 32, 32), 2, np.float32))
    assert (first == 1).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "OpenVINO has no device 'tpu' here; there are: auto, .*cpu"),
        ({"precision": "float8"}, "OpenVINO has no precision 'float8' here; there are: auto, .*float32"),
        ({"threads": 0}, "threads is 0; expected a whole number >= 1"),
    ],
)
def test_an_option_that_it_lacks_is_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        load(write_tiny_model(tmp_path / "tiny.onnx"), **options)


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midas.backends.openvino_is_installed", lambda: False)
    with pytest.raises(MissingExtraError, match=r"midas-depth\[openvino\]"):
        load(write_tiny_model(tmp_path / "tiny.onnx"))


def test_a_network_in_two_precisions_gives_what_it_gives_in_one() -> None:
    pixels = random_pixels(2, 3, 64, 96)
    parts = backends._cut(openvino.Core().read_model(EMBEDDED), exactness.FACTS[DEFAULT_MODEL].scope)
    assert parts is not None
    first, second = (openvino.Core().compile_model(part, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}) for part in parts)
    expected = load(EMBEDDED)(pixels)
    np.testing.assert_allclose(second(first(pixels)[0])[0], expected, atol=1e-4 * np.ptp(expected))


def test_a_cut_that_is_led_around_leaves_the_network_whole() -> None:
    graph = openvino.Core().read_model(EMBEDDED)
    assert backends._cut(graph, "/decoder/blocks.3/") is None
    pixels = random_pixels(1, 3, 64, 64)
    whole = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_allclose(whole(pixels)[0], load(EMBEDDED)(pixels), atol=1e-4)


def test_auto_stays_in_float32_where_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "cpu_has_bfloat16", lambda: True)
    graph = openvino.Core().read_model(write_tiny_model(tmp_path / "tiny.onnx"))
    assert [precision for _, precision in backends._stages(graph, "tiny", "auto", "CPU")] == ["float32"]


def test_auto_is_in_two_parts_where_the_processor_has_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        exactness.FACTS, DEFAULT_MODEL, Bfloat16(0.0, *list(vars(exactness.FACTS[DEFAULT_MODEL]).values())[1:])
    )
    for there, expected in ((True, ["float32", "bfloat16"]), (False, ["float32"])):
        monkeypatch.setattr(backends, "cpu_has_bfloat16", lambda there=there: there)
        graph = openvino.Core().read_model(EMBEDDED)
        assert [precision for _, precision in backends._stages(graph, DEFAULT_MODEL, "auto", "CPU")] == expected


@pytest.mark.skipif(not cpu_has_bfloat16(), reason="this processor doesn't multiply in bfloat16")
def test_auto_departs_from_float32_by_no_more_than_it_may(examples_dir: Path) -> None:
    import midas

    exact, fast = (midas.load(backend="openvino", precision=name, threads=1) for name in ("float32", "auto"))
    for photograph in sorted(examples_dir.glob("*.jpg")):
        assert difference(fast(photograph).values, exact(photograph).values) <= LARGEST_DIFFERENCE
