"""The layers in C++ give what PyTorch's give, in both precisions, and a network with them learns the same."""

from __future__ import annotations

import math
import shutil
from copy import deepcopy

import pytest
import torch
from torch import Tensor
from torch.nn.functional import batch_norm, conv2d, relu

from midas.models.factory import create_model
from midas.training.fast_layers import accelerate
from midas.training.kernels import BatchNormalization, DepthwiseConvolution, LastLayer, in_channels_last

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("g++") and shutil.which("ninja")), reason="needs g++ and ninja"),
]

# Relative to the largest value: rounding of the format.
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 0.02}


def tensors(*shapes: tuple[int, ...]) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(shape, dtype=torch.float64) for shape in shapes]


def leaves(maps: Tensor, dtype: torch.dtype, *parameters: Tensor) -> list[Tensor]:
    """Maps in a format, and parameters, which are always in float32."""
    first = in_channels_last(maps.detach().to(dtype)).requires_grad_()
    return [first, *(parameter.detach().float().requires_grad_() for parameter in parameters)]


def angle(one: Tensor, other: Tensor) -> float:
    """Between two gradients, in radians, as long as it is small."""
    units = [each.flatten().double() / each.double().norm() for each in (one, other)]
    return float((units[0] - units[1]).norm())


def assert_alike(given: tuple[Tensor, ...], expected: tuple[Tensor, ...], tolerance: float) -> None:
    for a, b in zip(given, expected, strict=True):
        assert a.shape == b.shape
        assert float((a - b).detach().abs().max()) <= tolerance * float(b.detach().abs().max())


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [3, 5])
def test_a_depthwise_convolution_has_the_gradients_of_pytorchs(size: int, stride: int, dtype: torch.dtype) -> None:
    maps, weight = (tensor.requires_grad_() for tensor in tensors((3, 24, 11, 14), (24, 1, size, size)))
    result = conv2d(maps, weight, None, stride, size // 2, 1, 24)
    gradient = torch.randn_like(result)
    expected = torch.autograd.grad(result, (maps, weight), gradient)
    given = leaves(maps, dtype, weight)
    fast = DepthwiseConvolution.apply(*given, stride)
    assert_alike(torch.autograd.grad(fast, given, gradient.to(dtype)), expected, TOLERANCES[dtype])


@pytest.mark.parametrize("limits", [(-math.inf, math.inf), (0.0, 6.0)], ids=["linear", "ReLU6"])
@pytest.mark.parametrize("dtype", [torch.float32], ids=str)  # where half a step decides what is cut off, halves differ
def test_a_batch_normalisation_has_values_and_gradients_of_pytorchs(
    limits: tuple[float, float], dtype: torch.dtype
) -> None:
    maps, weight, bias = tensors((3, 24, 7, 9), (24,), (24,))
    for tensor in (maps, weight, bias):
        tensor.requires_grad_()
    result = batch_norm(3 * maps + 2, None, None, weight, bias, True, 0.1, 1e-5).clamp(*limits)
    gradient = torch.randn_like(result)
    expected = (result, *torch.autograd.grad(result, (maps, weight, bias), gradient))
    given = leaves(maps, dtype, weight, bias)
    fast, _, _ = BatchNormalization.apply(3 * given[0] + 2, *given[1:], 1e-5, *limits)
    assert_alike((fast, *torch.autograd.grad(fast, given, gradient.to(dtype))), expected, TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_the_last_layer_has_values_and_gradients_of_pytorchs(dtype: torch.dtype) -> None:
    maps, weight, bias = (tensor.requires_grad_() for tensor in tensors((2, 16, 5, 7), (1, 16, 1, 1), (1,)))
    result = conv2d(relu(maps), weight, bias)[:, 0]
    gradient = torch.randn_like(result)
    expected = (result, *torch.autograd.grad(result, (maps, weight, bias), gradient))
    given = leaves(maps, dtype, weight, bias)
    fast = LastLayer.apply(*given)
    assert_alike((fast, *torch.autograd.grad(fast, given, gradient.float())), expected, TOLERANCES[dtype])


def test_the_gradient_of_a_weight_lies_in_memory_as_the_weight_does() -> None:
    maps, bias = leaves(tensors((2, 16, 5, 7))[0], torch.float32, torch.zeros(1))
    last, depthwise = (
        tensors((16 * 9,))[0].detach().float().as_strided(size, strides).requires_grad_()
        for size, strides in (((1, 16, 1, 1), (16, 1, 16, 16)), ((16, 1, 3, 3), (9, 1, 3, 1)))
    )
    for weight, result in (
        (last, LastLayer.apply(maps, last, bias)),
        (depthwise, DepthwiseConvolution.apply(maps, depthwise, 1)),
    ):
        (gradient,) = torch.autograd.grad(result.sum(), weight)
        assert gradient.stride() == weight.stride()


def test_a_network_with_fast_layers_has_the_same_gradients_statistics_and_weights_names() -> None:
    slow = create_model("midas_nano_256").train()
    for part in (slow.encoder.get_submodule("network.conv_stem"), slow.encoder.get_submodule("network.bn1")):
        part.eval().requires_grad_(False)
    fast, exact = deepcopy(slow), deepcopy(slow).double()
    assert accelerate(fast) > 60
    torch.manual_seed(0)
    pixels = in_channels_last(torch.rand(2, 3, 64, 96) * 2 - 1)
    for network in (slow, fast):
        network(pixels).square().mean().backward()
    exact(pixels.double()).square().mean().backward()
    assert slow.state_dict().keys() == fast.state_dict().keys()
    angles = []
    for (name, a), b, c in zip(slow.named_parameters(), fast.parameters(), exact.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None), name
        if a.grad is not None and b.grad is not None and c.grad is not None and float(c.grad.norm()) > 1e-4:
            angles.append([angle(each.grad, c.grad) for each in (a, b)])
            # Batch statistics over a handful of pixels amplify rounding, of either network's sums.
            assert angles[-1][1] < 0.1, name
    of_slow, of_fast = torch.tensor(angles).median(dim=0).values.tolist()
    assert of_fast < 4 * of_slow < 0.01
    for (name, a), b in zip(slow.named_buffers(), fast.buffers(), strict=True):
        assert torch.allclose(a.float(), b.float(), rtol=1e-3, atol=1e-4), name
    with torch.inference_mode():
        assert torch.allclose(slow.eval()(pixels), fast.eval()(pixels), rtol=1e-3, atol=1e-3)
