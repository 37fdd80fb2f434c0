"""What a candidate says of one picture, and the same as a protocol can compare it: at the target's size, in its space.

Relative disparity is aligned in inverse depth as it is. Depth is inverted for that, and taken as it is by rules that
align in depth. Where a prediction says nothing it isn't judged, as long as the truth says nothing there either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Bool, Float32
from midas.errors import DatasetError
from midas.evaluation.protocols import Protocol
from midas.maps.holes import resize_with_holes
from midas.maps.kinds import INVERSE, RELATIVE_DISPARITY, Kind

_NOT_FINITE = "has no finite number"
_NOT_POSITIVE = (
    "has no depth above 0 to take the inverse of; depth up to a shift is measured by rules that align in depth, such "
    "as --protocol nyu_marigold, and disparity by --prediction-kind disparity"
)


@dataclass(frozen=True)
class Comparable:
    """A prediction at its target's size.

    Attributes:
        values: disparity, larger is nearer; or depth, larger is farther. Finite everywhere.
        there: False where the prediction says nothing, and the value of the nearest pixel stands instead.
        is_depth: which of the two.
        problem: what is wrong with the pixels where it says nothing, and what to do.
    """

    values: Float32[Array, "H W"]
    there: Bool[Array, "H W"]
    is_depth: bool
    problem: str

    def checked(self, judged: Bool[Array, "H W"], name: str) -> Comparable:
        """The same, if it says something wherever it is judged.

        Raises:
            DatasetError: it doesn't.
        """
        missing = int(np.count_nonzero(judged & ~self.there))
        if missing:
            pixels = int(np.count_nonzero(judged))
            raise DatasetError(f"{name}: at {missing} of {pixels} pixels to be judged, the prediction {self.problem}")
        return self


@dataclass(frozen=True)
class Prediction:
    """What a candidate gives.

    Attributes:
        values: at whatever size.
        kind: what they are.
    """

    values: Float32[Array, "h w"]
    kind: Kind = RELATIVE_DISPARITY

    def comparable(self, size: tuple[int, int], protocol: Protocol) -> Comparable:
        """The prediction at a (height, width), in the space in which these rules align.

        Raises:
            DatasetError: it has no value anywhere.
        """
        values, there, problem = self._in_space_of(protocol)
        if not there.any():
            raise DatasetError(f"everywhere, the prediction {problem}")
        resized, known = resize_with_holes(values, there, size)
        is_depth = protocol.space == "depth" and self.kind not in INVERSE
        return Comparable(resized, known, is_depth, problem)

    def _in_space_of(self, protocol: Protocol) -> tuple[Float32[Array, "h w"], Bool[Array, "h w"], str]:
        values = self.values
        if self.kind in INVERSE or protocol.space == "depth":
            return values, np.isfinite(values), _NOT_FINITE
        if protocol.pairs:  # which ask for the order alone
            return -values, np.isfinite(values), _NOT_FINITE
        positive = values > 0
        if self.kind == "affine_invariant":  # its zero isn't that of depth, whose inverse therefore is unknown
            positive = np.zeros_like(positive)
        inverse = np.zeros_like(values)
        with np.errstate(over="ignore"):
            np.divide(1, values, out=inverse, where=positive)
        return inverse, positive & np.isfinite(inverse), _NOT_POSITIVE
