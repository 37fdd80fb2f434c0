"""How much there is to learn from a target beyond that what is low is near."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Bool, Float32
from midas.datasets.parts import Part
from midas.datasets.reader import Reader, read_sample
from midas.datasets.sample import Sample
from midas.errors import DatasetError, ImageError

# Points along each side at which a target is looked at.
GRID = 33
MIN_POINTS = 200


def unexplained(disparity: Float32[Array, "H W"], mask: Bool[Array, "H W"]) -> float:
    """The share of a target's variance that neither a tilted plane nor the mean of each row explains, 0 to 1.

    A field under the sky has 0.05, a bell before a wood 0.8. Of a target that is valid at too few points to tell, 1.

    Args:
        disparity: the target, in any unit; scale and shift don't matter.
        mask: where it is valid.
    """
    rows, columns = (((np.arange(GRID) + 0.5) / GRID * length).astype(int) for length in mask.shape)
    values, valid = disparity[np.ix_(rows, columns)].astype(np.float64), mask[np.ix_(rows, columns)]
    if valid.sum() < MIN_POINTS:
        return 1.0
    known = values[valid]
    # One blade of grass before the lens would be all the variance there is.
    values = np.minimum(values, np.quantile(known, 0.98))
    known = values[valid]
    total = np.square(known - known.mean()).sum()
    if total <= 0:
        return 0.0
    row, column = np.nonzero(valid)
    plane = np.stack([row, column, np.ones(len(row))], axis=1)
    beyond_plane = np.square(known - plane @ np.linalg.lstsq(plane, known, rcond=None)[0]).sum()
    counts = np.bincount(row, minlength=GRID)
    means = np.bincount(row, known, minlength=GRID) / np.maximum(counts, 1)
    beyond_rows = np.square(known - means[row]).sum()
    return float(min(beyond_plane, beyond_rows) / total)


def with_relief(reader: Reader, least: float) -> Part:
    """The samples of a set that have at least so much unexplained, in their order.

    Args:
        reader: the set; every picture is read once.
        least: see :func:`unexplained`.

    Raises:
        DatasetError: no sample has so much.
    """
    kept = [index for index in range(len(reader)) if _has_relief(reader, index, least)]
    if not kept:
        raise DatasetError(f"{reader.name} has no picture with least_unexplained {least}")
    return Part(reader, kept)


def _has_relief(reader: Reader, index: int, least: float) -> bool:
    try:
        sample = read_sample(reader, index)
    except (DatasetError, ImageError):
        # Named when it is drawn, as in sets without such a limit.
        return True
    return not isinstance(sample, Sample) or unexplained(sample.disparity, sample.mask) >= least
