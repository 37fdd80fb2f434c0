"""Lens distortion (Brown's model), undone for the network and redone for the map."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.errors import ConfigError
from midas.geometry.camera import Camera


@dataclass(frozen=True)
class Distortion:
    """Radial (k) and tangential (p) coefficients, as OpenCV counts them, for slopes x / z and y / z."""

    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.coefficients).all():
            raise ConfigError(f"distortion {self.coefficients.tolist()}: expected finite numbers")

    @property
    def coefficients(self) -> Array:
        """k1, k2, p1, p2, k3."""
        return np.array([self.k1, self.k2, self.p1, self.p2, self.k3], np.float64)

    def undone(self, image: UInt8[Array, "H W 3"], camera: Camera) -> UInt8[Array, "H W 3"]:
        """The picture as a pinhole of the same focal length takes it."""
        straight = cv2.undistort(image, _matrix(camera), self.coefficients)
        return np.asarray(straight, np.uint8)

    def redone(self, values: Float32[Array, "H W"], camera: Camera) -> Float32[Array, "H W"]:
        """A map of the straight picture, as the distorted one has its pixels. Depth is along the axis: it stays."""
        height, width = values.shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        matrix = _matrix(camera)
        points = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
        straight = cv2.undistortPoints(points, matrix, self.coefficients, P=matrix).reshape(height, width, 2)
        redone = cv2.remap(
            values,
            np.ascontiguousarray(straight[..., 0], np.float32),
            np.ascontiguousarray(straight[..., 1], np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(redone, np.float32)


def _matrix(camera: Camera) -> Array:
    column, row = camera.principal
    return np.array([[camera.focal_px, 0, column], [0, camera.focal_px, row], [0, 0, 1]], np.float64)
