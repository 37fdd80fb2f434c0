"""Absolute errors within parts of a picture: ranges of its depth, and windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from midas.losses.masks import zeroed

HIERARCHY_LEVELS = (2, 4)
"""Into how many ranges of disparity a picture is cut, and into how many windows along each side."""

# A part whose own spread is less than this share of the picture's counts as if it were so much: on a bare wall what
# remains is the sensor's noise.
SMALLEST_SPREAD_SHARE = 0.2
# Every second pixel in each direction says as much of a part, in a quarter of the time.
_STEP_PX = 2
_SMALLEST_SPREAD = 1e-12


class _Parts(NamedTuple):
    """The parts that a picture is cut into: each pixel's (B, N), counted through the batch, and the number of all."""

    of_pixel: Int[Tensor, "B N"]
    number: int

    def mean(self, values: Float[Tensor, "B N"], pixels: Float[Tensor, " parts"]) -> Float[Tensor, "B N"]:
        """For each pixel the mean of its part, of values that are 0 where invalid."""
        index = self.of_pixel.flatten()
        sums = values.new_zeros(self.number).index_add(0, index, values.flatten())
        return (sums / pixels)[index].view_as(values)


def hierarchical_mae(
    residual: Float[Tensor, "B H W"],
    target: Float[Tensor, "B H W"],
    mask: Bool[Tensor, "B H W"],
    levels: tuple[int, ...] = HIERARCHY_LEVELS,
) -> Float[Tensor, ""]:
    """Mean absolute error within parts of a picture, in units of what the target spreads there.

    After Zhang et al., "Hierarchical Normalization for Robust Monocular Depth Estimation" (2022), whose parts these
    are: equal ranges of the target's disparity, and windows of the picture. Over a whole picture most of the variance
    is the ground's, which rises from the lower edge; what stands before what, and all that is far, weighs little.
    Within a part it is all there is. Each part is shifted by itself, and its errors are divided by the mean absolute
    deviation of its target, relative to the picture's. In contrast to the paper the scale is the picture's own, that of
    the residual: a part that is predicted flat has then no scale to divide by nothing.

    Args:
        residual: aligned prediction minus target, in any unit.
        target: disparity; any scale and shift cost nothing.
        mask: valid pixels.
        levels: numbers of ranges, and of windows along each side.
    """
    valid = mask[:, ::_STEP_PX, ::_STEP_PX]
    error = zeroed(residual[:, ::_STEP_PX, ::_STEP_PX], valid).flatten(1)
    d_star = zeroed(target[:, ::_STEP_PX, ::_STEP_PX], valid).to(error)
    flat, weight = d_star.flatten(1), valid.flatten(1).to(error)
    pictures = len(error)
    rows = torch.arange(pictures, device=error.device)[:, None]
    whole = _Parts(rows.expand_as(flat), pictures)
    spread = _spread(whole, flat, weight, _pixels(whole, weight))
    each = []
    for parts in _all_parts(d_star, valid, rows, levels):
        pixels = _pixels(parts, weight)
        own = torch.maximum(_spread(parts, flat, weight, pixels), SMALLEST_SPREAD_SHARE * spread)
        within = (error - parts.mean(error, pixels)).abs() * weight
        each.append((within * (spread / own.clamp(min=_SMALLEST_SPREAD))).sum(dim=1))
    return (torch.stack(each).mean(dim=0) / weight.sum(dim=1).clamp(min=1)).mean()


def _pixels(parts: _Parts, weight: Float[Tensor, "B N"]) -> Float[Tensor, " parts"]:
    """The number of valid pixels of each part; 1 where there is none, to divide by."""
    return weight.new_zeros(parts.number).index_add(0, parts.of_pixel.flatten(), weight.flatten()).clamp(min=1)


def _spread(
    parts: _Parts, flat: Float[Tensor, "B N"], weight: Float[Tensor, "B N"], pixels: Float[Tensor, " parts"]
) -> Float[Tensor, "B N"]:
    """For each pixel the mean absolute deviation of the target in its part."""
    return parts.mean((flat - parts.mean(flat, pixels)).abs() * weight, pixels)


def _all_parts(
    d_star: Float[Tensor, "B H W"], valid: Bool[Tensor, "B H W"], rows: Int[Tensor, "B 1"], levels: tuple[int, ...]
) -> Iterator[_Parts]:
    """The ranges of each level, then its windows."""
    pictures, height, width = d_star.shape
    infinity = torch.tensor(float("inf"), dtype=d_star.dtype, device=d_star.device)
    nearest = torch.where(valid, d_star, -infinity).amax(dim=(1, 2), keepdim=True)
    farthest = torch.where(valid, d_star, infinity).amin(dim=(1, 2), keepdim=True)
    place = zeroed((d_star - farthest) / (nearest - farthest).clamp(min=_SMALLEST_SPREAD), valid).flatten(1)
    down = torch.arange(height, device=d_star.device)[:, None]
    across = torch.arange(width, device=d_star.device)[None]
    for level in levels:
        yield _Parts(rows * level + (place * level).long().clamp(0, level - 1), pictures * level)
        window = (down * level // height) * level + across * level // width
        yield _Parts(rows * level**2 + window.flatten()[None], pictures * level**2)
