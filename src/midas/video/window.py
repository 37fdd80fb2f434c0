"""Which values of a film are shown dark and which bright: moving so slowly that nobody sees it, and never too late."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Float32
from midas.maps.value_range import ValueRange

_PERCENT = (1.0, 99.0)
_WIDENING = 0.3  # share per frame of what lies outside: it would be clipped
_NARROWING = 0.02
_SAMPLES = 1 << 14


class DisplayWindow:
    """The two values that get the ends of a film's colours, frame by frame; begins anew with every shot."""

    def __init__(self) -> None:
        self._low = self._high = 0.0
        self._begun = False

    def update(self, values: Float32[Array, "H W"], *, is_cut: bool) -> ValueRange:
        """The window for the next frame.

        Args:
            values: its map, nearer is larger.
            is_cut: whether it begins a shot.
        """
        step = max(1, round((values.size / _SAMPLES) ** 0.5))
        low, high = (float(value) for value in np.percentile(values[::step, ::step], _PERCENT))
        if is_cut or not self._begun:
            self._low, self._high, self._begun = low, high, True
        else:
            self._low += (_WIDENING if low < self._low else _NARROWING) * (low - self._low)
            self._high += (_WIDENING if high > self._high else _NARROWING) * (high - self._high)
        return ValueRange(self._low, self._high)
