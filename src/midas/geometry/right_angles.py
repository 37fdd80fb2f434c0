"""The shift by right angles: rooms and streets are built of planes that stand upright on one another.

A plane is an affine patch of inverse depth, and so of disparity, ``d = a x + b y + c`` in slopes x and y, whatever
scale and shift are. Its normal in space is along ``(a, b, c + q)`` for ``depth ∝ 1 / (d + q)``. Two planes at right
angles give ``a_i a_j + b_i b_j + (c_i + q)(c_j + q) = 0``: a quadratic equation for q.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from midas.arrays import Array, Float32
from midas.errors import AlignmentError
from midas.geometry.anchor import ASSUMED_RATIO, Anchor, anchor_of_zero, disparity_range
from midas.geometry.camera import Camera
from midas.geometry.planes import Plane, find_planes

FOUND = "right-angles"

LEAST_RATIO, MOST_RATIO = 1.5, 100.0
"""Between these the farthest things may be as far, counted in distances of the nearest, for a shift to be believed."""

# Two planes count as at right angles, or as parallel, within so many degrees.
_TOLERANCE_DEG = 2.0


def anchor_from_right_angles(values: Float32[Array, "H W"], camera: Camera, *, least_planes: int = 2) -> Anchor:
    """The anchor that puts most pairs of large planes at right angles, or side by side.

    Each pair gives two shifts; of those that leave everything before the camera, and the farthest things 1.5 to 100
    times as far as the nearest, the one with which most pairs agree is taken, and of equals the one with a ratio next
    to 10.

    Args:
        values: disparity.
        camera: of the picture; its focal length should be known.
        least_planes: how many planes must stand at right angles to another: of two alone there's no telling whether
            they do, three that agree can't do so by chance.

    Raises:
        AlignmentError: there are no such planes, or no such shift.
    """
    planes = find_planes(values, camera)
    low, high = disparity_range(values)
    candidates = [zero for pair in itertools.combinations(planes, 2) for zero in _zeros(*pair)]
    candidates = [
        zero for zero in candidates if zero + low > 0 and LEAST_RATIO <= (high + zero) / (low + zero) <= MOST_RATIO
    ]
    scored = [(_agreement(planes, zero), -_from_usual(low, high, zero), zero) for zero in candidates]
    best = max(scored, default=None)
    if best is None or _square_planes(planes, best[2]) < least_planes:
        raise AlignmentError(
            f"no right angles tell the shift of this picture: {len(planes)} large planes were found, "
            f"expected at least {least_planes} at right angles; state near and far distances, or known points"
        )
    return anchor_of_zero(values, _refined(planes, best[2]), FOUND)


def _zeros(one: Plane, other: Plane) -> list[float]:
    """The shifts for which two planes are at right angles."""
    total, product = one.c + other.c, one.c * other.c + one.a * other.a + one.b * other.b
    discriminant = total * total / 4 - product
    if discriminant < 0:
        return []
    root = math.sqrt(discriminant)
    return [-total / 2 - root, -total / 2 + root]


def _cosines(planes: list[Plane], zero: float) -> dict[tuple[int, int], float]:
    normals = [plane.normal(zero) for plane in planes]
    pairs = itertools.combinations(range(len(planes)), 2)
    return {(i, j): abs(float(normals[i] @ normals[j])) for i, j in pairs}


def _agreement(planes: list[Plane], zero: float) -> float:
    """The share of the picture that is in pairs at right angles, or side by side, each counted by its smaller plane.

    Pairs that are side by side are side by side for any shift if they are one plane, so they count half.
    """
    square, level = math.sin(math.radians(_TOLERANCE_DEG)), math.cos(math.radians(_TOLERANCE_DEG))
    shares = {pair: min(planes[pair[0]].share, planes[pair[1]].share) for pair in _cosines(planes, zero)}
    weights = {
        pair: 1.0 if cosine < square else 0.5 if cosine > level else 0.0
        for pair, cosine in _cosines(planes, zero).items()
    }
    return round(sum(weights[pair] * shares[pair] for pair in shares), 6)


def _square_planes(planes: list[Plane], zero: float) -> int:
    """How many planes are at right angles to another."""
    square = math.sin(math.radians(_TOLERANCE_DEG))
    return len({number for pair, cosine in _cosines(planes, zero).items() if cosine < square for number in pair})


def _from_usual(low: float, high: float, zero: float) -> float:
    return abs(math.log((high + zero) / (low + zero) / ASSUMED_RATIO))


def _refined(planes: list[Plane], zero: float) -> float:
    """The mean of the shifts that all pairs at right angles give near this one, weighted by the smaller plane."""
    square = math.sin(math.radians(_TOLERANCE_DEG))
    near: list[float] = []
    weights: list[float] = []
    for (i, j), cosine in _cosines(planes, zero).items():
        if cosine < square:
            near.append(min(_zeros(planes[i], planes[j]), key=lambda other: abs(other - zero), default=zero))
            weights.append(min(planes[i].share, planes[j].share))
    return float(np.average(np.array(near), weights=np.array(weights)))


def angles_deg(planes: list[Plane], zero: float) -> Array:
    """The angles between all pairs of planes, 0 to 90 degrees, for ``depth ∝ 1 / (d + zero)``."""
    angles: Array = np.degrees(np.arccos(np.clip(list(_cosines(planes, zero).values()), 0, 1)))
    return angles
