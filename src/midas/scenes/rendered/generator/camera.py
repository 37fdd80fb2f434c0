"""The camera: where it stands, what it looks at, its lens and format."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import bpy
from generator.meshes import link
from mathutils import Matrix, Vector

# Width to height, and how often: phones and cameras, upright and lying.
FORMATS = ((4 / 3, 5), (3 / 4, 4), (3 / 2, 3), (2 / 3, 1), (16 / 9, 2), (9 / 16, 1), (1.0, 1))
MULTIPLE_PX = 2


@dataclass(frozen=True)
class Proposal:
    """A camera to try.

    Attributes:
        position, target: in metres.
        fov_deg: angle over the longer side.
        roll_deg: tilt about the axis.
        aspect: width / height.
        focus_m: distance in focus; None for a lens that is sharp everywhere.
        f_number: of the aperture, as on a 36 mm camera.
        nearest_m: nothing but a few per cent of the picture may be nearer.
        min_ratio: between far and near that the picture must have at least.
        subject: a point that must be in view with nothing before it; None for none.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_deg: float
    roll_deg: float = 0.0
    aspect: float = 4 / 3
    focus_m: float | None = None
    f_number: float = 2.8
    nearest_m: float = 0.35
    min_ratio: float = 1.7
    subject: tuple[float, float, float] | None = None


def draw_aspect(rng: Random, *, upright: float = 1.0) -> float:
    """A format at random; ``upright`` makes formats higher than wide so many times as frequent."""
    weights = [weight * (upright if aspect < 1 else 1) for aspect, weight in FORMATS]
    return rng.choices([aspect for aspect, _ in FORMATS], weights)[0]


def draw_roll(rng: Random) -> float:
    """Tilt in degrees: hands are steady mostly."""
    return rng.gauss(0, 1.6) if rng.random() < 0.8 else rng.uniform(-12, 12)


def set_camera(proposal: Proposal, size_px: int) -> bpy.types.Object:
    """Make it the scene's camera. ``size_px`` is the longer side that a 4:3 picture has."""
    scene = bpy.context.scene
    if scene.camera is None:
        scene.camera = link(bpy.data.objects.new("camera", bpy.data.cameras.new("camera")))
    camera = scene.camera
    lens = camera.data
    lens.sensor_fit, lens.sensor_width = "AUTO", 36.0
    lens.angle = math.radians(proposal.fov_deg)
    lens.clip_start, lens.clip_end = 0.02, 20000.0
    lens.dof.use_dof = proposal.focus_m is not None
    if proposal.focus_m is not None:
        lens.dof.focus_distance, lens.dof.aperture_fstop = proposal.focus_m, proposal.f_number
    direction = Vector(proposal.target) - Vector(proposal.position)
    turn = direction.to_track_quat("-Z", "Y").to_matrix() @ Matrix.Rotation(math.radians(proposal.roll_deg), 3, "Z")
    camera.location, camera.rotation_euler = proposal.position, turn.to_euler()
    pixels = size_px * size_px * 3 / 4
    height = math.sqrt(pixels / proposal.aspect)
    scene.render.resolution_x = _even(height * proposal.aspect)
    scene.render.resolution_y = _even(height)
    bpy.context.view_layer.update()
    return camera


def _even(length_px: float) -> int:
    return MULTIPLE_PX * round(length_px / MULTIPLE_PX)
