"""The torch backend: the network's own numbers, devices, precisions, and what it does where they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from midas.arrays import Array
from midas.assets import asset_path
from midas.backends import Backend, open_backend
from midas.backends.torch import TorchBackend
from midas.backends.torch_devices import find_device
from midas.errors import ModelError, PrecisionWarning
from midas.models import create_model
from midas.models.network import DepthNetwork
from midas.pictures.preprocess import InputSpec

NAME = "midas_nano_256"


@pytest.fixture(scope="module")
def backend() -> Backend:
    path = asset_path(f"{NAME}.safetensors")
    return open_backend(path, model=NAME, backend="torch", device="cpu", precision="float32")


def random_pixels(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def network_of(encoder: nn.Module) -> DepthNetwork:
    """One module whose only channel is the disparity."""
    spec = InputSpec(size=(32, 32), multiple=1)
    return DepthNetwork(encoder, nn.Identity(), nn.Identity(), nn.Flatten(1, 2), input_spec=spec)


def gain(factor: float) -> DepthNetwork:
    """Disparity is so many times the sum of the channels."""
    convolution = nn.Conv2d(3, 1, 1, bias=False)
    nn.init.constant_(convolution.weight, factor)
    return network_of(convolution)


class Raising(nn.Module):
    """An encoder for which there is never memory enough."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("tried to allocate 20 GiB")


# ── numbers ─────────────────────────────────────────────────────────────────


def test_float32_gives_the_numbers_of_the_network_up_to_rounding(backend: Backend) -> None:
    pixels = random_pixels(2, 3, 64, 96)
    with torch.inference_mode():
        expected = create_model(NAME)(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(backend(pixels), expected, rtol=0, atol=2e-5 * np.ptp(expected))


def test_torch_and_onnx_runtime_agree(backend: Backend) -> None:
    pixels = random_pixels(2, 3, 64, 96)
    np.testing.assert_allclose(backend(pixels), open_backend(asset_path(f"{NAME}.onnx"))(pixels), atol=1e-4)


@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 0.1), ("float16", 0.02)])
def test_a_reduced_precision_changes_the_numbers_a_little(precision: str, tolerance: float, backend: Backend) -> None:
    pixels = random_pixels(1, 3, 64, 96)
    reduced = TorchBackend(create_model(NAME), device="cpu", precision=precision)(pixels)
    difference = np.abs(reduced - backend(pixels)).max() / np.ptp(backend(pixels))
    assert 0 < difference < tolerance


def test_threads_may_share_a_backend(backend: Backend) -> None:
    inputs = [random_pixels(1, 3, 64, 32 * width, seed=width) for width in (1, 2, 3, 4)] * 4
    with ThreadPoolExecutor(2) as executor:
        together = list(executor.map(backend, inputs))
    assert all(np.array_equal(disparity, backend(pixels)) for disparity, pixels in zip(together, inputs, strict=True))


def test_an_input_need_not_be_writable(backend: Backend) -> None:
    pixels = random_pixels(1, 3, 32, 32)
    expected = backend(pixels)
    pixels.flags.writeable = False
    assert np.array_equal(backend(pixels), expected)


def test_an_illegal_size_is_refused_and_the_nearest_legal_one_named(backend: Backend) -> None:
    with pytest.raises(ModelError, match="nearest is 96x64"):
        backend(np.zeros((1, 3, 100, 64), np.float32))


# ── numbers that are not finite ─────────────────────────────────────────────


def test_a_picture_too_large_for_float16_is_computed_again_in_float32() -> None:
    pixels = np.stack([np.full((3, 32, 32), 0.5, np.float32), np.full((3, 32, 32), 3.0, np.float32)])
    overflowing = TorchBackend(gain(1e4), device="cpu", precision="float16")
    with pytest.warns(PrecisionWarning, match="float16 gave numbers that are not finite"):
        disparity = overflowing(pixels)
    np.testing.assert_allclose(disparity, 1e4 * pixels.sum(axis=1), rtol=1e-3)
    assert disparity[1, 0, 0] == pytest.approx(9e4, rel=1e-6)


def test_float32_is_never_computed_again() -> None:
    assert np.isinf(TorchBackend(gain(3e38), device="cpu")(np.full((1, 3, 32, 32), 1.0, np.float32))).all()


def test_bfloat16_has_the_range_of_float32() -> None:
    disparity = TorchBackend(gain(1e4), device="cpu", precision="bfloat16")(np.full((1, 3, 32, 32), 3.0, np.float32))
    np.testing.assert_allclose(disparity, 9e4, rtol=1e-2)


# ── compiled ────────────────────────────────────────────────────────────────


def test_one_compiled_graph_serves_all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[bool] = []

    def compile_nothing(network: nn.Module, *, dynamic: bool) -> nn.Module:
        asked_for.append(dynamic)
        return network

    monkeypatch.setattr(torch, "compile", compile_nothing)
    backend = TorchBackend(gain(2.0), device="cpu", compiled=True)
    for shape in ((1, 3, 32, 32), (2, 3, 32, 64)):
        pixels = random_pixels(*shape)
        np.testing.assert_allclose(backend(pixels), 2 * pixels.sum(axis=1), atol=1e-5)
    assert asked_for == [True]


def test_a_module_of_torch_compile_is_run_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a C++ compiler, which takes its time; what PyTorch wraps around the network is the same.
    compile_ = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda network, *, dynamic: compile_(network, dynamic=dynamic, backend="eager")
    )
    pixels = random_pixels(1, 3, 32, 32)
    disparity = TorchBackend(gain(2.0), device="cpu", compiled=True)(pixels)
    np.testing.assert_allclose(disparity, 2 * pixels.sum(axis=1), atol=1e-5)


def test_what_cannot_be_compiled_is_an_error_that_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(pixels: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", lambda network, *, dynamic: fail)
    with pytest.raises(ModelError, match=r"can't compile this network here \(no C\+\+ compiler\); use backend 'torch'"):
        TorchBackend(gain(1.0), device="cpu", compiled=True)(np.zeros((1, 3, 32, 32), np.float32))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_network_gives_the_numbers_of_the_network(backend: Backend) -> None:
    path = asset_path(f"{NAME}.safetensors")
    compiled = open_backend(path, model=NAME, backend="torch-compile", device="cpu", precision="float32")
    for shape in ((1, 3, 64, 96), (1, 3, 96, 64)):
        pixels = random_pixels(*shape)
        np.testing.assert_allclose(compiled(pixels), backend(pixels), rtol=0, atol=1e-4 * np.ptp(backend(pixels)))
    with pytest.raises(ModelError, match="nearest is 96x64"):
        compiled(np.zeros((1, 3, 100, 64), np.float32))


# ── devices, precisions, threads ────────────────────────────────────────────


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this a machine with so many devices of each kind."""

    def install(**counts: int) -> None:
        for kind in ("cuda", "mps", "xpu"):
            monkeypatch.setattr(getattr(torch, kind), "device_count", partial(counts.get, kind, 0))

    return install


def test_auto_is_the_first_accelerator_else_the_cpu(machine: Callable[..., None]) -> None:
    for counts, expected in (
        ({}, "cpu"),
        ({"xpu": 1}, "xpu"),
        ({"xpu": 1, "mps": 1}, "mps"),
        ({"cuda": 1, "mps": 1}, "cuda"),
    ):
        machine(**counts)
        assert find_device("auto") == torch.device(expected)


def test_a_device_may_be_numbered(machine: Callable[..., None]) -> None:
    machine(cuda=2)
    assert [find_device(name) for name in ("cuda", "cuda:1")] == [torch.device("cuda"), torch.device("cuda", 1)]


@pytest.mark.parametrize("name", ["cuda:2", "mps", "gpu", "cuda:", "CPU"])
def test_a_device_that_is_not_there_is_answered_with_those_there_are(name: str, machine: Callable[..., None]) -> None:
    machine(cuda=2)
    with pytest.raises(ModelError, match=f"no device '{name}' here; there are: auto, cuda, cpu, cuda:0, cuda:1"):
        find_device(name)


def test_a_precision_that_there_is_not_is_answered_with_those_there_are() -> None:
    with pytest.raises(ModelError, match="'int8'; there are: auto, float32, bfloat16, float16"):
        TorchBackend(gain(1.0), device="cpu", precision="int8")


def test_a_precision_that_the_device_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no bfloat16 on this card")

    monkeypatch.setattr(torch, "autocast", refuse)
    with pytest.raises(ModelError, match=r"cpu doesn't compute in bfloat16 \(no bfloat16 on this card\)"):
        TorchBackend(gain(1.0), device="cpu", precision="bfloat16")


@pytest.fixture
def own_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("own_threads")
def test_threads_are_set_where_that_is_asked() -> None:
    torch.set_num_threads(2)
    TorchBackend(gain(1.0), device="cpu")
    assert torch.get_num_threads() == 2
    TorchBackend(gain(1.0), device="cpu", threads=1)
    assert torch.get_num_threads() == 1


def test_too_little_memory_says_what_would_take_less() -> None:
    with pytest.raises(ModelError, match="too little memory for 2 x 32x64 pixels; use a smaller size"):
        TorchBackend(network_of(Raising()), device="cpu")(np.zeros((2, 3, 32, 64), np.float32))


def test_weights_alone_are_refused() -> None:
    with pytest.raises(ModelError, match="expected the name of their network"):
        open_backend(asset_path(f"{NAME}.safetensors"), backend="torch")
