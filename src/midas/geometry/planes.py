"""Planes in a map: patches on which disparity is an affine function of the pixel, as it is on every plane in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Bool, Float32, Float64
from midas.geometry.anchor import disparity_range
from midas.geometry.camera import Camera

# The map is looked at by so many samples along its longer side, for so many planes, by so many trials each.
_SIDE = 64
_MOST_PLANES = 6
_TRIALS = 300
# Three samples of one trial lie so near one another, in samples, that they may well be on one plane.
_REACH = 10
_SEED = 17


@dataclass(frozen=True)
class Plane:
    """A patch ``d = a x + b y + c``, where x and y are a pixel's slopes: x / z and y / z.

    Attributes:
        a, b, c: of the patch; the normal in space is along (a, b, c + q) for the shift q.
        share: of the picture that it covers.
    """

    a: float
    b: float
    c: float
    share: float

    def normal(self, zero: float) -> Float64[Array, " 3"]:
        """Unit normal in space, for ``depth ∝ 1 / (d + zero)``."""
        normal = np.array([self.a, self.b, self.c + zero])
        unit: Array = normal / max(float(np.linalg.norm(normal)), 1e-300)
        return unit


def find_planes(
    values: Float32[Array, "H W"], camera: Camera, *, tolerance: float = 0.01, least_share: float = 0.08
) -> list[Plane]:
    """The largest planes, largest first: RANSAC of affine patches, each without the pixels of those before it.

    Args:
        values: disparity.
        camera: of the picture.
        tolerance: how far a pixel may be from its plane, as a share of the map's range.
        least_share: of the picture that a plane covers at least.
    """
    samples, d = _samples(values, camera)
    low, high = disparity_range(values)
    near = tolerance * (high - low)
    left = np.isfinite(d)
    planes: list[Plane] = []
    rng = np.random.default_rng(_SEED)
    while len(planes) < _MOST_PLANES and left.sum() >= max(3, least_share * left.size):
        on_plane = _best_patch(samples, d, left, near, rng)
        if on_plane.sum() < max(3, least_share * left.size):
            break
        a, b, c = _fit(samples, d, on_plane)
        on_plane = left & (np.abs(_residual(samples, d, (a, b, c))) < near)
        if on_plane.sum() < max(3, least_share * left.size):
            break
        planes.append(Plane(a, b, c, float(on_plane.mean())))
        left = left & ~_grown(on_plane)
    return planes


def _samples(
    values: Float32[Array, "H W"], camera: Camera
) -> tuple[tuple[Float64[Array, "h w"], Float64[Array, "h w"]], Float64[Array, "h w"]]:
    """Slopes and disparity of evenly spaced pixels."""
    height, width = values.shape
    rows, columns = (
        np.arange(step // 2, pixels, step)
        for pixels, step in ((side, max(1, max(values.shape) // _SIDE)) for side in (height, width))
    )
    across, down = camera.slopes((height, width))
    x, y = np.meshgrid(across[columns], down[rows])
    return (x, y), values[rows[:, None], columns[None, :]].astype(np.float64)


def _best_patch(
    samples: tuple[Array, Array],
    d: Float64[Array, "h w"],
    left: Bool[Array, "h w"],
    near: float,
    rng: np.random.Generator,
) -> Bool[Array, "h w"]:
    """The samples on the best of many patches, each through three samples that lie near one another."""
    x, y = samples
    height, width = d.shape
    there = np.argwhere(left)
    first = there[rng.integers(0, len(there), _TRIALS)]
    corners = np.stack([first, *(first + rng.integers(-_REACH, _REACH + 1, first.shape) for _ in range(2))], axis=1)
    corners = np.clip(corners, 0, (height - 1, width - 1))
    at = (corners[..., 0], corners[..., 1])
    matrix = np.stack([x[at], y[at], np.ones(at[0].shape)], axis=-1)
    usable = (np.abs(np.linalg.det(matrix)) > 1e-9) & left[at].all(axis=1)
    best = np.zeros(d.shape, np.bool_)
    if not usable.any():
        return best
    patches = np.linalg.solve(matrix[usable], d[at][usable][..., None])[..., 0]
    known = np.stack([x[left], y[left], np.ones(int(left.sum()))])
    on_patch = np.abs(d[left] - patches @ known) < near
    best[left] = on_patch[on_patch.sum(axis=1).argmax()]
    return best


def _fit(samples: tuple[Array, Array], d: Float64[Array, "h w"], on: Bool[Array, "h w"]) -> tuple[float, float, float]:
    matrix = np.stack([samples[0][on], samples[1][on], np.ones(int(on.sum()))], axis=1)
    a, b, c = np.linalg.lstsq(matrix, d[on], rcond=None)[0]
    return float(a), float(b), float(c)


def _residual(samples: tuple[Array, Array], d: Array, patch: tuple[float, ...]) -> Array:
    a, b, c = patch
    residual: Array = d - a * samples[0] - b * samples[1] - c
    return residual


def _grown(mask: Bool[Array, "h w"]) -> Bool[Array, "h w"]:
    """A patch and the samples around it, which belong half to it."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown
