"""The OpenVINO backend: what it alone takes, gives and refuses; test_graph_backends.py has the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny_model import METADATA, write_tiny_model

from midas.arrays import Array
from midas.assets import asset_path
from midas.backends import Backend, open_backend
from midas.backends.exactness import FACTS, LARGEST_DIFFERENCE, cpu_has_bfloat16
from midas.errors import MissingExtraError, ModelError
from midas.models.zoo import DEFAULT_MODEL

openvino = pytest.importorskip("openvino", reason="midas-depth[openvino] isn't installed")
backends = pytest.importorskip("midas.backends.openvino")

from midas.backends.openvino_exact import is_kept, keep_exact  # noqa: E402 - after the question whether it's there

EMBEDDED = asset_path(f"{DEFAULT_MODEL}.onnx")
SCOPE = FACTS[DEFAULT_MODEL].scope


def load(path: Path, **options: Any) -> Backend:
    return open_backend(path, backend="openvino", **{"threads": 1, "precision": "float32"} | options)


def random_pixels(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def difference(actual: Array, expected: Array) -> float:
    return float(np.abs(actual - expected).mean() / np.ptp(expected))


def test_openvinos_own_files_run_and_keep_their_metadata(tmp_path: Path) -> None:
    graph = openvino.Core().read_model(write_tiny_model(tmp_path / "tiny.onnx"))
    openvino.save_model(graph, tmp_path / "own.xml", compress_to_fp16=False)
    own = load(tmp_path / "own.xml")
    assert {key: own.metadata[key] for key in METADATA} == METADATA
    pixels = random_pixels(1, 3, 32, 64)
    np.testing.assert_allclose(own(pixels), pixels.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "OpenVINO has no device 'tpu' here; there are: auto, .*cpu"),
        ({"precision": "float8"}, "OpenVINO has no precision 'float8' here; there are: auto, .*float32"),
        ({"threads": 0}, "threads is 0; expected a whole number from 1 to 512"),
    ],
)
def test_an_option_that_it_lacks_is_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        load(write_tiny_model(tmp_path / "tiny.onnx"), **options)


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midas.backends.openvino_is_installed", lambda: False)
    with pytest.raises(MissingExtraError, match=r"midas-depth\[openvino\]"):
        load(write_tiny_model(tmp_path / "tiny.onnx"))


def test_marks_that_keep_float32_change_no_number() -> None:
    core, pixels = openvino.Core(), random_pixels(1, 3, 64, 96)
    marked = keep_exact(core, core.read_model(EMBEDDED), SCOPE)
    compiled = core.compile_model(marked, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_array_equal(compiled(pixels)[0], load(EMBEDDED)(pixels))


@pytest.mark.skipif(not cpu_has_bfloat16(), reason="this processor doesn't multiply in bfloat16")
def test_marked_operations_keep_float32_and_others_do_not() -> None:
    core = openvino.Core()
    graph = core.read_model(EMBEDDED)
    for network, kept in ((keep_exact(core, graph, SCOPE), True), (graph, False)):
        compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
        assert is_kept(compiled, SCOPE) is kept
        assert not is_kept(compiled, "/decoder/")
        assert not is_kept(compiled, "/no such module/")


@pytest.mark.skipif(not cpu_has_bfloat16(), reason="this processor doesn't multiply in bfloat16")
def test_where_openvino_does_not_keep_float32_auto_stays_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "is_kept", lambda *_: False)
    monkeypatch.setattr(backends, "bfloat16_is_faster", lambda: True)
    pixels = random_pixels(1, 3, 64, 64)
    wary, asked = (load(EMBEDDED, precision=precision) for precision in ("auto", "bfloat16"))
    np.testing.assert_array_equal(wary(pixels), load(EMBEDDED)(pixels))
    assert wary.precision == "float32"
    asked(pixels)
    assert asked.precision == "bfloat16"


def test_one_shape_has_a_network_of_its_own_and_all_others_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[tuple[int, ...] | None] = []
    compile_for = backends.OpenVinoBackend._compile

    def note(self: Backend, shape: tuple[int, ...] | None) -> Any:
        compiled.append(shape)
        return compile_for(self, shape)

    monkeypatch.setattr(backends.OpenVinoBackend, "_compile", note)
    network, exact = load(EMBEDDED), open_backend(EMBEDDED, backend="onnxruntime", threads=1)
    for shape in [(1, 3, 64, 64)] * 2 + [(1, 3, 64, 96), (2, 3, 96, 64), (1, 3, 64, 64)]:
        pixels = random_pixels(*shape)
        np.testing.assert_allclose(network(pixels), exact(pixels), atol=1e-4 * np.ptp(exact(pixels)))
    assert compiled == [(1, 3, 64, 64), None]


def test_a_shape_that_the_network_does_not_take_leaves_it_usable() -> None:
    network, pixels = load(EMBEDDED), random_pixels(1, 3, 64, 64)
    for _ in range(2):
        with pytest.raises(ModelError, match="33"):
            network(random_pixels(1, 3, 33, 65))
        network(pixels)


def test_auto_stays_in_float32_where_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "bfloat16_is_faster", lambda: True)
    assert load(write_tiny_model(tmp_path / "tiny.onnx"), precision="auto").precision == "float32"


def test_auto_is_bfloat16_where_the_processor_is_faster_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(backends, "bfloat16_is_faster", lambda there=there: there)
        assert load(EMBEDDED, precision="auto").precision == expected


@pytest.mark.skipif(not cpu_has_bfloat16(), reason="this processor doesn't multiply in bfloat16")
def test_auto_departs_from_float32_by_no_more_than_it_may(examples_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import midas

    monkeypatch.setattr(backends, "bfloat16_is_faster", lambda: True)
    exact, fast = (midas.load(backend="openvino", precision=name, threads=1) for name in ("float32", "auto"))
    for photograph in sorted(examples_dir.glob("*.jpg")):
        assert difference(fast(photograph).values, exact(photograph).values) <= LARGEST_DIFFERENCE
