"""Maps that are next to all zero: a network whose last ReLU is closed says nothing of its picture."""

from __future__ import annotations

import warnings

import numpy as np

from midas.arrays import Array, Float32
from midas.errors import EmptyMapWarning

_MOST_ZEROS = 0.95


def warn_of_emptiness(disparity: Float32[Array, "h w"], model: str, source: str | None) -> None:
    """Warn where next to all of a network's output is exactly zero.

    So does one of relative disparity with the weights of a namesake that gives metres: the same tensors, but for a
    sigmoid in the place of the ReLU.

    Args:
        disparity: the output.
        model: for the message.
        source: the picture's name, if it has one.
    """
    share = 1 - np.count_nonzero(disparity) / disparity.size
    if share >= _MOST_ZEROS:
        warnings.warn(
            f"{model} gives zeros for {share:.0%} of {source or 'a picture'}; if it does so for all pictures, "
            "its weights are another network's, such as one that gives depth in metres",
            EmptyMapWarning,
            stacklevel=2,
        )
