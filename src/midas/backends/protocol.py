"""What every backend does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from midas.arrays import Array, Float32


@runtime_checkable
class Backend(Protocol):
    """A network, ready to run on one device. Several threads may call it at the same time."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the model file says of itself; empty where its format has no room for that."""
        ...

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        """Run the network.

        Args:
            pixels: normalised RGB, as ``midas.pictures.preprocess`` makes it.

        Returns:
            Relative disparity at the input's resolution: larger is nearer, no unit.

        Raises:
            ModelError: the network doesn't take this input.
        """
        ...


CPU = "cpu"
"""What a back end that computes on the processor calls it."""


def device_of(backend: Backend) -> str:
    """What a back end really computes on, whatever it was asked for: ``CPU``, or another device in its own words.

    One that has no ``device`` to say so is taken to be the processor's.
    """
    return str(getattr(backend, "device", CPU))
