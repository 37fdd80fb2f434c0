"""Predictors that know nothing: what a figure is worth shows only beside theirs."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Float32
from midas.datasets.sample import Sample


def fit_plane(sample: Sample, *, tilted: bool) -> Float32[Array, "H W"]:
    """The best plane in inverse depth for one picture, by least squares on its own target.

    Args:
        sample: the target that the plane is fitted to: this is no prediction, it has seen the answer.
        tilted: False for one constant over the picture, True for a linear function of column and row.
    """
    height, width = sample.mask.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    terms = [np.ones_like(rows), columns / width, rows / height] if tilted else [np.ones_like(rows)]
    design = np.stack([term[sample.mask] for term in terms], axis=1)
    factors, *_ = np.linalg.lstsq(design, sample.disparity[sample.mask].astype(np.float64), rcond=None)
    plane = sum(factor * term for factor, term in zip(factors, terms, strict=True))
    return np.asarray(plane, dtype=np.float32)
