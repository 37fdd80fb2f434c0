"""Places in the picture as places in space."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy
from generator.terrain import Ground
from mathutils import Vector


@dataclass(frozen=True)
class View:
    """The picture's frame in space.

    Attributes:
        eye: where the lens is.
        right, up, ahead: its axes, of length one.
        half_width, half_height: of the picture at a distance of one.
    """

    eye: Vector
    right: Vector
    up: Vector
    ahead: Vector
    half_width: float
    half_height: float

    @classmethod
    def of(cls, camera: bpy.types.Object) -> View:
        """What a camera sees."""
        corners = camera.data.view_frame(scene=bpy.context.scene)
        axes = camera.matrix_world.to_3x3()
        return cls(
            camera.matrix_world.translation.copy(), axes.col[0].copy(), axes.col[1].copy(), -axes.col[2],
            max(abs(corner.x / corner.z) for corner in corners), max(abs(corner.y / corner.z) for corner in corners),
        )  # fmt: skip

    def at(self, across: float, upward: float, distance_m: float) -> Vector:
        """A point by its place in the picture, -1 to 1 from left to right and from bottom to top."""
        way = self.ahead + self.right * (across * self.half_width) + self.up * (upward * self.half_height)
        return self.eye + distance_m * way

    @property
    def heading(self) -> float:
        """About the vertical: 0 looks along Y."""
        return math.atan2(-self.ahead.x, self.ahead.y)

    def reach(self, across: float, upward: float) -> float:
        """Distance along the axis to what is seen there; infinite for the sky."""
        way = (self.at(across, upward, 1.0) - self.eye).normalized()
        hit, place, *_ = bpy.context.scene.ray_cast(bpy.context.evaluated_depsgraph_get(), self.eye, way)
        return (place - self.eye).dot(self.ahead) if hit else math.inf


@dataclass(frozen=True)
class Spot:
    """Where a thing is to be.

    Attributes:
        across: in the picture, -1 to 1 from the left to the right.
        distance_m: along the axis.
    """

    across: float
    distance_m: float


def foot_of(view: View, spot: Spot, ground: Ground) -> tuple[float, float, float]:
    """Where a thing at a spot stands on the ground."""
    place = view.at(spot.across, 0.0, spot.distance_m)
    return (place.x, place.y, ground(place.x, place.y))
