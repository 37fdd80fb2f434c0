"""Which value is shown as 0 and which as 1, and values turned into unit values or integer codes by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from midas.arrays import Array, Float32, UInt8, UInt16

# Bands of about this many values stay in the processor's cache, so that the double precision in between is free.
_VALUES_PER_BAND = 1 << 16
# Percentiles come from a grid of at most this many values: sorting 12 megapixels takes longer than colouring them.
_PERCENTILE_SAMPLES = 1 << 18


@dataclass(frozen=True)
class ValueRange:
    """A range of values of a map, without unit or in the map's own.

    Attributes:
        low: the value that becomes 0.
        high: the value that becomes 1, or the largest code. Equal to ``low`` for a constant map.
    """

    low: float
    high: float

    @classmethod
    def of(cls, values: Float32[Array, "H W"]) -> ValueRange:
        """Give the smallest and the largest value, where a value that is not finite counts as 0."""
        values = finite(values)
        return cls(float(values.min()), float(values.max()))

    @classmethod
    def of_percentiles(cls, values: Float32[Array, "H W"], low_percent: float, high_percent: float) -> ValueRange:
        """Give two percentiles of the finite values, so that a few outliers don't take up the whole range.

        A map whose percentiles coincide (nearly constant) gets its full range. Large maps are sampled on a grid.
        """
        height, width = values.shape
        step = max(1, round((values.size / _PERCENTILE_SAMPLES) ** 0.5))
        # A strip too narrow for the steps of one axis gets longer ones along the other.
        sample = values[:: step * step // min(step, width), :: step * step // min(step, height)]
        sample = sample[np.isfinite(sample)]
        if sample.size == 0:
            return cls.of(values)
        low, high = (float(value) for value in np.percentile(sample, (low_percent, high_percent)))
        return cls(low, high) if high > low else cls.of(values)

    def unit(self, values: Float32[Array, "H W"]) -> Float32[Array, "H W"]:
        """Map the range to [0, 1] and cut what lies outside; a constant map gives zeros."""
        return self._spread(values, 1, np.float32)

    def codes_8bit(self, values: Float32[Array, "H W"]) -> UInt8[Array, "H W"]:
        """Map the range to 0–255, rounded to the nearest code; a constant map gives zeros."""
        return self._spread(values, 255, np.uint8)

    def codes_16bit(self, values: Float32[Array, "H W"]) -> UInt16[Array, "H W"]:
        """Map the range to 0–65535, rounded to the nearest code; a constant map gives zeros."""
        return self._spread(values, 65535, np.uint16)

    def step(self, largest_code: int) -> float:
        """Give the difference in value between one code and the next: ``value = low + step * code``."""
        return (self.high - self.low) / largest_code

    def _spread(self, values: Array, top: int, dtype: type[np.generic]) -> Array:
        out: Array = np.zeros(values.shape, dtype)
        if not self.high > self.low:
            return out
        values = finite(values)
        factor = top / (self.high - self.low)
        for rows in row_bands(values):
            band = np.subtract(values[rows], self.low, dtype=np.float64)
            band *= factor
            if np.issubdtype(dtype, np.integer):
                np.rint(band, out=band)
            out[rows] = np.clip(band, 0, top, out=band)
        return out


def finite(values: Array) -> Array:
    """Replace NaN and infinity by 0, as the official MiDaS code does; values that are all finite return as they are."""
    valid = np.isfinite(values)
    return values if valid.all() else np.where(valid, values, values.dtype.type(0))


def row_bands(array: Array) -> Iterator[slice]:
    """Cut an array into slices of whole rows that are small enough for the processor's cache."""
    height = array.shape[0]
    rows = max(1, _VALUES_PER_BAND * height // max(1, array.size))
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def as_float32_map(values: Any) -> Array:
    """Give a map as a float32 array of two axes, or raise ``ValueError``."""
    array = np.asarray(values, np.float32)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"a map needs the two axes (height, width), none of them 0; this one is {array.shape}")
    return array
