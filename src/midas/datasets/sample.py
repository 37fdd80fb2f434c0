"""Sample: one picture and what the data say of its depth."""

from __future__ import annotations

from dataclasses import dataclass

from midas.arrays import Array, Bool, Float32, UInt8


@dataclass(frozen=True)
class Sample:
    """A picture with its target, whatever data set it is from.

    Attributes:
        image: RGB.
        disparity: the target, larger is nearer; 0 where invalid. In 1/metre where ``metric``, else in an unknown unit
            (stereo disparity, or known only up to scale and perhaps shift).
        mask: True where the target is valid.
        name: ``dataset/scene/frame``.
        metric: the target is an inverse depth in 1/metre.
        sparse: the target is valid at scattered points only, so that neighbours must not be interpolated.
    """

    image: UInt8[Array, "H W 3"]
    disparity: Float32[Array, "H W"]
    mask: Bool[Array, "H W"]
    name: str
    metric: bool
    sparse: bool
