"""Arrays as other programs store a map in: with axes of length 1, or the same values in three channels."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Shaped

_RGB, _RGBA = 3, 4


def plain_map(array: Array) -> Shaped[Array, "H W"]:
    """The one map that an array of numbers holds, in the array's own type.

    It is left as it is where it has two axes; axes of length 1 in front or behind are left out, and of three channels
    that all say the same the first is taken, be they opaque or not.

    Raises:
        ValueError: the array holds no numbers, or more than one map.
    """
    if array.dtype.kind not in "fiub":
        raise ValueError(f"its values are of type {array.dtype}: expected numbers")
    shape = array.shape
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 3 and array.shape[2] in (_RGB, _RGBA):
        if not _says_the_same(array):
            raise ValueError("it is a picture for the eye, in colours; a map has one value for each pixel")
        array = array[..., 0]
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"a map needs the two axes (height, width), none of them 0; this one is {shape}")
    return array


def _says_the_same(array: Shaped[Array, "H W channels"]) -> bool:
    first = array[..., 0]
    floats = array.dtype.kind == "f"
    alike = all(np.array_equal(first, array[..., channel], equal_nan=floats) for channel in (1, 2))
    return alike and (array.shape[2] == _RGB or bool((array[..., 3] == array[0, 0, 3]).all()))
