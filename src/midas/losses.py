"""Training losses, one pure function per equation, each averaged over the pictures of a batch.

Equations are those of the MiDaS paper (arXiv 1907.01341v3). Predictions and targets are disparities of shape (B, H, W),
masks are True where the target is valid. All arithmetic is in float32 whatever the inputs are, since medians and small
mean deviations lose their meaning in half precision. A picture without a valid pixel counts as zero loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

TRIM_SHARE = 0.2
GRADIENT_SCALES = 4
GRADIENT_WEIGHT = 0.5
# Below this mean absolute deviation a map counts as constant; it also bounds the gradient through the division.
SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True)
class LossTerms:
    """The terms of the total loss, each a scalar tensor.

    Attributes:
        data: the trimmed scale-and-shift-invariant term (eq. 7).
        gradient: the multi-scale gradient matching term (eq. 11), unweighted.
        total: data plus the weighted gradient term (eq. 12).
    """

    data: Float[Tensor, ""]
    gradient: Float[Tensor, ""]
    total: Float[Tensor, ""]


def masked_median(values: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]) -> Float[Tensor, " B"]:
    """Median of each picture's valid values: the lower of the two middle ones where their number is even.

    Pictures without a valid value give 0.
    """
    flat = values.flatten(1).masked_fill(~mask.flatten(1), float("nan"))
    return flat.nanmedian(dim=1).values.nan_to_num(0.0)


def normalize_robust(disparity: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]) -> Float[Tensor, "B H W"]:
    """Bring each picture to zero translation and unit scale (eq. 5 and 6).

    The translation is the median over valid pixels, the scale the mean absolute deviation from it over the same
    pixels. What stands at invalid pixels never enters either.
    """
    disparity = disparity.float()
    shift = masked_median(disparity, mask)[:, None, None]
    count = mask.sum(dim=(1, 2)).clamp(min=1)[:, None, None]
    deviation = torch.where(mask, (disparity - shift).abs(), 0.0).sum(dim=(1, 2), keepdim=True) / count
    return (disparity - shift) / deviation.clamp(min=SMALLEST_DEVIATION)


def ssi_trimmed_mae(
    prediction: Float[Tensor, "B H W"],
    target: Float[Tensor, "B H W"],
    mask: Bool[Tensor, "B H W"],
    trim: float = TRIM_SHARE,
) -> Float[Tensor, ""]:
    """Trimmed scale-and-shift-invariant mean absolute error (eq. 7).

    Args:
        prediction, target: disparities; either may be scaled by a positive factor and shifted at no cost.
        mask: valid pixels.
        trim: share of each picture's largest residuals that is left out: floor((1 - trim) * M) of M are kept.
    """
    residual = normalize_robust(prediction, mask) - normalize_robust(target, mask)
    return trimmed_mae(residual, mask, trim)


def trimmed_mae(
    residual: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"], trim: float = TRIM_SHARE
) -> Float[Tensor, ""]:
    """Sum of each picture's smallest absolute residuals over 2M, averaged over pictures (eq. 7 on a ready residual)."""
    valid = mask.flatten(1)
    magnitude = residual.abs().flatten(1).masked_fill(~valid, float("inf")).sort(dim=1).values
    count = valid.sum(dim=1, keepdim=True)
    kept = torch.floor(count.double() * (1.0 - trim) + 1e-9)
    rank = torch.arange(magnitude.shape[1], device=magnitude.device)
    total = torch.where(rank < kept, magnitude, 0.0).sum(dim=1)
    return (total / (2.0 * count.squeeze(1).clamp(min=1))).mean()


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
    residual = torch.where(mask, residual.float(), 0.0)
    count = mask.sum(dim=(1, 2)).clamp(min=1)
    total = residual.new_zeros(residual.shape[0])
    for level in range(scales):
        step = 2**level
        difference, valid = residual[:, ::step, ::step], mask[:, ::step, ::step]
        along_x = (difference[:, :, 1:] - difference[:, :, :-1]).abs() * (valid[:, :, 1:] & valid[:, :, :-1])
        along_y = (difference[:, 1:] - difference[:, :-1]).abs() * (valid[:, 1:] & valid[:, :-1])
        total = total + along_x.sum(dim=(1, 2)) + along_y.sum(dim=(1, 2))
    return (total / count).mean()


def total_loss(
    prediction: Float[Tensor, "B H W"],
    target: Float[Tensor, "B H W"],
    mask: Bool[Tensor, "B H W"],
    *,
    trim: float = TRIM_SHARE,
    gradient_weight: float = GRADIENT_WEIGHT,
    scales: int = GRADIENT_SCALES,
) -> LossTerms:
    """The paper's training loss (eq. 12): trimmed data term plus weighted gradient term, on robustly aligned maps."""
    residual = normalize_robust(prediction, mask) - normalize_robust(target, mask)
    data = trimmed_mae(residual, mask, trim)
    gradient = gradient_matching(residual, mask, scales)
    return LossTerms(data, gradient, data + gradient_weight * gradient)
