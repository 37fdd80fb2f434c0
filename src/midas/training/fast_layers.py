"""The layers of a network replaced by faster ones for training on a processor; weights and names stay as they are."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from midas.errors import TrainingError
from midas.models.network import DepthNetwork
from midas.training.config import RunSettings
from midas.training.kernels import (
    LANES,
    BatchNormalization,
    DepthwiseConvolution,
    LastLayer,
    compiled,
    scale_and_shift,
)

# Compiling takes a minute, in which some hundreds are trained without.
WORTHWHILE_PICTURES = 2000

log = logging.getLogger(__name__)

_Forward = Callable[[Tensor], Tensor]


def accelerate(network: DepthNetwork) -> int:
    """Let a network train by compiled layers where it has such as they are for.

    The head's hidden convolutions then run in the precision of the rest, and only its last one in float32: what is
    rounded there is noise to training, and half of the time at full resolution.

    Args:
        network: on the CPU; in evaluation mode it runs as before.

    Returns:
        The number of layers that were replaced.

    Raises:
        TrainingError: the layers can't be compiled here.
    """
    compiled()
    replaced = 0
    for module in network.modules():
        forward = _fast_forward(module)
        if forward is not None:
            module.forward = forward
            replaced += 1
    if _ends_as_expected(network.head):
        network.forward = partial(_network_forward, network, network.forward)  # type: ignore[method-assign]
        replaced += 1
    return replaced


def use_fast_layers(network: DepthNetwork, settings: RunSettings) -> int:
    """Replace a network's layers where the settings ask for it, or leave it to the case and it pays.

    Args:
        network: what is trained, on its device.
        settings: of the run.

    Returns:
        The number of layers that were replaced.

    Raises:
        TrainingError: the settings insist, and the layers can't be compiled here.
    """
    on_processor = next(network.parameters()).device.type == "cpu" and not settings.compile
    pictures = settings.epochs * settings.pictures_per_epoch
    if settings.fast_layers == "on":
        return accelerate(network)
    if settings.fast_layers == "off" or not on_processor or pictures < WORTHWHILE_PICTURES:
        return 0
    try:
        return accelerate(network)
    except TrainingError as error:
        log.warning("training without them: %s", error)
        return 0


def _fast_forward(module: nn.Module) -> _Forward | None:
    if isinstance(module, nn.BatchNorm2d) and module.num_features % LANES == 0 and _limits(module) is not None:
        return partial(_batch_norm, module, module.forward)
    if isinstance(module, nn.Conv2d) and _is_depthwise(module):
        return partial(_depthwise, module, module.forward)
    return None


def _is_depthwise(module: nn.Conv2d) -> bool:
    size = module.kernel_size[0]
    alike = module.kernel_size == (size, size) and module.stride in ((1, 1), (2, 2)) and module.dilation == (1, 1)
    # Only PyTorch's own class: a subclass pads by rules of its own.
    return (
        type(module) is nn.Conv2d
        and alike
        and size in (3, 5)
        and module.groups == module.in_channels == module.out_channels
        and module.in_channels % LANES == 0
        and module.padding == (size // 2, size // 2)
        and module.padding_mode == "zeros"
        and module.bias is None
    )


def _limits(module: nn.BatchNorm2d) -> tuple[float, float] | None:
    """What the activation within a batch normalisation, which timm's have, cuts off; None where it does more."""
    activation = getattr(module, "act", None)
    if activation is None or isinstance(activation, nn.Identity):
        return -math.inf, math.inf
    if isinstance(activation, nn.ReLU6):
        return 0.0, 6.0
    return (0.0, math.inf) if isinstance(activation, nn.ReLU) else None


def _batch_norm(module: nn.BatchNorm2d, forward: _Forward, maps: Tensor) -> Tensor:
    low, high = _limits(module) or (-math.inf, math.inf)
    if module.training and torch.is_grad_enabled():
        normalised, mean, variance = BatchNormalization.apply(maps, module.weight, module.bias, module.eps, low, high)
        _update_statistics(module, mean, variance, maps.numel() / maps.shape[1])
        result: Tensor = normalised
        return result
    frozen = not any(parameter.requires_grad for parameter in module.parameters()) and not maps.requires_grad
    if module.training or not frozen or not torch.is_grad_enabled():
        return forward(maps)
    statistics: Any = module  # running statistics are there: only those that keep them evaluate
    scale = module.weight / (statistics.running_var + module.eps).sqrt()
    return scale_and_shift(maps, scale, module.bias - statistics.running_mean * scale, low, high)


@torch.no_grad()
def _update_statistics(module: nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: float) -> None:
    statistics: Any = module
    statistics.running_mean.lerp_(mean, module.momentum)
    statistics.running_var.lerp_(variance * (count / max(count - 1, 1)), module.momentum)
    statistics.num_batches_tracked.add_(1)


def _depthwise(module: nn.Conv2d, forward: _Forward, maps: Tensor) -> Tensor:
    if not (torch.is_grad_enabled() and (module.weight.requires_grad or maps.requires_grad)):
        return forward(maps)
    if torch.is_autocast_enabled("cpu"):
        maps = maps.to(torch.get_autocast_dtype("cpu"))
    result: Tensor = DepthwiseConvolution.apply(maps, module.weight, module.stride[0])
    return result


def _ends_as_expected(head: nn.Module) -> bool:
    layers = list(getattr(head, "layers", []))
    if len(layers) < 3:
        return False
    first, last, end = layers[-3:]
    return (
        isinstance(first, nn.ReLU)
        and isinstance(last, nn.Conv2d)
        and isinstance(end, nn.ReLU)
        and (last.kernel_size, last.out_channels, last.in_channels % LANES) == ((1, 1), 1, 0)
    )


def _network_forward(network: DepthNetwork, forward: _Forward, pixels: Tensor) -> Tensor:
    if not (network.training and torch.is_grad_enabled()):
        return forward(pixels)
    network.check_size((pixels.shape[-2], pixels.shape[-1]))
    head: Any = network.head
    maps: Tensor = head.stem(network.decoder(network.reassemble(network.encoder(pixels))))
    for layer in head.layers[:-3]:
        maps = layer(maps)
    last = head.layers[-2]
    return relu(LastLayer.apply(maps, last.weight, last.bias))
