"""Encoders that give a pyramid of feature maps by themselves: the convolutional networks of timm."""

from __future__ import annotations

from typing import Any

import timm
from torch import Tensor, nn

from midas.errors import ModelError
from midas.models.specs import PyramidSpec


class PyramidEncoder(nn.Module):
    """A timm network cut into the feature maps that its spec names, finest first.

    Args:
        spec: the network and what its maps must look like.

    Raises:
        ModelError: timm's network has other channels or strides than the spec says.
    """

    def __init__(self, spec: PyramidSpec) -> None:
        super().__init__()
        whole: Any = timm.create_model(spec.timm_name, pretrained=False, features_only=True)
        reductions = list(whole.feature_info.reduction())
        missing = [stride for stride in spec.strides if stride not in reductions]
        if missing:
            raise ModelError(f"{spec.timm_name} has no feature map of stride {missing[0]}; it has {reductions}")
        indices = tuple(reductions.index(stride) for stride in spec.strides)
        network: Any = timm.create_model(spec.timm_name, pretrained=False, features_only=True, out_indices=indices)
        channels = tuple(network.feature_info.channels())
        if channels != spec.channels:
            raise ModelError(f"{spec.timm_name} gives {channels} channels where the spec says {spec.channels}")
        self.network: nn.Module = network

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Feature maps (B, C, H / stride, W / stride) of normalised pixels (B, 3, H, W)."""
        features: list[Tensor] = self.network(pixels)
        return features
