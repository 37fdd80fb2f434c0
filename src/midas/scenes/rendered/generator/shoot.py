"""Build a scene, look for views worth taking, render them."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import bpy
import numpy as np
from generator.camera import Proposal, set_camera
from generator.composition import PLAIN_SHARE, is_new_view, is_worth_taking
from generator.foreground import put_near_things, take_away
from generator.passes import render_passes
from generator.stage import Stage, empty_stage

MAX_PROPOSALS = 120
# Making things costs more than asking for another view.
MAX_FOREGROUNDS = 16

BUILDERS = {
    "rooms": ("generator.rooms", "build_room"),
    "passages": ("generator.passages", "build_passage"),
    "tables": ("generator.tables", "build_table"),
    "portraits": ("generator.portraits", "build_portrait"),
    "streets": ("generator.streets", "build_street"),
    "parks": ("generator.parks", "build_park"),
    "woods": ("generator.woods", "build_wood"),
    "squares": ("generator.squares", "build_square"),
    "night": ("generator.night", "build_night"),
}


@dataclass
class Scene:
    """A built scene.

    Attributes:
        what: a word for the record.
        propose: gives a camera to try, or None; it may be asked as often as one likes.
        haze_m: distance after which two thirds of the light are haze.
        exposure_ev: what the photographer corrects, in stops.
        night: lit by lamps.
        apart_m: how far two views of it must be from each other.
        ground: height of the ground at a place.
        spots: places worth looking at.
        floor: width and depth of a room that begins at the origin; None out of doors.
        near_things: how often something is put close before the lens.
        least_unexplained: of a view's disparity beyond "low is near", see ``composition.unexplained``.
    """

    what: str
    propose: Callable[[Random], Proposal | None]
    haze_m: float | None = None
    exposure_ev: float = 0.0
    night: bool = False
    apart_m: float = 0.6
    ground: Callable[[float, float], float] = field(default=lambda x, y: 0.0)
    spots: list[tuple[float, float, float]] = field(default_factory=list)
    floor: tuple[float, float] | None = None
    near_things: float = 0.0
    least_unexplained: float = 0.0


def shoot_scene(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job of the kind ``scene``; gives what was built and the views' files."""
    stage = empty_stage(job["seed"], Path(job["library"]), job["samples"])
    module, name = BUILDERS[job["world"]]
    build: Callable[[Stage], Scene] = getattr(import_module(module), name)
    scene = build(stage)
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    views: list[dict[str, Any]] = []
    taken: list[Proposal] = []
    foregrounds = 0
    for _ in range(MAX_PROPOSALS):
        if len(views) == job["views"]:
            break
        proposal = scene.propose(stage.rng)
        if proposal is None or not is_new_view(proposal, taken, scene.apart_m):
            continue
        camera = set_camera(proposal, job["size_px"])
        things: list[bpy.types.Object] = []
        if foregrounds < MAX_FOREGROUNDS and stage.chance(scene.near_things):
            foregrounds += 1
            things, subject_m = put_near_things(stage, camera, scene.ground)
            proposal = replace(proposal, subject=None)
            if subject_m is not None and stage.chance(0.4):
                proposal = replace(proposal, focus_m=subject_m, f_number=stage.rng.uniform(0.9, 2.8))
                set_camera(proposal, job["size_px"])
        least = 0.0 if stage.chance(PLAIN_SHARE) else scene.least_unexplained
        if is_worth_taking(camera, proposal, least):
            taken.append(proposal)
            views.append(_written(scene, folder / f"{len(views):02d}.npz"))
        take_away(things)
    gc.collect()
    return {"what": scene.what, "views": views}


def _written(scene: Scene, file: Path) -> dict[str, Any]:
    passes = render_passes(file.parent)
    arrays = {"radiance": np.minimum(passes.radiance, 60000).astype(np.float16), "depth_m": passes.depth_m}
    if scene.haze_m is not None:
        arrays["distance_m"] = passes.distance_m
    np.savez(file, **arrays)
    facts = {"file": str(file), "night": scene.night, "exposure_ev": scene.exposure_ev, "haze_m": scene.haze_m}
    return {key: value for key, value in facts.items() if value is not None}
