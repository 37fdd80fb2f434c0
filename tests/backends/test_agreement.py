"""Every back end gives the numbers of the network in PyTorch: untrained networks under deterministic weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from midas.arrays import Array
from midas.backends import open_backend, openvino_is_installed
from midas.backends.exactness import cpu_has_bfloat16
from midas.export.onnx import export_onnx
from midas.models.factory import create_untrained
from midas.models.weights import write_safetensors
from midas.models.zoo import MODELS

QUICK = ("midas_nano_256", "dpt_levit_224")
SLOW = ("midas_v21_small_256", "dpt_swin2_tiny_256", "depth_anything_v2_vits")
WAYS = (
    ("onnxruntime", "float32"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
    ("torch", "float32"),
    ("torch", "bfloat16"),
)
# Mean difference over the range of the map. Untrained maps vary little: rounding is a larger part of their range.
LARGEST = {"float32": 1e-5, "bfloat16": 0.02}


@dataclass(frozen=True)
class Made:
    """A network's files, an input and its output in PyTorch."""

    name: str
    weights: Path
    graph: Path
    pixels: Array
    expected: Array


@pytest.fixture(scope="module", params=[*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    name, folder = request.param, tmp_path_factory.mktemp("network")
    network, spec = create_untrained(name, seed=1), MODELS[request.param]
    write_safetensors(network.state_dict(), folder / "network.safetensors", {})
    export_onnx(network, spec, folder / "network.onnx")
    pixels = np.random.default_rng(0).standard_normal((1, 3, *spec.input.size), np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels)).numpy()
    return Made(name, folder / "network.safetensors", folder / "network.onnx", pixels, expected)


@pytest.mark.parametrize(("backend", "precision"), WAYS)
def test_a_back_end_agrees_with_pytorch(backend: str, precision: str, made: Made) -> None:
    if backend == "openvino" and not openvino_is_installed():
        pytest.skip("midas-depth[openvino] isn't installed")
    if (backend, precision) == ("openvino", "bfloat16") and not cpu_has_bfloat16():
        pytest.skip("OpenVINO imitates no bfloat16, and this processor has none")
    path = made.weights if backend == "torch" else made.graph
    network = open_backend(path, model=made.name, backend=backend, device="cpu", precision=precision)
    disparity = network(made.pixels)
    assert disparity.shape == made.expected.shape
    assert np.abs(disparity - made.expected).mean() <= LARGEST[precision] * np.ptp(made.expected)
