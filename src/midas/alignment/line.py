"""The line from prediction to target, and the least squares that all ways to find it share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from midas.arrays import Array, Bool, Float, Float32, Float64
from midas.errors import AlignmentError


@dataclass(frozen=True)
class Alignment:
    """``scale * prediction + shift ≈ target``; for a target in 1/metre both are in 1/metre.

    Attributes:
        scale: factor of the prediction. Negative where the target runs against it.
        shift: what is added after that.
    """

    scale: float
    shift: float

    def apply(self, prediction: Float32[Array, "*shape"]) -> Float32[Array, "*shape"]:
        """Give ``scale * prediction + shift``, in the target's unit."""
        aligned = prediction * np.float32(self.scale)
        aligned += np.float32(self.shift)
        return aligned

    @property
    def is_inverted(self) -> bool:
        """The target runs against the prediction: once aligned, near and far have changed places."""
        return self.scale < 0


@runtime_checkable
class Map(Protocol):
    """A prediction that knows more than its numbers, such as ``midas.DepthMap``."""

    @property
    def values(self) -> Float32[Array, "H W"]:
        """Its numbers."""
        ...


def numbers_of(prediction: Float[Array, "*shape"] | Map) -> Float[Array, "*shape"]:
    """The numbers of a map, or the array itself.

    Raises:
        AlignmentError: it is neither a map nor an array of numbers.
    """
    return _numbers(prediction.values if isinstance(prediction, Map) else prediction, "the prediction", prediction)


def _numbers(values: Any, name: str, given: Any, kinds: str = "fiu") -> Array:
    """Values that are an array whose numbers are of these kinds, as NumPy calls them."""
    if isinstance(values, np.ndarray) and values.dtype.kind in kinds:
        return values
    held = f" of {given.dtype}" if isinstance(given, np.ndarray) else ""
    wanted = "an array of truth values" if "b" in kinds else "an array of numbers"
    also = "a depth map, or " if name == "the prediction" else ""
    raise AlignmentError(f"{name} is a {type(given).__name__}{held}: expected {also}{wanted}")


def valid_pixels(
    prediction: Float[Array, "*shape"] | Map,
    target: Float[Array, "*shape"],
    mask: Bool[Array, "*shape"] | None,
    *,
    at_least: int,
) -> tuple[Float64[Array, " N"], Float64[Array, " N"]]:
    """The valid pixels of both in a row, in double precision, in arrays of their own.

    Args:
        prediction: d.
        target: d*, of the same shape.
        mask: True where the target is valid; None for everywhere.
        at_least: how many pixels are needed: 1 for a scale, 2 for scale and shift.

    Raises:
        AlignmentError: if one of them is no array of numbers, shapes differ, too few pixels are valid, or a valid one
            is not finite.
    """
    prediction = numbers_of(prediction)
    target = _numbers(target, "the target", target)
    mask = None if mask is None else _numbers(mask, "the mask", mask, "biu")
    if not prediction.shape == target.shape == (target.shape if mask is None else mask.shape):
        shapes = f"{prediction.shape}, {target.shape} and {target.shape if mask is None else mask.shape}"
        raise AlignmentError(f"prediction, target and mask have the shapes {shapes}: expected one and the same")
    if mask is None or mask.all():
        d, d_star = prediction.ravel().astype(np.float64), target.ravel().astype(np.float64)
    else:
        pixels = np.flatnonzero(mask)  # Taking by index is twice as fast as by mask.
        d, d_star = (values.ravel()[pixels].astype(np.float64, copy=False) for values in (prediction, target))
    if d.size < at_least:
        needed = "a scale needs at least 1 valid pixel"
        if at_least == 2:
            needed = "scale and shift need at least 2 valid pixels"
        raise AlignmentError(f"{needed}, the mask has {d.size}")
    with np.errstate(all="ignore"):  # What isn't finite is found by its sum.
        total = float(d.sum()) + float(d_star.sum())
    if not math.isfinite(total):
        raise AlignmentError("prediction or target isn't finite on a valid pixel: leave such pixels out of the mask")
    return d, d_star


def fit_line(
    d: Float64[Array, " N"], d_star: Float64[Array, " N"], weights: Float64[Array, " N"] | None = None
) -> Alignment:
    """Least squares for the valid pixels of a picture: equations 2–4 of the MiDaS paper, with weights.

    Args:
        d: prediction; used up.
        d_star: target; used up.
        weights: positive; None for 1 everywhere.

    Raises:
        AlignmentError: if values are so large that their squares are not finite.
    """
    count = d.size if weights is None else float(weights.sum())
    with np.errstate(all="ignore"):  # What isn't finite is found by its sums.
        d_mean, d_star_mean = float(np.average(d, weights=weights)), float(np.average(d_star, weights=weights))
        d -= d_mean
        d_star -= d_star_mean
        weighted = d if weights is None else weights * d
        variance, covariance = dot(weighted, d), dot(weighted, d_star)
    if not np.isfinite([d_mean, d_star_mean, variance, covariance]).all():
        raise AlignmentError("prediction or target is too large for its square to be a number: scale it down")
    # What rounding of the mean alone leaves behind where all values are the same.
    if variance <= count * (4 * np.finfo(np.float64).eps * d_mean) ** 2:
        return Alignment(0.0, d_star_mean)
    scale = covariance / variance
    return Alignment(scale, d_star_mean - scale * d_mean)


def dot(one: Float64[Array, " N"], other: Float64[Array, " N"]) -> float:
    """The sum of products, without BLAS: its threads would wait for one another on a busy machine, 10 ms a picture."""
    return float((one * other).sum())
