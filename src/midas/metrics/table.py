"""The metrics that an evaluation picks by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from midas.errors import ConfigError
from midas.metrics.affine import order_accuracy, range_error
from midas.metrics.boundaries import BOUNDARY_THRESHOLDS, boundary_f1, boundary_precision, boundary_recall
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
from midas.metrics.flying import FLYING_EDGE_RATIO, flying_pixels
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
        edge_ratio: of a figure of edges, which needs whole maps: a target without a jump by more than this ratio of
            inverse depths between neighbours has no such figure. None for other figures.
        aligned: it wants the prediction aligned to the target; False where it looks at the prediction's order alone.
    """

    name: str
    label: str
    unit: str
    lower_is_better: bool
    function: Callable[..., float]
    edge_ratio: float | None = None
    aligned: bool = True


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

# Over maps of inverse depth that are dense enough to have neighbours: (prediction, target, mask).
EDGE_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("boundary_f1", "boundary F1", "%", False, boundary_f1, edge_ratio=min(BOUNDARY_THRESHOLDS)),
        Metric("boundary_precision", "precision", "%", False, boundary_precision, edge_ratio=min(BOUNDARY_THRESHOLDS)),
        Metric("boundary_recall", "recall", "%", False, boundary_recall, edge_ratio=min(BOUNDARY_THRESHOLDS)),
        Metric("flying_pixels", "flying pixels", "%", True, flying_pixels, edge_ratio=FLYING_EDGE_RATIO),
    )
}

# Over disparity maps whose zero is unknown: (prediction, target, mask).
DISPARITY_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("range_error", "MAE / (p95 - p5)", "%", True, range_error),
        Metric("order_accuracy", "points in order", "%", False, order_accuracy, aligned=False),
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


_ALL = METRICS | EDGE_METRICS | DISPARITY_METRICS | PAIR_METRICS


def is_metric(name: str) -> bool:
    """Whether there is a metric of that name, of whichever kind."""
    return name in _ALL


def find_metric(name: str) -> Metric:
    """The metric of that name, of whichever kind.

    Raises:
        ConfigError: there is none.
    """
    if not is_metric(name):
        raise ConfigError(f"no metric is called {name!r}; there are: {', '.join(_ALL)}")
    return _ALL[name]
