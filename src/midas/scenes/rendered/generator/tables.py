"""Table tops close up, with shallow focus: at home, in the garden, before a wall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
from generator import materials, palette
from generator.camera import Proposal, draw_aspect
from generator.furnishing import DESK, DINING, KITCHEN, SMALL, remove, small_thing
from generator.light import area, set_sky
from generator.meshes import box, cylinder, moved, turned
from generator.parks import build_park
from generator.people import has_people, person
from generator.room_shell import floor_material, wall_material
from generator.rooms import build_room
from generator.shoot import Scene
from generator.stage import Stage

MODES: dict[str, Sequence[str]] = {
    "mixed": (*SMALL, "fruit", "blocks"),
    "fruit": ("fruit", "fruit", "fruit", "bowl", "plate", "cup"),
    "kitchen": KITCHEN,
    "dining": DINING,
    "desk": (*DESK, "blocks"),
    "blocks": ("blocks", "blocks", "books"),
    "plants": ("plant", "plant", "vase", "succulent"),
    "tools": ("blocks", "can", "jar", "bottle", "paper"),
}


def build_table(stage: Stage) -> Scene:
    """A table with things on it, in a room, out of doors or before a plain wall."""
    rng = stage.rng
    where = rng.choice(("room", "room", "garden", "wall"))
    middle, ground, bounds = _surroundings(stage, where)
    size = (rng.uniform(0.8, 1.8), rng.uniform(0.7, 1.1))
    top = ground + rng.uniform(0.68, 0.8)
    _build_top(stage, (*middle, top), size, ground)
    mode = rng.choice(list(MODES))
    spots = _set_table(stage, (*middle, top), size, mode)
    if has_people(stage) and rng.random() < 0.2:
        _guest(stage, middle, size, ground)
    if where != "garden":
        heading = rng.uniform(0, 2 * math.pi)
        lamp = (middle[0] + 1.2 * math.cos(heading), middle[1] + 1.2 * math.sin(heading), top + rng.uniform(0.8, 1.5))
        area(
            lamp,
            (rng.uniform(0.3, 1.0), rng.uniform(0.3, 1.0)),
            rng.uniform(6, 26),
            palette.kelvin(rng.uniform(3000, 6500)),
            (*middle, top),
        )
    return Scene(f"table-{where}-{mode}", lambda draw: _propose(draw, spots, bounds), apart_m=0.2, spots=spots)


def _surroundings(stage: Stage, where: str) -> tuple[tuple[float, float], float, tuple[float, float] | None]:
    """Where the table stands, at which height, and the room's size if there is one."""
    rng = stage.rng
    if where == "room":
        floor = build_room(
            stage, rng.choice(("living", "dining", "kitchen", "office", "mixed", "bedroom")), reserve_m=1.9
        ).floor
        return (floor[0] / 2, floor[1] / 2), 0.0, floor
    if where == "garden":
        scene = build_park(stage, light=True)
        x, y, z = scene.spots[0]
        return (x, y), z, None
    set_sky(stage, "studio" if rng.random() < 0.5 else None)
    heading = rng.uniform(0, 2 * math.pi)
    moved(
        [box((0, 0, 0), (8, 0.1, 4), wall_material(stage), name="wall")],
        (2.2 * math.cos(heading), 2.2 * math.sin(heading), -0.5),
        heading + math.pi / 2,
    )
    box((0, 0, -0.3), (30, 30, 0.3), floor_material(stage), name="floor")
    return (0.0, 0.0), 0.0, None


def _build_top(stage: Stage, middle: tuple[float, float, float], size: tuple[float, float], ground: float) -> None:
    rng = stage.rng
    draw = rng.random()
    if draw < 0.55:
        surface = materials.wood(stage, boards=rng.random() < 0.3)
    elif draw < 0.65:
        surface = materials.textured(stage, rng.choice(("rock", "concrete")), bump=0)
    elif draw < 0.82:
        surface = materials.cloth(stage, lively=0.6)
    else:
        surface = materials.plain(palette.pick(rng, palette.WALLS + palette.CLOTHS), rng.uniform(0.2, 0.5))
    x, y, z = middle
    box((x, y, z - 0.035), (*size, 0.035), surface, bevel=0.005, name="tabletop")
    legs = materials.wood(stage)
    for sign_x in (-1, 1):
        for sign_y in (-1, 1):
            box(
                (x + sign_x * (size[0] / 2 - 0.06), y + sign_y * (size[1] / 2 - 0.06), ground - 0.1),
                (0.05, 0.05, z - ground + 0.07),
                legs,
            )
    if rng.random() < 0.3:
        mat = box(
            (0, 0, 0.0005),
            (rng.uniform(0.3, 0.5), rng.uniform(0.25, 0.4), 0.002),
            materials.cloth(stage, lively=0.7),
            name="mat",
        )
        moved([mat], (x + rng.uniform(-0.2, 0.2), y + rng.uniform(-0.1, 0.1), z), rng.gauss(0, 0.2))


def _set_table(
    stage: Stage, middle: tuple[float, float, float], size: tuple[float, float], mode: str
) -> list[tuple[float, float, float]]:
    rng = stage.rng
    used: list[tuple[float, float, float]] = []
    spots = []
    for _ in range(rng.randint(5, 18)):
        kind = rng.choice(MODES[mode])
        objects, radius = blocks(stage) if kind == "blocks" else small_thing(stage, kind)
        for _ in range(25):
            x = float(np.clip(rng.gauss(0, 0.22 * size[0]), radius - size[0] / 2, max(size[0] / 2 - radius, 0)))
            y = float(np.clip(rng.gauss(0, 0.24 * size[1]), radius - size[1] / 2, max(size[1] / 2 - radius, 0)))
            if all(math.hypot(x - a, y - b) > 0.93 * (radius + c) for a, b, c in used):
                break
        else:
            remove(objects)
            continue
        used.append((x, y, radius))
        moved(objects, (middle[0] + x, middle[1] + y, middle[2] + 0.001), rng.uniform(0, 2 * math.pi))
        spots.append((middle[0] + x, middle[1] + y, middle[2] + 0.05))
    return spots or [(middle[0], middle[1], middle[2] + 0.05)]


def blocks(stage: Stage) -> tuple[list[materials.bpy.types.Object], float]:
    """A plain thing: box, roll, ball, cone, stack."""
    rng = stage.rng
    size = rng.uniform(0.03, 0.11)
    material = rng.choice(
        (
            lambda: materials.plain(palette.pick(rng, palette.PLASTICS + palette.CLOTHS), rng.uniform(0.15, 0.8)),
            lambda: materials.wood(stage),
            lambda: materials.metal(rng),
            lambda: materials.textured(stage, "paper", scale=0.2, bump=0),
            lambda: materials.cloth(stage),
        )
    )()
    form = rng.choice(("box", "box", "roll", "ball", "cone", "stack"))
    if form == "box":
        return [
            box(
                (0, 0, 0),
                (size * rng.uniform(0.6, 1.6), size * rng.uniform(0.6, 1.6), size * rng.uniform(0.2, 2)),
                material,
                bevel=0.003,
            )
        ], size
    if form == "stack":
        levels = [
            box((0, 0, 0.025 * k), (size * 1.6, size * 1.2, 0.024), material, bevel=0.002)
            for k in range(rng.randint(2, 5))
        ]
        return levels, size
    angle = np.linspace(0, math.pi, 16)
    profile = {
        "roll": [(0, 0), (size / 2, 0), (size / 2, 1.4 * size), (0.4 * size, 1.45 * size), (0, 1.45 * size)],
        "cone": [(0, 0), (0.6 * size, 0), (0.05 * size, 1.5 * size), (0, 1.5 * size)],
        "ball": list(zip(size / 2 * np.sin(angle), size / 2 * (1 - np.cos(angle)), strict=True)),
    }[form]
    return [turned(profile, material, 32, "block")], size * 0.6


def _guest(stage: Stage, middle: tuple[float, float], size: tuple[float, float], ground: float) -> None:
    side = stage.rng.choice((-1, 1))
    y = middle[1] + side * (size[1] / 2 + 0.3)
    guest = person(stage, {"sit"})
    guest.made.location = (middle[0], y, ground + 0.46 - guest.facts["seat_m"] + 0.02)
    guest.made.rotation_euler[2] = 0 if side > 0 else math.pi
    cylinder((middle[0], y, ground), 0.2, 0.44, materials.wood(stage))


def _propose(
    rng: Random, spots: list[tuple[float, float, float]], bounds: tuple[float, float] | None
) -> Proposal | None:
    x, y, z = rng.choice(spots)
    away = rng.choice([rng.uniform(0.25, 0.45), rng.uniform(0.35, 0.8), rng.uniform(0.6, 1.3)])
    heading, rise = (
        rng.uniform(0, 2 * math.pi),
        rng.choice([rng.uniform(0.08, 0.35), rng.uniform(0.2, 0.75), rng.uniform(0.5, 1.3)]),
    )
    place = (
        x + away * math.cos(heading) * math.cos(rise),
        y + away * math.sin(heading) * math.cos(rise),
        z + away * math.sin(rise),
    )
    if bounds and not (0.1 < place[0] < bounds[0] - 0.1 and 0.1 < place[1] < bounds[1] - 0.1):
        return None
    target = (x + rng.gauss(0, 0.03), y + rng.gauss(0, 0.03), z + rng.gauss(0, 0.02))
    focus = away if rng.random() < 0.8 else None
    return Proposal(
        place,
        target,
        rng.uniform(38, 68),
        rng.gauss(0, 3),
        draw_aspect(rng),
        focus,
        rng.choice([2, 2.8, 4, 8]),
        nearest_m=0.12,
        min_ratio=1.35,
    )
