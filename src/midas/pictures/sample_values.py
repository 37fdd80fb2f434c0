"""Values of any usual type become 0 to 255."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Shaped, UInt8
from midas.errors import ImageError


def eight_bits(array: Shaped[Array, " ..."], name: str) -> UInt8[Array, " ..."]:
    """Scale values to 8 bits, rounded.

    Args:
        array: uint8, uint16 from 0 to 65535 in either byte order, or float from 0 to 1.
        name: of the picture, for messages.

    Raises:
        ImageError: values of another type or range.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        table = np.rint(np.arange(1 << 16) / 257).astype(np.uint8)
        return np.asarray(table[array], np.uint8)
    if array.dtype.kind != "f":
        raise ImageError(
            f"{name} is not a picture; expected uint8 in [0, 255], uint16 in [0, 65535] or float in [0, 1]"
        )
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):  # so that a nan fails too
        raise ImageError(f"{name} has float values from {low} to {high}; expected [0, 1]: scale or clip them")
    return np.asarray(np.rint(array * 255), np.uint8)
