"""Which views are worth taking: decided by a fan of rays before anything is rendered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import bpy
import numpy as np
from generator.camera import Proposal
from generator.relief import unexplained
from mathutils import Vector

RAYS = 11

MAX_NEAR_SHARE = 0.03
MAX_CLOSE_SHARE = 0.4
MAX_ONE_OBJECT_SHARE = 0.72
MIN_HIT_SHARE = 0.3
MIN_OBJECTS = 3
MAX_SAME_DIRECTION = 0.92

# Views that "low is near" explains are taken too, as people take them, but seldom.
PLAIN_SHARE = 0.12


@dataclass(frozen=True)
class Fan:
    """What rays through a grid of points of the picture hit.

    Attributes:
        depth_m: (RAYS, RAYS), infinite where nothing.
        names: of the objects hit.
    """

    depth_m: np.ndarray
    names: list[str]


def cast_fan(camera: bpy.types.Object) -> Fan:
    """Cast the rays."""
    scene = bpy.context.scene
    graph = bpy.context.evaluated_depsgraph_get()
    top_right, bottom_right, bottom_left, top_left = (
        camera.matrix_world @ corner for corner in camera.data.view_frame(scene=scene)
    )
    origin = camera.matrix_world.translation
    axis = -camera.matrix_world.to_3x3().col[2]
    depth_m, names = np.full((RAYS, RAYS), np.inf), []
    for row in range(RAYS):
        for column in range(RAYS):
            u, v = (column + 0.5) / RAYS, (row + 0.5) / RAYS
            point = top_left.lerp(top_right, u).lerp(bottom_left.lerp(bottom_right, u), v)
            hit, place, _, _, made, _ = scene.ray_cast(graph, origin, (point - origin).normalized())
            if hit:
                depth_m[row, column] = (place - origin).dot(axis)
                names.append(made.name.split(".")[0])
    return Fan(depth_m, names)


def is_worth_taking(camera: bpy.types.Object, proposal: Proposal, least_unexplained: float = 0.0) -> bool:
    """Enough in view, nothing right before the lens, some depth beyond the ground's, the subject not hidden."""
    if proposal.subject is not None and not _sees(camera, proposal.subject):
        return False
    fan = cast_fan(camera)
    hit = fan.depth_m[np.isfinite(fan.depth_m)]
    total = fan.depth_m.size
    if hit.size < MIN_HIT_SHARE * total:
        return False
    if (hit < proposal.nearest_m).mean() > MAX_NEAR_SHARE or (hit < 2.5 * proposal.nearest_m).mean() > MAX_CLOSE_SHARE:
        return False
    near, far = np.percentile(hit, (10, 90))
    if hit.size > 0.95 * total and far < proposal.min_ratio * near:
        return False
    if unexplained(fan.depth_m) < least_unexplained:
        return False
    counts = Counter(fan.names)
    return len(counts) >= MIN_OBJECTS and max(counts.values()) <= MAX_ONE_OBJECT_SHARE * total


def is_new_view(proposal: Proposal, taken: list[Proposal], apart_m: float) -> bool:
    """It differs in place or direction from those that were taken."""
    position, direction = Vector(proposal.position), (Vector(proposal.target) - Vector(proposal.position)).normalized()
    for other in taken:
        other_direction = (Vector(other.target) - Vector(other.position)).normalized()
        if (Vector(other.position) - position).length < apart_m and direction.dot(other_direction) > MAX_SAME_DIRECTION:
            return False
    return True


def _sees(camera: bpy.types.Object, subject: tuple[float, float, float]) -> bool:
    origin = camera.matrix_world.translation
    way = Vector(subject) - origin
    graph = bpy.context.evaluated_depsgraph_get()
    hit, place, *_ = bpy.context.scene.ray_cast(graph, origin, way.normalized())
    # The subject's own surface lies a little before the point inside it.
    return not hit or (place - origin).length > 0.8 * way.length - 0.15
