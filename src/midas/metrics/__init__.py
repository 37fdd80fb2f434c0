"""Figures of merit, one pure function each: of depth, of disparity whose zero is unknown, of the order of points, of
boundaries and what flies between them, of a video's steadiness.

``METRICS``, ``DISPARITY_METRICS`` and ``PAIR_METRICS`` list by name those that an evaluation picks from, and what their
figures mean.
"""

from midas.metrics.affine import disparity_range, order_accuracy, range_error
from midas.metrics.boundaries import (
    BOUNDARY_THRESHOLDS,
    BoundaryScores,
    boundary_f1,
    boundary_precision,
    boundary_recall,
    boundary_scores,
    has_edge,
    sobel_edge_scores,
)
from midas.metrics.depth import (
    DELTA_THRESHOLD,
    abs_rel,
    delta1_accuracy,
    delta1_outliers,
    delta2_accuracy,
    delta2_outliers,
    delta3_accuracy,
    delta3_outliers,
    kitti_si_log,
    log10_error,
    rmse,
    rmse_log,
    si_log,
    sq_rel,
    valid_pixels,
)
from midas.metrics.flying import flying_pixels
from midas.metrics.ordinal import d3r, grid_pairs, ordinal_error, pair_accuracy, sample_pairs, whdr
from midas.metrics.table import DISPARITY_METRICS, EDGE_METRICS, METRICS, PAIR_METRICS, Metric, find_metric, is_metric
from midas.metrics.temporal import (
    flow_warping_error,
    gauge_wobble,
    self_consistency,
    temporal_alignment_error,
    temporal_gradient_error,
)

__all__ = [
    "BOUNDARY_THRESHOLDS",
    "DELTA_THRESHOLD",
    "DISPARITY_METRICS",
    "EDGE_METRICS",
    "METRICS",
    "PAIR_METRICS",
    "BoundaryScores",
    "Metric",
    "abs_rel",
    "boundary_f1",
    "boundary_precision",
    "boundary_recall",
    "boundary_scores",
    "d3r",
    "delta1_accuracy",
    "delta1_outliers",
    "delta2_accuracy",
    "delta2_outliers",
    "delta3_accuracy",
    "delta3_outliers",
    "disparity_range",
    "find_metric",
    "flow_warping_error",
    "flying_pixels",
    "gauge_wobble",
    "grid_pairs",
    "has_edge",
    "is_metric",
    "kitti_si_log",
    "log10_error",
    "order_accuracy",
    "ordinal_error",
    "pair_accuracy",
    "range_error",
    "rmse",
    "rmse_log",
    "sample_pairs",
    "self_consistency",
    "si_log",
    "sobel_edge_scores",
    "sq_rel",
    "temporal_alignment_error",
    "temporal_gradient_error",
    "valid_pixels",
    "whdr",
]
