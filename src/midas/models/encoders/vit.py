"""Vision transformers whose tokens know their place from a table of embeddings: ViT, DINOv2, and the hybrid."""

from __future__ import annotations

from functools import partial
from typing import Any

import timm
import torch
from torch import Tensor, nn

from midas.models.encoders.positions import resize_embeddings
from midas.models.specs import TransformerSpec
from midas.models.taps import Tap


class VitEncoder(nn.Module):
    """timm's network, with its own resizing of position embeddings: each published family has another.

    Args:
        spec: the network, and where it is tapped.
    """

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.spec = spec
        network: Any = timm.create_model(
            spec.timm_name,
            pretrained=False,
            num_classes=0,
            dynamic_img_size=True,
            norm_layer=partial(nn.LayerNorm, eps=spec.norm_eps),
        )
        network.prune_intermediate_layers(list(spec.blocks), prune_norm=not spec.final_norm, prune_head=True)
        self.network = network
        self.side = network.patch_embed.grid_size[0]

    def forward(self, pixels: Tensor) -> list[Tap]:
        """Taps of normalised pixels (B, 3, H, W): stages of the stem, if there are any, then blocks."""
        stages, feature = self._stem(pixels)
        grid = self.network.patch_embed.proj(feature)
        tokens = self._embed(grid)
        taps = [Tap(stage) for stage in stages]
        for index, block in enumerate(self.network.blocks):
            tokens = block(tokens)
            if index in self.spec.blocks:
                taps.append(tap_tokens(self.network.norm(tokens), grid))
        return taps

    def _stem(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        """The tapped stages of a convolutional stem, and what the patches are cut from."""
        if not self.spec.stages:
            return [], pixels
        backbone = self.network.patch_embed.backbone
        feature, stages = backbone.stem(pixels), []
        for stage in backbone.stages:
            feature = stage(feature)
            stages.append(feature)
        return stages[: self.spec.stages], backbone.norm(feature)

    def _embed(self, grid: Tensor) -> Tensor:
        """Tokens (B, 1 + h w, C): the class token, then the picture's, row by row."""
        table = self.network.pos_embed
        positions = resize_embeddings(table[:, 1:], self.side, grid, self.spec.positions)
        tokens = (grid + positions).flatten(2).transpose(1, 2)
        class_token = (self.network.cls_token + table[:, :1]).expand(tokens.shape[0], -1, -1)
        return torch.cat([class_token.to(tokens.dtype), tokens], dim=1)


def tap_tokens(tokens: Tensor, grid: Tensor) -> Tap:
    """Tokens (B, 1 + h w, C) as a map of the shape of ``grid`` (B, C, h, w), and the class token beside it."""
    feature = tokens[:, 1:].transpose(1, 2).reshape_as(grid)
    return Tap(feature, tokens[:, 0])
