"""Position embeddings and biases of transformers, brought to grids other than that of their training."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from midas.models.specs import Positions

# DINOv2 adds this to the side of the grid before it divides by the side of the table. The sampling points move by it,
# so that a network trained with it gives other numbers without.
_DINOV2_OFFSET = 0.1
_CUBIC_A = -0.75


def resize_embeddings(
    table: Float[Tensor, "1 T C"], side: int, grid: Tensor, rule: Positions
) -> Float[Tensor, "1 C h w"]:
    """Embeddings of a square grid of tokens, resampled to another grid without antialiasing.

    Args:
        table: one embedding per token, row by row.
        side: tokens along a side of that square.
        grid: a map (B, C, h, w) of the tokens that are to be told apart.
        rule: ``"bilinear"``, ``"bicubic"`` or ``"bicubic_offset"``; see `TransformerSpec`.
    """
    square = table.reshape(1, side, side, table.shape[2]).permute(0, 3, 1, 2)
    height, width = grid.shape[-2:]
    if rule == "bilinear":
        return interpolate(square, (height, width), mode="bilinear", align_corners=False)
    # The offset is left out where the grid is that of the table. Written as arithmetic, not as a branch: a traced
    # network would keep the branch of the size that it was traced with.
    rows, columns = torch.arange(height, device=table.device), torch.arange(width, device=table.device)
    differs = torch.maximum((rows.sum() - _triangle(side)).abs(), (columns.sum() - _triangle(side)).abs()).clamp(max=1)
    offset = _DINOV2_OFFSET * differs if rule == "bicubic_offset" else torch.zeros_like(differs)
    vertical, horizontal = (_cubic_weights(axis, side, offset).to(table.dtype) for axis in (rows, columns))
    resized: Tensor = vertical @ square @ horizontal.T
    return resized


def _triangle(side: int) -> int:
    return side * (side - 1) // 2


def _cubic_weights(samples: Int[Tensor, " samples"], length: int, offset: Tensor) -> Float[Tensor, "samples length"]:
    """Weights by which bicubic resampling makes each sample of one axis from its ``length`` source values."""
    count = samples.shape[0]
    step = length / (count + offset.float())
    centres = (samples.float() + 0.5) * step - 0.5
    lower = centres.floor()
    taps = torch.arange(-1, 3, device=samples.device)
    distance = (centres[:, None] - (lower[:, None] + taps)).abs()
    near = ((_CUBIC_A + 2) * distance - (_CUBIC_A + 3)) * distance * distance + 1
    far = ((_CUBIC_A * distance - 5 * _CUBIC_A) * distance + 8 * _CUBIC_A) * distance - 4 * _CUBIC_A
    weights = torch.where(distance <= 1, near, far)
    sources = (lower[:, None].long() + taps).clamp(0, length - 1)
    at_source = sources[:, :, None] == torch.arange(length, device=samples.device)
    return (weights[:, :, None] * at_source).sum(1)


def resize_bias_table(table: Float[Tensor, "R heads"], side: int, grid: Tensor) -> Float[Tensor, "heads rows"]:
    """A table of relative position biases for another grid of tokens.

    The offsets (dy, dx) between two tokens form a square of (2 h - 1) x (2 w - 1), resized bilinearly; the three
    entries for the class token, at its end, stay.

    Args:
        table: biases of a square window, three class entries last.
        side: tokens along a side of that window.
        grid: a map (B, C, h, w) of the tokens.
    """
    square = table[:-3].T.reshape(1, table.shape[1], 2 * side - 1, 2 * side - 1)
    height, width = grid.shape[-2:]
    resized = interpolate(square, (2 * height - 1, 2 * width - 1), mode="bilinear", align_corners=False)
    return torch.cat([resized.flatten(2)[0], table[-3:].T], dim=1)


def relative_index(grid: Tensor) -> Int[Tensor, "N N"]:
    """Row of the table of relative position biases for each pair of tokens, the class token first.

    Args:
        grid: a map (B, C, h, w) of the tokens; N = h w + 1.
    """
    height, width = grid.shape[-2:]
    y, x = torch.arange(height, device=grid.device), torch.arange(width, device=grid.device)
    rows = (y[:, None] - y[None, :] + height - 1) * (2 * width - 1)
    columns = x[:, None] - x[None, :] + width - 1
    pairs = (rows[:, None, :, None] + columns[None, :, None, :]).flatten(2).flatten(0, 1)
    last = (2 * height - 1) * (2 * width - 1)
    from_class = torch.zeros_like(pairs[:1]) + last
    to_class = torch.zeros_like(pairs[:, :1]) + last + 1
    itself = torch.zeros_like(pairs[:1, :1]) + last + 2
    return torch.cat([torch.cat([itself, from_class], 1), torch.cat([to_class, pairs], 1)], 0)
