"""The metrics that an evaluation picks by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from midas.metrics.depth import (
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
)
from midas.metrics.ordinal import pair_accuracy, whdr


@dataclass(frozen=True)
class Metric:
    """A metric and what its figures mean.

    Attributes:
        name: by which it is asked for; that of its function.
        label: at the head of a table's column.
        unit: of its figures; empty for none.
        lower_is_better: the direction.
        function: what computes it.
    """

    name: str
    label: str
    unit: str
    lower_is_better: bool
    function: Callable[..., float]


# Over depth maps: (prediction, target, mask).
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("abs_rel", "AbsRel", "", True, abs_rel),
        Metric("sq_rel", "SqRel", "m", True, sq_rel),
        Metric("rmse", "RMSE", "m", True, rmse),
        Metric("rmse_log", "RMSE log", "", True, rmse_log),
        Metric("log10_error", "log10", "", True, log10_error),
        Metric("si_log", "SI log", "", True, si_log),
        Metric("kitti_si_log", "SILog x 100", "", True, kitti_si_log),
        Metric("delta1_accuracy", "δ < 1.25", "%", False, delta1_accuracy),
        Metric("delta2_accuracy", "δ < 1.25²", "%", False, delta2_accuracy),
        Metric("delta3_accuracy", "δ < 1.25³", "%", False, delta3_accuracy),
        Metric("delta1_outliers", "δ > 1.25", "%", True, delta1_outliers),
        Metric("delta2_outliers", "δ > 1.25²", "%", True, delta2_outliers),
        Metric("delta3_outliers", "δ > 1.25³", "%", True, delta3_outliers),
    )
}

# Over a disparity map and pairs of points: (prediction, first, second, relation).
PAIR_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("whdr", "WHDR", "%", True, whdr),
        Metric("pair_accuracy", "pairs in order", "%", False, pair_accuracy),
    )
}
