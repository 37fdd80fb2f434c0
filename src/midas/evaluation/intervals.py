"""How sure a mean over pictures is."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Float

RESAMPLES = 2000
_VALUES_AT_ONCE = 4_000_000


def bootstrap_interval(
    values: Float[Array, " N"], weights: Float[Array, " N"] | None = None, *, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """A percentile bootstrap interval of a mean (Efron 1979): pictures are drawn anew, with replacement.

    It answers how far the mean would move with other pictures of the same kind. Pictures that show the same room are
    not independent, so that the true interval is wider.

    Args:
        values: one figure per picture.
        weights: of the pictures; None for equal ones.
        level: share of the resampled means that lie within.
        seed: of the draws: the same values have the same interval.
    """
    count = len(values)
    weights = np.ones(count) if weights is None else weights.astype(np.float64)
    generator = np.random.default_rng(seed)
    means = []
    at_once = max(1, _VALUES_AT_ONCE // count)
    for first in range(0, RESAMPLES, at_once):
        drawn = generator.integers(0, count, (min(at_once, RESAMPLES - first), count))
        means.append((values[drawn] * weights[drawn]).sum(1) / weights[drawn].sum(1))
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
