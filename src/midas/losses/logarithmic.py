"""The scale-invariant error of logarithms, for maps whose zero is known: depth, or disparity without a shift."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from midas.losses.masks import masked_mean, zeroed

# Smaller values count as this one, since a network may answer 0, and receive no gradient.
SMALLEST_POSITIVE = 1e-6


def scale_invariant_log(
    prediction: Float[Tensor, "B H W"],
    target: Float[Tensor, "B H W"],
    mask: Bool[Tensor, "B H W"],
    balance: float = 0.5,
    root: bool = False,
) -> Float[Tensor, ""]:
    """Scale-invariant error of logarithms: ``sum g² / M - balance * (sum g)² / M²`` with ``g = log d - log d*``.

    Equation 4 of Eigen et al., "Depth Map Prediction from a Single Image using a Multi-Scale Deep Network" (2014). With
    balance 1 it is the error at each picture's best scale, as in the MiDaS paper's equation 8.

    Args:
        prediction, target: both depth or both disparity, and positive; the inverse of both has the same loss.
        mask: valid pixels.
        balance: Eigen's lambda, from 0 for the plain squared error to 1 for one that no scale changes.
        root: take the square root for each picture, as the metric of that name does.
    """
    return balanced_square(log_residual(prediction, target, mask), mask, balance, root)


def log_residual(
    prediction: Float[Tensor, "B H W"], target: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]
) -> Float[Tensor, "B H W"]:
    """Logarithm of prediction over target, 0 at invalid pixels."""
    d = zeroed(prediction, mask)
    d_star = zeroed(target, mask).to(d)
    # At invalid pixels this is the logarithm of 1.
    return (d.clamp(min=SMALLEST_POSITIVE) / d_star.clamp(min=SMALLEST_POSITIVE)).log()


def balanced_square(
    residual: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"], balance: float = 0.5, root: bool = False
) -> Float[Tensor, ""]:
    """Each picture's mean square less ``balance`` times its squared mean, averaged over pictures.

    Written as variance plus the rest of the squared mean, which can't fall below 0 by rounding.

    Args:
        residual: 0 at invalid pixels.
        mask: valid pixels.
        balance, root: as in ``scale_invariant_log``.
    """
    mean = masked_mean(residual, mask)
    variance = masked_mean(zeroed(residual - mean[:, None, None], mask).square(), mask)
    error = variance + (1.0 - balance) * mean.square()
    if root:
        # The root's slope at 0 is infinite: a perfect picture gets none.
        perfect = error == 0
        error = torch.where(perfect, 0.0, torch.where(perfect, 1.0, error).sqrt())
    return error.mean()
