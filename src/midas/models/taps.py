"""What an encoder hands to the rest of a network."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Tap(NamedTuple):
    """One feature map of an encoder.

    Attributes:
        feature: the map, (B, C, H / stride, W / stride).
        class_token: what a transformer's class token holds at the same depth, (B, C); None without one.
    """

    feature: Tensor
    class_token: Tensor | None = None
