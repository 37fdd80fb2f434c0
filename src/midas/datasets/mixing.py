"""How a batch is shared among data sets: which of its samples comes from which set.

The rules, and where they come from:

- ``naive``: every batch holds equally many samples of each set, B / L of B samples from L sets (MiDaS paper, where
  B is 8 L). Pareto steps need it too: each set is a task, and must be there in each batch.
- ``weighted``: each sample's set is drawn with given weights.
- ``dataset_uniform``: each sample's set is drawn uniformly, then the picture (DPT paper).
- ``by_size``: each sample's set is drawn in proportion to its size, as if all sets were one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from midas.arrays import Array, Float64, Shaped
from midas.errors import ConfigError, DatasetError

MixingRule = Literal["naive", "weighted", "dataset_uniform", "by_size"]


def batch_plan(
    rule: MixingRule,
    weights: Sequence[float],
    sizes: Sequence[int],
    batch_size: int,
    rng: np.random.Generator,
) -> Shaped[Array, " B"]:
    """Draw the set of each sample of one batch.

    Args:
        rule: how the batch is shared.
        weights: of the sets; only ``weighted`` heeds them.
        sizes: samples in each set.
        batch_size: B.
        rng: what the draw depends on, besides the other arguments.

    Returns:
        Indices of sets. With ``naive`` no two sets' counts differ by more than one, neither in the batch nor in any run
        of samples within it, so that processes that take a slice each have equal shares as well. Where B is no multiple
        of the number of sets, the samples left over go to sets drawn anew for each batch, and no set is favoured.

    Raises:
        ConfigError: a weight is negative or not finite, all are zero, or there isn't one for each set.
        DatasetError: there is no set, or one that would be drawn from is empty.
    """
    shares = expected_shares(rule, weights, sizes)
    if rule == "naive":
        return rng.permutation(len(shares))[np.arange(batch_size) % len(shares)]
    return np.asarray(rng.choice(len(shares), size=batch_size, p=shares))


def expected_shares(rule: MixingRule, weights: Sequence[float], sizes: Sequence[int]) -> Float64[Array, " L"]:
    """Each set's share of the samples in the long run; the shares sum to one.

    Raises:
        ConfigError: a weight is negative or not finite, all are zero, or there isn't one for each set.
        DatasetError: there is no set, or one that would be drawn from is empty.
    """
    if not len(sizes):
        raise DatasetError("there is no data set to draw from; give at least one")
    parts = np.asarray({"weighted": weights, "by_size": sizes}.get(rule, np.ones(len(sizes))), dtype=np.float64)
    if parts.shape != (len(sizes),) or not np.isfinite(parts).all() or (parts < 0).any():
        raise ConfigError(f"{len(sizes)} data sets need as many weights of zero or more, not {list(weights)}")
    empty = [index for index, size in enumerate(sizes) if size <= 0 and (parts[index] > 0 or rule == "by_size")]
    if empty:
        raise DatasetError(f"data sets {empty} (counted from 0) hold no sample; leave them out of the mixture")
    if not parts.any():
        raise ConfigError("the weights of all data sets are zero; give at least one of them a positive weight")
    shares: Float64[Array, " L"] = parts / parts.sum()
    return shares
