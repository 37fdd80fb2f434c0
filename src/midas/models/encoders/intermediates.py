"""Encoders of no published depth network: any transformer of timm that hands out its intermediate maps."""

from __future__ import annotations

from typing import Any

import timm
from torch import Tensor, nn

from midas.models.specs import FeatureSpec
from midas.models.taps import Tap


class IntermediateEncoder(nn.Module):
    """A timm network tapped by its own ``forward_intermediates``, position embeddings resized timm's way.

    Args:
        spec: the network, and which of its maps are wanted.
        pretrained: whether timm fetches its own weights for the network.
    """

    def __init__(self, spec: FeatureSpec, *, pretrained: bool = False) -> None:
        super().__init__()
        self.spec = spec
        options: dict[str, Any] = {"dynamic_img_size": True} if spec.dynamic_size_option else {}
        network: Any = timm.create_model(spec.timm_name, pretrained=pretrained, num_classes=0, **options)
        network.prune_intermediate_layers(list(spec.blocks), prune_norm=False, prune_head=True)
        self.network = network

    def forward(self, pixels: Tensor) -> list[Tap]:
        """Taps of normalised pixels (B, 3, H, W), each under the network's last normalisation."""
        maps = self.network.forward_intermediates(
            pixels, indices=list(self.spec.blocks), norm=True, intermediates_only=True,
            return_prefix_tokens=self.spec.has_class_token,
        )  # fmt: skip
        if not self.spec.has_class_token:
            return [Tap(feature) for feature in maps]
        return [Tap(feature, prefix[:, 0]) for feature, prefix in maps]
