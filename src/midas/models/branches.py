"""Convolutions with branches that become one after training, and sums of convolutions under one normalisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv_norm(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1, relu: bool = True
) -> nn.Sequential:
    """A convolution whose result is as large as its input divided by the stride, batch normalisation, and a ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels),
    ]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


class BranchedConv(nn.Module):
    """A 3x3 and a 1x1 convolution side by side, and the input itself where the shapes allow it; then ReLU.

    All three are linear, so that one 3x3 convolution gives their sum (RepVGG, Ding et al. 2021, section 3.3).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result.
        stride: input pixels per pixel of the result, along each side.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.wide = conv_norm(in_channels, out_channels, 3, stride=stride, relu=False)
        self.narrow = conv_norm(in_channels, out_channels, 1, stride=stride, relu=False)
        self.adds_input = in_channels == out_channels and stride == 1

    def forward(self, feature: Tensor) -> Tensor:
        """A map of ``out_channels``, never negative."""
        total: Tensor = self.wide(feature) + self.narrow(feature)
        return torch.relu(total + feature if self.adds_input else total)

    @torch.no_grad()
    def merged(self) -> nn.Sequential:
        """One convolution and a ReLU that give the numbers of evaluation mode, up to rounding."""
        wide, narrow = _convolution(self.wide[0]), _convolution(self.narrow[0])
        scale, bias = _scale_and_shift(_normalisation(self.wide[1]))
        point_scale, point_bias = _scale_and_shift(_normalisation(self.narrow[1]))
        # In float64: what is rounded is the sum alone, and not each of its parts.
        kernel = scale * wide.weight.double()
        kernel[:, :, 1:2, 1:2] += point_scale * narrow.weight.double()
        if self.adds_input:
            kernel[:, :, 1, 1] += torch.eye(len(kernel), dtype=kernel.dtype, device=kernel.device)
        one = nn.Conv2d(wide.in_channels, wide.out_channels, 3, wide.stride[0], padding=1, device=kernel.device)
        one.weight.copy_(kernel)
        one.get_parameter("bias").copy_(bias + point_bias)
        return nn.Sequential(one, nn.ReLU())


class NormedSum(nn.Module):
    """The sum of two convolutions, batch-normalised.

    Args:
        first: without bias.
        second: without bias, of as many channels.
    """

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.norm: nn.Module = nn.BatchNorm2d(first.out_channels)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """The normalised sum of what the first makes of one and the second of the other."""
        total: Tensor = self.norm(self.first(one) + self.second(other))
        return total

    @property
    def is_folded(self) -> bool:
        """Whether the convolutions do the normalisation's work."""
        return isinstance(self.norm, nn.Identity)

    @torch.no_grad()
    def fold(self) -> None:
        """Let the convolutions do what the normalisation does in evaluation mode; of no use for training after that."""
        scale, bias = _scale_and_shift(_normalisation(self.norm))
        for convolution in (self.first, self.second):
            convolution.weight = nn.Parameter((scale * convolution.weight.double()).to(convolution.weight.dtype))
        self.first.bias = nn.Parameter(bias.to(self.first.weight.dtype))
        self.norm = nn.Identity()


def merge_branches(network: nn.Module) -> int:
    """Put the convolutions that run into the place of branched ones: the form in which such a network is used.

    Args:
        network: changed in place, and of no use for training from then on.

    Returns:
        The number of branched convolutions that are gone.
    """
    branched = [(name, module) for name, module in network.named_modules() if isinstance(module, BranchedConv)]
    for name, module in branched:
        parent, _, own_name = name.rpartition(".")
        setattr(network.get_submodule(parent), own_name, module.merged())
    return len(branched)


def _scale_and_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """What a normalisation multiplies by in evaluation mode, (C, 1, 1, 1), and then adds, (C); float64."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise ValueError("a normalisation without running statistics depends on its input and can't be merged")
    scale = norm.weight.double() / torch.sqrt(variance.double() + norm.eps)
    return scale.reshape(-1, 1, 1, 1), norm.bias.double() - mean.double() * scale


def _convolution(module: nn.Module) -> nn.Conv2d:
    assert isinstance(module, nn.Conv2d)
    return module


def _normalisation(module: nn.Module) -> nn.BatchNorm2d:
    assert isinstance(module, nn.BatchNorm2d)
    return module
