"""Layers in C++ for training on processors: what PyTorch does there at a fraction of the machine's speed.

The gradients of depthwise convolutions in bfloat16 run in oneDNN's reference code, and batch normalisation with its
activation reads and writes every map twice as often as it must. ``kernels.cpp`` is compiled for the machine at hand
when a run first needs it; where that isn't possible, PyTorch's own layers do the same more slowly.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from midas.backends.exactness import cpu_flags
from midas.errors import TrainingError
from midas.models.weight_files import cache_folder

SOURCE = Path(__file__).with_name("kernels.cpp")
FLAGS = ("-O3", "-march=native", "-fopenmp", "-ffp-contract=fast")

# Channels are taken so many at a time.
LANES = 8


@cache
def compiled() -> Any:
    """The compiled functions; from the cache after the first time, which takes a minute.

    Raises:
        TrainingError: there is no compiler, or it doesn't take the source.
    """
    # It warns of machines that have CUDA's tools and no graphics card, which is nothing to layers for processors.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    from torch.utils.cpp_extension import load

    folder = build_folder()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return load("midas_kernels", [str(SOURCE)], extra_cflags=list(FLAGS), build_directory=str(folder))
    except (RuntimeError, OSError, ImportError, subprocess.SubprocessError) as error:
        raise TrainingError(f"the layers in C++ can't be compiled here: {error}") from error


def build_folder() -> Path:
    """Where the compiled functions are kept: what is compiled for one processor another may not know."""
    processor = "-".join([platform.machine(), platform.processor(), *sorted(cpu_flags())])
    digest = hashlib.sha256(processor.encode()).hexdigest()[:12]
    return cache_folder() / "kernels" / f"torch-{torch.__version__}-{digest}"


def in_channels_last(maps: Tensor) -> Tensor:
    """The maps as the functions take them."""
    return maps.contiguous(memory_format=torch.channels_last)


def _laid_out_as(weight: Tensor, gradient: Tensor) -> Tensor:
    """A weight's gradient in its type and with its strides, also of axes of one: DDP complains about others."""
    return torch.empty_like(weight).copy_(gradient)


class DepthwiseConvolution(torch.autograd.Function):
    """A convolution of each channel by itself, 3x3 or 5x5, padded by half its width; channels a multiple of eight."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, stride: int) -> Tensor:
        """Maps (B, C, H, W) by weights (C, 1, K, K)."""
        maps = in_channels_last(maps)
        ctx.save_for_backward(maps, weight)
        ctx.stride = stride
        return conv2d(maps, weight.to(maps.dtype), None, stride, weight.shape[-1] // 2, 1, maps.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, None]:
        """Gradients by maps and weights."""
        maps, weight = ctx.saved_tensors
        of_maps, of_weight = compiled().depthwise_backward(
            in_channels_last(gradients[0]), maps, weight, ctx.stride, ctx.needs_input_grad[0]
        )
        return of_maps if ctx.needs_input_grad[0] else None, _laid_out_as(weight, of_weight), None


class BatchNormalization(torch.autograd.Function):
    """Batch normalisation over the batch at hand, cut off at a lowest and a highest value, in two passes."""

    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, epsilon: float, low: float, high: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The maps normalised, with mean and biased variance of each channel."""
        maps = in_channels_last(maps)
        normalised, mean, variance = compiled().batch_norm_forward(maps, weight, bias, epsilon, low, high)
        ctx.save_for_backward(maps, weight, bias, mean, variance)
        ctx.settings = (epsilon, low, high)
        ctx.mark_non_differentiable(mean, variance)
        return normalised, mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        """Gradients by maps, weight and bias."""
        of_maps, of_weight, of_bias = compiled().batch_norm_backward(
            in_channels_last(gradients[0]), *ctx.saved_tensors, *ctx.settings
        )
        return of_maps, of_weight, of_bias, None, None, None


class LastLayer(torch.autograd.Function):
    """ReLU and a 1x1 convolution to one channel, in float32 whatever the maps are in."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Maps (B, C, H, W) by weights (1, C, 1, 1) and bias (1,): (B, H, W)."""
        maps = in_channels_last(maps)
        ctx.save_for_backward(maps, weight)
        result: Tensor = compiled().last_layer_forward(maps, weight.reshape(-1), float(bias))
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients by maps, weight and bias."""
        maps, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        of_maps, of_weight = compiled().last_layer_gradients(gradient, maps, weight.reshape(-1))
        return of_maps, _laid_out_as(weight, of_weight.reshape(weight.shape)), gradient.sum().reshape(1)


def scale_and_shift(maps: Tensor, scale: Tensor, shift: Tensor, low: float, high: float) -> Tensor:
    """``scale * maps + shift`` per channel, cut off at a lowest and a highest value; without gradients."""
    result: Tensor = compiled().scale_and_shift(in_channels_last(maps), scale, shift, low, high)
    return result
