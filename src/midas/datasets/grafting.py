"""Pictures put together from two, so that a place in the picture says nothing of how near it is.

In nearly every photograph what is low is near and what is high is far, and a small network is quick to learn that and
slow to learn anything else. Here a piece of one picture takes the place of a piece of another, both moved from where
they were (data grafting: Peng et al., "Excavating the Potential Capacity of Self-Supervised Monocular Depth
Estimation", 2021; CutMix: Yun et al., 2019). How near the one scene is compared with the other nobody knows; so a mixed
picture says which of its pixels are whose, and the loss aligns the parts each by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from midas.arrays import Array, Bool
from midas.datasets.sample import Sample

# Where two pictures are joined, and how large a piece of one lies on the other, as shares of height and width.
GRAFT_LINE = (0.3, 0.7)
PIECE_SIDE = (0.3, 0.65)

Window = tuple[slice, slice]


@dataclass(frozen=True)
class MixedSample:
    """A sample put together from two of one size.

    Attributes:
        sample: picture, target and mask; the two parts' disparities don't go together.
        second_part: True where it shows the second of the two.
    """

    sample: Sample
    second_part: Bool[Array, "H W"]


def graft(first: Sample, second: Sample, rng: np.random.Generator) -> MixedSample:
    """A strip of one picture on a strip of the other, at a line drawn at random, each moved up or down.

    Args:
        first: the upper one.
        second: the lower one, of the same size.
        rng: drawn from three times.
    """
    height, width = first.mask.shape
    line = round(height * rng.uniform(*GRAFT_LINE))
    upper, lower = int(rng.integers(0, height - line + 1)), int(rng.integers(0, line + 1))
    whole = slice(0, width)
    moved = _paste(first, (slice(0, line), whole), first, (slice(upper, upper + line), whole))
    target = (slice(line, height), whole)
    return _mixed(_paste(moved, target, second, (slice(lower, lower + height - line), whole)), target)


def cut_mix(first: Sample, second: Sample, rng: np.random.Generator) -> MixedSample:
    """A rectangle of one picture somewhere else on the other.

    Args:
        first: what it lies on.
        second: what it is cut from, of the same size.
        rng: drawn from six times.
    """
    height, width = first.mask.shape
    rows, columns = round(height * rng.uniform(*PIECE_SIDE)), round(width * rng.uniform(*PIECE_SIDE))
    source, target = (_window(first.mask.shape, rows, columns, rng) for _ in range(2))
    return _mixed(_paste(first, target, second, source), target)


def _window(shape: tuple[int, ...], rows: int, columns: int, rng: np.random.Generator) -> Window:
    top, left = int(rng.integers(0, shape[0] - rows + 1)), int(rng.integers(0, shape[1] - columns + 1))
    return slice(top, top + rows), slice(left, left + columns)


def _paste(onto: Sample, target: Window, piece: Sample, source: Window) -> Sample:
    image, disparity, mask = onto.image.copy(), onto.disparity.copy(), onto.mask.copy()
    image[target], disparity[target], mask[target] = piece.image[source], piece.disparity[source], piece.mask[source]
    return replace(onto, image=image, disparity=disparity, mask=mask)


def _mixed(sample: Sample, second: Window) -> MixedSample:
    second_part = np.zeros(sample.mask.shape, np.bool_)
    second_part[second] = True
    return MixedSample(sample, second_part)
