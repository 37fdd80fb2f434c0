"""LeViT: a convolutional stem, then three stages of attention at falling resolution."""

from __future__ import annotations

from typing import Any

import timm
from torch import Tensor, nn

from midas.models.specs import LevitSpec
from midas.models.taps import Tap


class LevitEncoder(nn.Module):
    """timm's network, tapped within its stages, where the published depth network taps it.

    Its table of attention biases belongs to one size of input, and so does the network.

    Args:
        spec: the network, and where it is tapped.
    """

    def __init__(self, spec: LevitSpec) -> None:
        super().__init__()
        self.spec = spec
        network: Any = timm.create_model(spec.timm_name, pretrained=False, num_classes=0)
        network.prune_intermediate_layers([len(network.stages) - 1], prune_head=True)
        last = network.stages[-1]
        last.blocks = last.blocks[: spec.blocks[-1]]
        self.network = network

    def forward(self, pixels: Tensor) -> list[Tap]:
        """Maps (B, C, h, w) of normalised pixels (B, 3, H, W), at strides 16, 32 and 64, rounded up."""
        feature = self.network.stem(pixels)
        height, width = feature.shape[-2:]
        tokens = feature.flatten(2).transpose(1, 2)
        taps: list[Tap] = []
        for stage, tapped in zip(self.network.stages, self.spec.blocks, strict=True):
            if taps:
                height, width = (height + 1) // 2, (width + 1) // 2
            tokens = stage.downsample(tokens)
            for count, block in enumerate(stage.blocks, start=1):
                tokens = block(tokens)
                if count == tapped:
                    taps.append(Tap(tokens.transpose(1, 2).reshape(tokens.shape[0], -1, height, width)))
        return taps
