"""Training losses, pure functions of prediction, target and mask, each averaged over the pictures of a batch.

Equations are those of the MiDaS paper (arXiv 1907.01341v3) unless another is named. Maps have the shape (B, H, W),
masks are True where the target is valid. What stands at other pixels, be it NaN, has no influence and receives no
gradient. A picture without a valid pixel counts as zero loss. All arithmetic is in float32, or in float64 where the
prediction is: medians and small mean deviations lose their meaning in half precision.
"""

from midas.losses.gist import gist_gradient_matching, gist_mae, gist_normalize
from midas.losses.gradients import (
    GRADIENT_SCALES,
    NMG_SPACINGS_PX,
    gradient_matching,
    normalized_multiscale_gradient,
)
from midas.losses.hierarchical import HIERARCHY_LEVELS, hierarchical_mae
from midas.losses.least_squares import align_least_squares_batched, ssi_mse
from midas.losses.logarithmic import SMALLEST_POSITIVE, scale_invariant_log
from midas.losses.ordinal import ordinal_ranking
from midas.losses.relative import FLOOR_SHARE, ssi_relative_mae
from midas.losses.robust import (
    SMALLEST_DEVIATION,
    TRIM_SHARE,
    masked_median,
    normalize_robust,
    ssi_mae,
    ssi_trimmed_mae,
    trimmed_mae,
)
from midas.losses.total import DATA_TERMS, GRADIENT_WEIGHT, VARIANTS, DataTerm, LossTerms, total_loss

__all__ = [
    "DATA_TERMS",
    "FLOOR_SHARE",
    "GRADIENT_SCALES",
    "GRADIENT_WEIGHT",
    "HIERARCHY_LEVELS",
    "NMG_SPACINGS_PX",
    "SMALLEST_DEVIATION",
    "SMALLEST_POSITIVE",
    "TRIM_SHARE",
    "VARIANTS",
    "DataTerm",
    "LossTerms",
    "align_least_squares_batched",
    "gist_gradient_matching",
    "gist_mae",
    "gist_normalize",
    "gradient_matching",
    "hierarchical_mae",
    "masked_median",
    "normalize_robust",
    "normalized_multiscale_gradient",
    "ordinal_ranking",
    "scale_invariant_log",
    "ssi_mae",
    "ssi_mse",
    "ssi_relative_mae",
    "ssi_trimmed_mae",
    "total_loss",
    "trimmed_mae",
]
