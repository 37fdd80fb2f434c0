"""Encoders that give a pyramid of feature maps by themselves: convolutional networks, Swin, LeViT, Next-ViT."""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn

from midas.errors import ModelError
from midas.models.specs import PyramidSpec
from midas.models.taps import Tap


class PyramidEncoder(nn.Module):
    """A timm network cut into the feature maps that its spec names, finest first.

    Args:
        spec: the network and what its maps must look like.
        pretrained: whether timm fetches its own weights for the network.

    Raises:
        ModelError: timm's network has other channels or strides than the spec says.
    """

    def __init__(self, spec: PyramidSpec, *, pretrained: bool = False) -> None:
        super().__init__()
        indices = _indices(spec)
        network: Any = timm.create_model(spec.timm_name, pretrained=pretrained, features_only=True, out_indices=indices)
        channels = tuple(network.feature_info.channels())
        if channels != spec.channels:
            raise ModelError(f"{spec.timm_name} gives {channels} channels where the spec says {spec.channels}")
        self.network: nn.Module = network
        # The windowed networks of timm keep channels last.
        self.channels_last = str(getattr(network, "output_fmt", "NCHW")).endswith("NHWC")

    def forward(self, pixels: Tensor) -> list[Tap]:
        """Feature maps (B, C, H / stride, W / stride) of normalised pixels (B, 3, H, W)."""
        features: list[Tensor] = self.network(pixels)
        if self.channels_last:
            features = [feature.permute(0, 3, 1, 2) for feature in features]
        return [Tap(feature) for feature in features]


def _indices(spec: PyramidSpec) -> tuple[int, ...]:
    with torch.device("meta"):  # only its shapes are wanted
        whole: Any = timm.create_model(spec.timm_name, pretrained=False, features_only=True)
    reductions = list(whole.feature_info.reduction())
    missing = [stride for stride in spec.strides if stride not in reductions]
    if missing:
        raise ModelError(f"{spec.timm_name} has no feature map of stride {missing[0]}; it has {reductions}")
    return tuple(reductions.index(stride) for stride in spec.strides)
