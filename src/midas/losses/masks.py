"""What every loss does with a mask."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

BITS = {torch.float32: torch.int32, torch.float64: torch.int64}


def zeroed(values: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]) -> Float[Tensor, "B H W"]:
    """The values in float32 or, if they are so already, float64; 0 where they are invalid, whatever stood there."""
    kept: Tensor = _Zeroed.apply(at_least_float32(values), mask)
    return kept


def at_least_float32(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The values in float32, or as they are if in float64."""
    return values if values.dtype == torch.float64 else values.float()


def valid_count(mask: Bool[Tensor, "B H W"]) -> Int[Tensor, " B"]:
    """M, the number of valid pixels of each picture; 1 where there is none, to divide by."""
    # On a CPU a sum over both axes takes six times as long.
    return mask.count_nonzero(dim=(1, 2)).clamp(min=1)


def masked_mean(zeroed_values: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]) -> Float[Tensor, " B"]:
    """Each picture's mean over its valid pixels, of values that are 0 elsewhere."""
    return zeroed_values.sum(dim=(1, 2)) / valid_count(mask)


class _Zeroed(torch.autograd.Function):
    """The product with the mask, bit by bit: NaN and infinity become 0 too, in a tenth of the time of ``where``."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, mask: Tensor) -> Tensor:
        ctx.save_for_backward(mask)
        return (values.view(BITS[values.dtype]) * mask).view(values.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return zeroed(gradients[0], mask), None
