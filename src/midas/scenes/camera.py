"""Camera: where it stands, where it looks, how wide."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Float64

# Whole numbers may stand without a point, which the checks at run time would else refuse.
Number = float | int
Vector = tuple[Number, Number, Number]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in a world whose x points right, y forward and z up.

    Attributes:
        position: of the pinhole, metres.
        yaw_deg: turn to the right from +y.
        pitch_deg: upwards.
        roll_deg: clockwise, as the camera's holder sees it.
        fov_deg: angle of view along the longer side of the picture.
    """

    position: Vector = (0.0, 0.0, 1.5)
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    fov_deg: float = 60.0

    @classmethod
    def looking_at(cls, position: Vector, target: Vector, roll_deg: float, fov_deg: float) -> Camera:
        """A camera whose picture has the target in its centre."""
        x, y, z = (there - here for there, here in zip(target, position, strict=True))
        pitch_deg = math.degrees(math.atan2(z, math.hypot(x, y)))
        return cls(position, math.degrees(math.atan2(x, y)), pitch_deg, roll_deg, fov_deg)

    def focal_px(self, size: tuple[int, int]) -> float:
        """Focal length for a picture of (height, width)."""
        return max(size) / 2 / math.tan(math.radians(self.fov_deg) / 2)

    def to_camera(self) -> Float64[Array, "4 4"]:
        """World to camera, homogeneous. The camera's axes: right, down, forward."""
        yaw, pitch, roll = (math.radians(angle) for angle in (self.yaw_deg, self.pitch_deg, self.roll_deg))
        forward = np.array([math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch)])
        level = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
        down = np.cross(forward, level)
        right = math.cos(roll) * level + math.sin(roll) * down
        matrix = np.eye(4)
        matrix[:3, :3] = right, np.cross(forward, right), forward
        matrix[:3, 3] = -matrix[:3, :3] @ np.array(self.position)
        return matrix

    def to_world(self) -> Float64[Array, "4 4"]:
        """Camera to world, homogeneous."""
        there = self.to_camera()
        back = np.eye(4)
        back[:3, :3] = there[:3, :3].T
        back[:3, 3] = self.position
        return back
