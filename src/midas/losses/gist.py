"""The loss as the MiDaS authors published it in a gist beside the paper, with all in which it departs from the paper.

For comparison only; which of the two trained the official weights is not known. The departures:

* Trimming has no effect: the gist cuts the pair of values and indices that a sort gives, not the values.
* Residuals are pooled: one sum over the batch, divided by all valid pixels, in place of a mean of pictures' means.
* The median is taken over the whole picture, with 0 at invalid pixels.
* Each scale of the gradient term is divided by its own number of valid pixels, so that coarse scales weigh more.
"""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from midas.losses.gradients import GRADIENT_SCALES, absolute_differences
from midas.losses.masks import masked_mean, zeroed
from midas.losses.robust import SMALLEST_DEVIATION, masked_median


def gist_normalize(disparity: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]) -> Float[Tensor, "B H W"]:
    """Equations 5 and 6 with the lower median of ``mask * disparity`` over all pixels; 0 at invalid pixels."""
    values = zeroed(disparity, mask)
    shift = masked_median(values, mask.new_ones(mask.shape))[:, None, None]
    centred = zeroed(values - shift, mask)
    return centred / masked_mean(centred.abs(), mask).clamp(min=SMALLEST_DEVIATION)[:, None, None]


def gist_residual(
    prediction: Float[Tensor, "B H W"], target: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]
) -> Float[Tensor, "B H W"]:
    """Prediction minus target, both as ``gist_normalize`` gives them."""
    aligned = gist_normalize(prediction, mask)
    return aligned - gist_normalize(target, mask).to(aligned)


def gist_mae(residual: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]) -> Float[Tensor, ""]:
    """Sum of all absolute residuals of the batch over twice their number: equation 7 untrimmed and pooled."""
    return zeroed(residual, mask).abs().sum() / (2 * mask.sum().clamp(min=1))


def gist_gradient_matching(
    residual: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"], scales: int = GRADIENT_SCALES
) -> Float[Tensor, ""]:
    """Equation 11 pooled over the batch, each scale divided by its own number of valid pixels.

    Args:
        residual: aligned prediction minus aligned target.
        mask: valid pixels; a difference counts where both its pixels are valid.
        scales: number of resolutions, each of every second pixel of the one before.
    """
    residual = zeroed(residual, mask)
    total = residual.new_zeros(())
    for level in range(scales):
        step = 2**level
        valid = mask[:, ::step, ::step]
        total = total + absolute_differences(residual[:, ::step, ::step], valid).sum() / valid.sum().clamp(min=1)
    return total
