"""A camera that moves through a scene: frame after frame of one take."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import bpy
import numpy as np
from generator.camera import Proposal, set_camera
from generator.composition import is_worth_taking
from generator.meshes import Object, box
from generator.passes import render_passes
from generator.people import has_people, person
from generator.shoot import BUILDERS, MAX_PROPOSALS, Scene
from generator.stage import Stage, empty_stage
from generator.view import Spot, View, foot_of
from mathutils import Matrix, Vector

# A third of a degree a frame, 1.8 pixels of 320: a slow pan by hand.
PAN_DEG = 0.33
# Hands sway by so much, in metres and degrees, with these periods in frames.
SWAY_M, SWAY_DEG, SWAY_FRAMES = 0.012, 0.35, (47.0, 31.0, 23.0)
# A walk ends before what lies ahead, and is no faster than people are at 30 frames a second.
FREE_SHARE, STEP_M = 0.45, 0.04

# Blender's cameras look along -Z with Y up; poses are given with Z ahead and Y down.
_AXES = Matrix.Diagonal((1.0, -1.0, -1.0, 1.0))


@dataclass
class Take:
    """One take of one scene.

    Attributes:
        scene: as it was built.
        start: the camera before it moves.
        ahead_m: how far it may go.
        things: what moves through the picture, with the stretch of frames in which each does and its way.
    """

    scene: Scene
    start: Proposal
    ahead_m: float
    things: list[Thing]


@dataclass(frozen=True)
class Thing:
    """Something that crosses the picture: at ``begin`` and ``end``, shares of the take, it is out of it."""

    made: Object
    begin: float
    end: float
    way: tuple[Vector, Vector]


# The take of the last job: the next one goes on in it.
_last: dict[str, Take] = {}


def shoot_move(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job of the kind ``move``: frames ``first`` up to, not including, ``last`` of ``frames`` in one take.

    The same seed gives the same take in every process. Gives what was built, and each frame's file and facts, among
    them ``pose`` (camera to world, metres, X right, Y down, Z ahead) and ``intrinsics`` (pixels).
    """
    key = json.dumps({name: job[name] for name in ("world", "seed", "library", "samples", "size_px", "move", "frames")})
    if key not in _last:
        _last.clear()
        _last[key] = _take(job)
    take = _last[key]
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    views = [_shot(take, job, number, folder) for number in range(job["first"], job["last"])]
    return {"what": take.scene.what, "views": views}


def _take(job: dict[str, Any]) -> Take:
    stage = empty_stage(job["seed"], Path(job["library"]), job["samples"])
    module, name = BUILDERS[job["world"]]
    build: Callable[[Stage], Scene] = getattr(import_module(module), name)
    scene = build(stage)
    for _ in range(MAX_PROPOSALS):
        proposal = scene.propose(stage.rng)
        if proposal is None:
            continue
        # Of film the format, and sharp all over: a lens that follows the focus isn't what is looked at here.
        start = replace(proposal, aspect=4 / 3, focus_m=None, roll_deg=0.0)
        camera = set_camera(start, job["size_px"])
        if is_worth_taking(camera, start):
            view = View.of(camera)
            reach = min(view.reach(across, upward) for across in (-0.3, 0, 0.3) for upward in (-0.3, 0, 0.3))
            things = _things(stage, scene, view) if job["move"] == "things" else []
            return Take(scene, start, FREE_SHARE * min(reach, 60.0), things)
    raise RuntimeError("no view of this scene was worth taking: another seed has another scene")


def _things(stage: Stage, scene: Scene, view: View) -> list[Thing]:
    """Three things that cross, one near, two further away."""
    things = []
    for number, share in enumerate((0.55, 0.35, 0.7)):
        distance_m = float(np.clip(share * view.reach(0.0, -0.1), 1.2, 12.0))
        side = 1 if number % 2 else -1
        begin, end = (
            Vector(foot_of(view, Spot(across, distance_m), scene.ground)) for across in (side * 1.35, -side * 1.35)
        )
        if has_people(stage):
            made = person(stage, {"stand", "walk"}).made
        else:
            made = box((-0.25, -0.25, 0.0), (0.25, 0.25, 1.6), None)
        # Bodies face -Y.
        made.rotation_euler[2] = math.atan2((end - begin).x, -(end - begin).y)
        things.append(Thing(made, 0.05 + 0.3 * number, 0.35 + 0.3 * number, (begin, end)))
    return things


def _shot(take: Take, job: dict[str, Any], number: int, folder: Path) -> dict[str, Any]:
    camera = set_camera(_proposal(take, job, number), job["size_px"])
    for thing in take.things:
        share = (number / job["frames"] - thing.begin) / (thing.end - thing.begin)
        thing.made.location = thing.way[0].lerp(thing.way[1], min(max(share, 0.0), 1.0))
    bpy.context.view_layer.update()
    # What is left of the noise changes from frame to frame, as a sensor's does.
    bpy.context.scene.cycles.seed = number
    passes = render_passes(folder)
    arrays = {"radiance": np.minimum(passes.radiance, 60000).astype(np.float16), "depth_m": passes.depth_m}
    if take.scene.haze_m is not None:
        arrays["distance_m"] = passes.distance_m
    file = folder / f"{number:04d}.npz"
    np.savez(file, **arrays)
    facts = {
        "file": str(file),
        "number": number,
        "night": take.scene.night,
        "exposure_ev": take.scene.exposure_ev,
        "haze_m": take.scene.haze_m,
        "pose": [list(row) for row in camera.matrix_world @ _AXES],
        "intrinsics": _intrinsics(camera),
    }
    return {key: value for key, value in facts.items() if value is not None}


def _proposal(take: Take, job: dict[str, Any], number: int) -> Proposal:
    """The camera of a frame."""
    start, move, frames = take.start, job["move"], job["frames"]
    position, target = Vector(start.position), Vector(start.target)
    if move == "static":
        return start
    ahead = (target - position).normalized()
    across = ahead.cross(Vector((0, 0, 1))).normalized()
    phases = [Random(f"{job['seed']}/{axis}").uniform(0, 2 * math.pi) for axis in range(3)]
    sway = [math.sin(2 * math.pi * number / period + phase) for period, phase in zip(SWAY_FRAMES, phases, strict=True)]
    turn_deg, lift_deg = SWAY_DEG * sway[0], SWAY_DEG * 0.6 * sway[1]
    position = position + across * (SWAY_M * sway[2])
    if move == "pan":
        turn_deg += PAN_DEG * (number - frames / 2)
    if move == "walk":
        position = position + ahead * min(STEP_M * number, take.ahead_m * number / frames)
    turn = Matrix.Rotation(math.radians(turn_deg), 3, "Z") @ Matrix.Rotation(math.radians(lift_deg), 3, across)
    return replace(start, position=tuple(position), target=tuple(position + turn @ ahead))


def _intrinsics(camera: bpy.types.Object) -> list[list[float]]:
    render = bpy.context.scene.render
    width, height = render.resolution_x, render.resolution_y
    focal_px = max(width, height) / 2 / math.tan(camera.data.angle / 2)
    return [[focal_px, 0.0, width / 2 - 0.5], [0.0, focal_px, height / 2 - 0.5], [0.0, 0.0, 1.0]]
