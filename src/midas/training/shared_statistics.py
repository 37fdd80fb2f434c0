"""Batch normalisation over the pictures of all processes, as that of one process with the whole batch.

PyTorch's own layer runs on graphics cards alone; this one is made of two sums over processes that gradients go through,
and runs wherever they do. Mean first, then squares about it: the variance of large means would drown in rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


def share_statistics(network: nn.Module, *, wanted: bool = True) -> int:
    """Let all batch normalisations of a network see the pictures of all processes; nothing happens with one process.

    Args:
        network: whole on each device.
        wanted: nothing happens either where it isn't.

    Returns:
        How many there are.
    """
    several = distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
    if not (wanted and several):
        return 0
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    for layer in layers:
        alone: Callable[[Tensor], Tensor] = layer.forward
        layer.forward = partial(_forward, layer, alone)  # type: ignore[method-assign]
    return len(layers)


class _Total(torch.autograd.Function):
    """The sum over processes; so is its gradient, since each process's loss depends on what all gave."""

    @staticmethod
    def forward(context: Any, own: Tensor) -> Tensor:
        total = own.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total


def _forward(layer: Any, alone: Callable[[Tensor], Tensor], maps: Tensor) -> Tensor:
    if not layer.training:
        return alone(maps)
    with torch.autocast(maps.device.type, enabled=False):
        normalised = _normalised(layer, maps.float()).to(maps.dtype)
    # timm's layers hold what comes behind them.
    dropped = layer.drop(normalised) if hasattr(layer, "drop") else normalised
    result: Tensor = layer.act(dropped) if hasattr(layer, "act") else dropped
    return result


def _normalised(layer: Any, maps: Tensor) -> Tensor:
    """Float32 (B, C, ...) with mean 0 and variance 1 over all processes, times weight, plus bias."""
    axes = [axis for axis in range(maps.dim()) if axis != 1]
    shape = [1, -1] + [1] * (maps.dim() - 2)
    # Processes may have different numbers of pictures.
    count = maps.new_tensor([maps.numel() / maps.shape[1]])
    sums = _Total.apply(torch.cat([maps.sum(axes), count]))
    total = sums[-1].detach()
    mean = sums[:-1] / total
    centred = maps - mean.view(shape)
    variance = _Total.apply(centred.square().sum(axes)) / total
    _update(layer, mean.detach(), variance.detach(), float(total))
    result: Tensor = centred * ((variance + layer.eps).rsqrt() * layer.weight).view(shape) + layer.bias.view(shape)
    return result


@torch.no_grad()
def _update(layer: Any, mean: Tensor, variance: Tensor, count: float) -> None:
    if layer.running_mean is None:
        return
    layer.num_batches_tracked.add_(1)
    momentum = layer.momentum if layer.momentum is not None else 1 / float(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), momentum)
    layer.running_var.lerp_((variance * (count / max(count - 1, 1))).to(layer.running_var.dtype), momentum)
