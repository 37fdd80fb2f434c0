"""One scale and one shift for all pictures of a fixed camera, or of one kind of place: metres without a known point.

A network's scale and shift differ from picture to picture in general. Where the camera stands still, or always looks at
the same kind of scene from the same height, they hardly do, and two numbers that were measured once will do.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

CALIBRATION_KEY = "midas.calibration"
"""The metadata of a model file that hold it."""


@dataclass(frozen=True)
class Calibration:
    """``1 / depth = scale * disparity + shift`` for every picture of a camera, and how well that holds.

    Attributes:
        scale: in 1/metre.
        shift: in 1/metre.
        pictures: number of those that it was found from.
        abs_rel: mean relative error of depth on pictures that the two numbers were not found from.
        explained: the share of the differences of inverse depth that it explains there, from 0 (as good as one
            distance for all) to 1.
    """

    scale: float
    shift: float
    pictures: int
    abs_rel: float
    explained: float

    def to_metadata(self) -> str:
        """The calibration as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_metadata(cls, text: str) -> Calibration:
        """The inverse of ``to_metadata``.

        Raises:
            ValueError: the text is no calibration.
        """
        facts = json.loads(text)
        if not isinstance(facts, dict) or set(facts) != set(cls.__dataclass_fields__):
            raise ValueError(f"expected {', '.join(cls.__dataclass_fields__)}")
        numbers = {name: float(value) for name, value in facts.items()}
        if not all(math.isfinite(value) for value in numbers.values()) or numbers["scale"] <= 0:
            raise ValueError("expected finite numbers, the scale above 0")
        found = {**numbers, "pictures": int(numbers["pictures"])}
        return cls(**found)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"1 / depth = {self.scale:.4g} * disparity + {self.shift:.4g}, from {self.pictures} pictures"
