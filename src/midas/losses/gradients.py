"""Losses on differences between neighbouring pixels."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from midas.losses.masks import valid_count, zeroed
from midas.losses.robust import SMALLEST_DEVIATION

GRADIENT_SCALES = 4
NMG_SPACINGS_PX = (2, 8, 32, 64)


def gradient_matching(
    residual: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"], scales: int = GRADIENT_SCALES
) -> Float[Tensor, ""]:
    """Multi-scale gradient matching (eq. 11): the residual's own gradients, at resolutions halved from scale to scale.

    Args:
        residual: aligned prediction minus aligned target, as `normalize_robust` gives them.
        mask: valid pixels; a difference counts where both its pixels are valid.
        scales: number of resolutions; each takes every second pixel of the one before, so that an edge stays sharp
            and no invalid pixel is blended in. All scales are divided by M, the valid pixels of the full resolution.
    """
    return multiscale_differences(zeroed(residual, mask), mask, scales).mean()


def multiscale_differences(
    residual: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"], scales: int
) -> Float[Tensor, " B"]:
    """The same for each picture, of a residual that is 0 at invalid pixels."""
    total = residual.new_zeros(residual.shape[0])
    for level in range(scales):
        step = 2**level
        total = total + absolute_differences(residual[:, ::step, ::step], mask[:, ::step, ::step])
    return total / valid_count(mask)


def normalized_multiscale_gradient(
    prediction: Float[Tensor, "B H W"],
    target: Float[Tensor, "B H W"],
    mask: Bool[Tensor, "B H W"],
    spacings_px: tuple[int, ...] = NMG_SPACINGS_PX,
) -> Float[Tensor, ""]:
    """Normalized multi-scale gradient loss (NMG, eq. 10): ``sum_k sum_i |s grad_k d - grad_k d*| / M``.

    Wang et al., "Web Stereo Video Supervision for Depth Prediction from Dynamic Scenes" (2019). The gradient at scale k
    is the difference of pixels k apart, along rows and along columns, at full resolution. The prediction's are brought
    to the target's size by s, the ratio of the sums of their magnitudes over a picture. The division by M, which the
    original hasn't, makes pictures of different masks count alike.

    Args:
        prediction: disparity; may be scaled by a positive factor and shifted at no cost.
        target: disparity; the loss is proportional to its scale.
        mask: valid pixels; a difference counts where both its pixels are valid.
        spacings_px: the k.
    """
    d = zeroed(prediction, mask)
    d_star = zeroed(target, mask).to(d)
    smallest = SMALLEST_DEVIATION * valid_count(mask)
    size = torch.stack([absolute_differences(d, mask, k) for k in spacings_px]).sum(dim=0)
    target_size = torch.stack([absolute_differences(d_star, mask, k) for k in spacings_px]).sum(dim=0)
    ratio = target_size / torch.maximum(size, smallest)
    residual = ratio[:, None, None] * d - d_star
    total = torch.stack([absolute_differences(residual, mask, k) for k in spacings_px]).sum(dim=0)
    return (total / valid_count(mask)).mean()


def absolute_differences(
    values: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"], spacing_px: int = 1
) -> Float[Tensor, " B"]:
    """Each picture's sum of absolute differences of pixels that far apart, in rows and columns, where both are valid.

    Args:
        values: 0 where invalid.
        mask: valid pixels.
        spacing_px: distance of the two pixels.
    """
    total: Tensor = _AbsoluteDifferences.apply(values, mask, spacing_px)
    return total


class _AbsoluteDifferences(torch.autograd.Function):
    """Keeps the signs of the differences and adds them up in place on the way back: faster than slices by a third."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, mask: Tensor, k: int) -> Tensor:
        along_x = zeroed(values[:, :, k:] - values[:, :, :-k], mask[:, :, k:] & mask[:, :, :-k])
        along_y = zeroed(values[:, k:] - values[:, :-k], mask[:, k:] & mask[:, :-k])
        ctx.save_for_backward(along_x.sgn(), along_y.sgn())
        ctx.k, ctx.shape = k, values.shape
        return along_x.abs().sum(dim=(1, 2)) + along_y.abs().sum(dim=(1, 2))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        along_x, along_y = ctx.saved_tensors
        signs, k = along_x.new_zeros(ctx.shape), ctx.k
        signs[:, :, k:] += along_x
        signs[:, :, :-k] -= along_x
        signs[:, k:] += along_y
        signs[:, :-k] -= along_y
        return signs * gradients[0][:, None, None], None, None
