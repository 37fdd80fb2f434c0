"""A picture between reading it and running the network."""

from __future__ import annotations

from dataclasses import dataclass

from midas.arrays import Array, Float32, UInt8
from midas.tiling.refine import FinerInput


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture made ready for the network.

    Attributes:
        pixels: the network's input.
        size: (height, width) of the picture, in pixels.
        source: the picture's file name, if it has one.
        image: the picture itself, RGB, where it was asked to be kept.
        finer: the input of its tiles; None for a picture that is predicted in one piece.
        guide: as much of the picture as a guided enlargement of the map looks at; None for other rules.
    """

    pixels: Float32[Array, "1 3 h w"]
    size: tuple[int, int]
    source: str | None
    image: UInt8[Array, "H W 3"] | None
    finer: FinerInput | None = None
    guide: UInt8[Array, "H1 W1 3"] | None = None

    @property
    def network_size(self) -> tuple[int, int]:
        """(height, width) of what the network gives, in pixels; with tiles, of all of them together."""
        height, width = self.pixels.shape[2:]
        return (height, width) if self.finer is None else self.finer.grid.size
