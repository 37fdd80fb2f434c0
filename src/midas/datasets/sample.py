"""Sample: one picture and what the data say of its depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Bool, Float, Float32, Shaped, UInt8
from midas.errors import DatasetError


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
        shift_known: disparity 0 is infinitely far, so that ratios of disparity, or of depth, mean something. False
            where the target is known up to scale *and shift*; never of a metric one.
        gradient_weight: how much the edges of this target are worth in training, in place of the run's own weight:
            what is drawn or rendered is exact there, sensors and stereo smear. None leaves it to the run.
    """

    image: UInt8[Array, "H W 3"]
    disparity: Float32[Array, "H W"]
    mask: Bool[Array, "H W"]
    name: str
    metric: bool
    sparse: bool
    shift_known: bool = True
    gradient_weight: float | None = None

    @classmethod
    def from_depth(
        cls,
        image: UInt8[Array, "H W 3"],
        depth_m: Float[Array, "h w"],
        *,
        name: str,
        valid: Bool[Array, "_ _"] | None = None,
        sparse: bool = False,
    ) -> Sample:
        """A sample whose target is stored as depth.

        Args:
            image: RGB.
            depth_m: depth along the optical axis, metres; invalid where it isn't a finite number above 0.
            name: ``dataset/scene/frame``.
            valid: False where the set calls the depth invalid; None if the values say it all.
            sparse: the target is valid at scattered points only.

        Raises:
            DatasetError: picture, target and mask differ in size.
        """
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            inverse_depth = np.reciprocal(depth_m.astype(np.float32, copy=False))
        return cls.from_inverse_depth(image, inverse_depth, name=name, valid=valid, sparse=sparse)

    @classmethod
    def from_inverse_depth(
        cls,
        image: UInt8[Array, "H W 3"],
        inverse_depth: Float32[Array, "h w"],
        *,
        name: str,
        valid: Bool[Array, "_ _"] | None = None,
        sparse: bool = False,
    ) -> Sample:
        """A sample whose target is stored as, or proportional to, inverse depth.

        Args:
            image: RGB.
            inverse_depth: 1/metre; invalid where it isn't a finite number above 0.
            name: ``dataset/scene/frame``.
            valid: False where the set calls the target invalid; None if the values say it all.
            sparse: the target is valid at scattered points only.

        Raises:
            DatasetError: picture, target and mask differ in size.
        """
        mask = (inverse_depth > 0) & np.isfinite(inverse_depth)
        for other in (mask, valid):
            if other is not None and other.shape != image.shape[:2]:
                raise DatasetError(
                    f"{name}: the picture is {image.shape[:2]}, its target or mask {other.shape} (rows, columns); "
                    "they must be alike: download the set again"
                )
        if valid is not None:
            mask &= valid
        disparity = np.where(mask, inverse_depth, np.float32(0))
        return cls(image=image, disparity=disparity, mask=mask, name=name, metric=True, sparse=sparse)


@dataclass(frozen=True)
class PairSample:
    """A picture with pairs of points, of which it is known which is nearer.

    Attributes:
        image: RGB.
        first: row and column of each pair's one point, from 0; integers.
        second: row and column of its other point.
        relation: +1 where the first is nearer, -1 where the second is, 0 where they are equally far; int8.
        name: ``dataset/scene/frame``.
    """

    image: UInt8[Array, "H W 3"]
    first: Shaped[Array, "N 2"]
    second: Shaped[Array, "N 2"]
    relation: Shaped[Array, " N"]
    name: str


AnySample = Sample | PairSample
