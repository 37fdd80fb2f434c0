"""BEiT: a transformer whose tokens know their place from biases on the attention between two of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import timm
import torch
from torch import Tensor, nn

from midas.models.encoders.positions import relative_index, resize_bias_table
from midas.models.encoders.vit import tap_tokens
from midas.models.specs import TransformerSpec
from midas.models.taps import Tap


class BeitEncoder(nn.Module):
    """timm's network, with the tables of relative position biases kept here and resized to each picture's grid.

    timm fixes the tables to one size when it builds the network; its blocks take a bias as an argument, though.

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
            use_rel_pos_bias=False,
            norm_layer=partial(nn.LayerNorm, eps=spec.norm_eps),
        )
        network.prune_intermediate_layers(list(spec.blocks), prune_norm=True, prune_head=True)
        self.network = network
        self.side = network.patch_embed.grid_size[0]
        rows = (2 * self.side - 1) ** 2 + 3
        heads = network.blocks[0].attn.num_heads
        self.bias_tables = nn.ParameterList(torch.zeros(rows, heads) for _ in network.blocks)

    def forward(self, pixels: Tensor) -> list[Tap]:
        """Taps of normalised pixels (B, 3, H, W), one per tapped block."""
        grid = self.network.patch_embed.proj(pixels)
        tokens = grid.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.network.cls_token.expand(tokens.shape[0], -1, -1).to(tokens.dtype), tokens], dim=1)
        index = relative_index(grid)
        taps = []
        for position, (block, table) in enumerate(zip(self.network.blocks, self.bias_tables, strict=True)):
            bias = resize_bias_table(table, self.side, grid)[:, index].unsqueeze(0)
            tokens = block(tokens, shared_rel_pos_bias=bias)
            if position in self.spec.blocks:
                taps.append(tap_tokens(tokens, grid))
        return taps
