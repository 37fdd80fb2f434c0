"""The loss that trains: a data term plus weighted gradient matching."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from midas.errors import MidasError
from midas.losses.gist import gist_gradient_matching, gist_mae, gist_residual
from midas.losses.gradients import GRADIENT_SCALES, multiscale_differences
from midas.losses.least_squares import half_mse, least_squares_residual
from midas.losses.logarithmic import balanced_square, log_residual
from midas.losses.relative import relative_residual
from midas.losses.robust import TRIM_SHARE, half_mae, half_trimmed_mae, robust_residual

GRADIENT_WEIGHT = 0.5
VARIANTS = ("paper", "gist")


@dataclass(frozen=True)
class DataTerm:
    """A data term in its two steps, the first of which serves the gradient term too.

    Attributes:
        residual: of prediction, target and mask: their difference once aligned, 0 at invalid pixels.
        measure: of residual, mask and the share to trim: the loss.
        needs_zero: the target's 0 must lie at infinity, so that it may be scaled but not shifted.
    """

    residual: Callable[[Tensor, Tensor, Tensor], Tensor]
    measure: Callable[[Tensor, Tensor, float], Tensor]
    needs_zero: bool = False


# By the name of the function that is the data term alone. Only the trimmed ones look at the share to trim.
DATA_TERMS = {
    "ssi_trimmed_mae": DataTerm(robust_residual, half_trimmed_mae),
    "ssi_mae": DataTerm(robust_residual, lambda residual, mask, _: half_mae(residual, mask)),
    "ssi_mse": DataTerm(least_squares_residual, lambda residual, mask, _: half_mse(residual, mask)),
    "ssi_relative_mae": DataTerm(relative_residual, half_trimmed_mae, needs_zero=True),
    "scale_invariant_log": DataTerm(
        log_residual, lambda residual, mask, _: balanced_square(residual, mask), needs_zero=True
    ),
}


@dataclass(frozen=True)
class LossTerms:
    """The terms of the total loss, each a scalar tensor.

    Attributes:
        data: the data term, of the trimmed scale-and-shift-invariant kind (eq. 7) unless another was asked for.
        gradient: the multi-scale gradient matching term (eq. 11), unweighted.
        total: data plus the weighted gradient term (eq. 12).
    """

    data: Float[Tensor, ""]
    gradient: Float[Tensor, ""]
    total: Float[Tensor, ""]


def total_loss(
    prediction: Float[Tensor, "B H W"],
    target: Float[Tensor, "B H W"],
    mask: Bool[Tensor, "B H W"],
    *,
    data: str = "ssi_trimmed_mae",
    trim: float = TRIM_SHARE,
    gradient_weight: float | Float[Tensor, " B"] = GRADIENT_WEIGHT,
    scales: int = GRADIENT_SCALES,
    variant: str = "paper",
) -> LossTerms:
    """The paper's training loss (eq. 12): data term plus weighted gradient term, both on the same aligned maps.

    Args:
        prediction, target: disparities; positive ones for the logarithmic term.
        mask: valid pixels.
        data: name of the data term, from ``DATA_TERMS``. It also says what the gradient term is taken of: maps aligned
            robustly or by least squares, or logarithms, as in Li and Snavely, "MegaDepth" (2018).
        trim: share of each picture's largest residuals that the trimmed term leaves out.
        gradient_weight: alpha, for all pictures or one for each: what is exact at edges deserves more of it than what a
            sensor has smeared there.
        scales: K, the number of resolutions of the gradient term.
        variant: ``"gist"`` for the authors' published program with its departures from the paper (``losses.gist``),
            which has the one data term and doesn't trim.

    Raises:
        MidasError: the data term or the variant is unknown, or the gist hasn't the data term, or is to weigh the
            gradients of each picture, which it pools.
    """
    if data not in DATA_TERMS or variant not in VARIANTS:
        known = f"{', '.join(DATA_TERMS)} and {', '.join(VARIANTS)}"
        raise MidasError(f"data term {data!r} in the variant {variant!r}: expected one each of {known}")
    if variant == "gist":
        if data != "ssi_trimmed_mae":
            raise MidasError(f"the gist has no data term {data!r}: leave it at 'ssi_trimmed_mae', or the variant")
        if isinstance(gradient_weight, Tensor):
            raise MidasError("the gist pools the gradients of all pictures: give one gradient_weight for all")
        residual = gist_residual(prediction, target, mask)
        measured, gradient = gist_mae(residual, mask), gist_gradient_matching(residual, mask, scales)
        return LossTerms(measured, gradient, measured + gradient_weight * gradient)
    term = DATA_TERMS[data]
    residual = term.residual(prediction, target, mask)
    measured, gradients = term.measure(residual, mask, trim), multiscale_differences(residual, mask, scales)
    return LossTerms(measured, gradients.mean(), measured + (gradient_weight * gradients).mean())
