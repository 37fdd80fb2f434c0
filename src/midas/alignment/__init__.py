"""Scale and shift that take a relative disparity to an inverse depth.

A network's disparity d is an affine function of inverse depth, other in each picture: ``1 / depth = s * d + t``. Two
numbers that the picture itself can't tell: they come from a depth map, from a few known points, or from a range.
``ALIGNMENTS`` lists by name the ways to find them from a map; they serve a target in depth just as well, where the
prediction is in depth too.
"""

from collections.abc import Callable

from midas.alignment.known import align_from_points, align_from_range
from midas.alignment.line import Alignment
from midas.alignment.local import SparseAlignment, align_sparse
from midas.alignment.maps import align_least_squares, align_median, align_median_mad, align_scale
from midas.alignment.robust import align_robust

__all__ = [
    "ALIGNMENTS",
    "Alignment",
    "SparseAlignment",
    "align_from_points",
    "align_from_range",
    "align_least_squares",
    "align_median",
    "align_median_mad",
    "align_robust",
    "align_scale",
    "align_sparse",
]

# By name, for protocols: each takes prediction, target and mask.
ALIGNMENTS: dict[str, Callable[..., Alignment]] = {
    "least_squares": align_least_squares,
    "scale": align_scale,
    "median": align_median,
    "median_mad": align_median_mad,
    "robust": align_robust,
}
