"""Normals of the surfaces that a map shows."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Float32
from midas.geometry.camera import Camera


def surface_normals(inverse_depth: Float32[Array, "H W"], camera: Camera) -> Float32[Array, "H W 3"]:
    """Unit normals in the camera's axes (x right, y down, z forward), turned to the camera; zero where there are none.

    Where the inverse depth is ``w(x, y)`` of a pixel's slopes, the tangent plane's normal is along
    ``(-w_x, -w_y, x w_x + y w_y - w)``: on a plane, where w is affine, that is exact whatever the distance between
    pixels. Derivatives are the smaller of those to both sides, so that outlines stay sharp.

    Args:
        inverse_depth: 1 / depth, positive where there is a surface.
        camera: of the picture.
    """
    x, y = (slopes.astype(np.float32) for slopes in camera.slopes(inverse_depth.shape))
    along_x = _smaller_slope(inverse_depth, x)
    along_y = _smaller_slope(inverse_depth.T, y).T
    normals = np.stack(
        [-along_x, -along_y, x[None, :] * along_x + y[:, None] * along_y - inverse_depth], axis=-1
    ).astype(np.float32)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    unit: Array = np.divide(
        normals, length, out=np.zeros_like(normals), where=(length > 0) & (inverse_depth > 0)[..., None]
    )
    return unit


def _smaller_slope(values: Float32[Array, "H W"], places: Float32[Array, " W"]) -> Float32[Array, "H W"]:
    """Along rows: of the slopes to the left and to the right the one nearer to 0."""
    if values.shape[1] < 2:
        return np.zeros_like(values)
    steps = np.diff(values, axis=1) / np.diff(places)[None, :]
    left = np.concatenate([steps[:, :1], steps], axis=1)
    right = np.concatenate([steps, steps[:, -1:]], axis=1)
    return np.where(np.abs(left) < np.abs(right), left, right).astype(np.float32)
