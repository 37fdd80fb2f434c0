"""A scale-and-shift-invariant error relative to the target: what delta and AbsRel of the protocols count."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from midas.losses.least_squares import least_squares_residual
from midas.losses.masks import masked_mean, zeroed
from midas.losses.robust import TRIM_SHARE, half_trimmed_mae

# Sky has disparity 0, where a relative error has no meaning; far pixels count up to so many times the mean one.
FLOOR_SHARE = 0.1
# Keeps 0 / 0 from being NaN.
SMALLEST_DISPARITY = 1e-12


def ssi_relative_mae(
    prediction: Float[Tensor, "B H W"],
    target: Float[Tensor, "B H W"],
    mask: Bool[Tensor, "B H W"],
    trim: float = TRIM_SHARE,
) -> Float[Tensor, ""]:
    """Trimmed mean absolute relative error after alignment by least squares.

    Not of the papers. Their data terms weigh an error in disparity alike everywhere, so that the far half of a room
    hardly counts; the zero-shot protocol aligns by equations 2 to 4 too, but then measures ratios of depth. To first
    order the ratio's error is ``(d - d*) / d*``, which is equation 1 with rho = |x| / d*. The largest errors are
    trimmed as in equation 7.

    Args:
        prediction: disparity; any scale but 0 and any shift cost nothing.
        target: disparity whose 0 lies at infinity; any scale costs nothing.
        mask: valid pixels.
        trim: share of each picture's largest residuals that is left out.
    """
    return half_trimmed_mae(relative_residual(prediction, target, mask), mask, trim)


def relative_residual(
    prediction: Float[Tensor, "B H W"], target: Float[Tensor, "B H W"], mask: Bool[Tensor, "B H W"]
) -> Float[Tensor, "B H W"]:
    """Aligned prediction minus target, over the target plus a tenth of its mean; 0 at invalid pixels."""
    residual = least_squares_residual(prediction, target, mask)
    d_star = zeroed(target, mask).to(residual)
    mean = masked_mean(d_star, mask)[:, None, None]
    # Of a picture that is sky all over, nothing is relative to anything: its residual is 0 too.
    return residual / (d_star + FLOOR_SHARE * mean).clamp(min=SMALLEST_DISPARITY)
