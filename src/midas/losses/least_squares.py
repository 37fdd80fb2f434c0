"""Scale-and-shift-invariant squared error: the prediction is aligned to the target by least squares."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from midas.losses.masks import masked_mean, zeroed

# The variance that rounding of the mean alone can leave to a constant map, in units of (eps * mean)².
CONSTANT_VARIANCE = 16.0


def ssi_mse(
    prediction: Float[Tensor, "B H W"], target: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]
) -> Float[Tensor, ""]:
    """Scale-and-shift-invariant mean squared error: equation 1 with rho = x², aligned by equations 2 to 4.

    Args:
        prediction: disparity; any scale but 0, negative ones too, and any shift cost nothing.
        target: disparity; the loss grows with the square of its scale, which the paper sets by its range [0, 1].
        mask: valid pixels.
    """
    return half_mse(least_squares_residual(prediction, target, mask), mask)


def align_least_squares_batched(
    prediction: Float[Tensor, "B H W"], target: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]
) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
    """Each picture's scale and shift with the least sum of ``(scale * prediction + shift - target)²`` (eq. 2 to 4).

    The solution of the paper's normal equations, written with deviations from the means: float32 then suffices, and
    the determinant is M² times the prediction's variance. Where that is 0, which is a constant prediction or a single
    pixel, the scale is 0 and the shift the target's mean; without a valid pixel both are 0. Differentiable in
    prediction and target.

    Args:
        prediction, target: disparities.
        mask: valid pixels.
    """
    d = zeroed(prediction, mask)
    d_star = zeroed(target, mask).to(d)
    scale, d_mean, d_star_mean = _fit(d, d_star, mask)
    return scale, d_star_mean - scale * d_mean


def least_squares_residual(
    prediction: Float[Tensor, "B H W"], target: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]
) -> Float[Tensor, "B H W"]:
    """Aligned prediction minus target (eq. 2 to 4), in the target's unit; 0 at invalid pixels."""
    d = zeroed(prediction, mask)
    d_star = zeroed(target, mask).to(d)
    scale, d_mean, d_star_mean = (figure[:, None, None] for figure in _fit(d, d_star, mask))
    return zeroed(scale * (d - d_mean) - (d_star - d_star_mean), mask)


def half_mse(residual: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]) -> Float[Tensor, ""]:
    """Equation 1 with rho = x², averaged over pictures, of a residual that is 0 at invalid pixels."""
    return masked_mean(residual.square(), mask).mean() / 2


def _fit(
    d: Float[Tensor, "B H W"], d_star: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]
) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"], Float[Tensor, " B"]]:
    """The scale, and the means of prediction and target, of maps that are 0 where invalid."""
    d_mean, d_star_mean = masked_mean(d, mask), masked_mean(d_star, mask)
    deviation = zeroed(d - d_mean[:, None, None], mask)
    variance = masked_mean(deviation.square(), mask)
    covariance = masked_mean(deviation * d_star, mask)
    rounding = torch.finfo(d.dtype).eps * d_mean.detach()
    varies = variance > CONSTANT_VARIANCE * rounding.square()
    # Both branches of a where are differentiated, so that the one not taken mustn't divide by 0.
    scale = torch.where(varies, covariance, 0.0) / torch.where(varies, variance, 1.0)
    return scale, d_mean, d_star_mean
