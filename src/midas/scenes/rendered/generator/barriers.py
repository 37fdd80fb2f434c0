"""Posts, trunks, fences and openings that a picture is taken past or through."""

from __future__ import annotations

import math

import bpy
import numpy as np
from generator import materials, palette
from generator.meshes import Object, box, cylinder, moved, wall
from generator.stage import Stage
from generator.terrain import Ground
from generator.view import Spot, View, foot_of


def post(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """A pole, a pillar or a trunk that leaves the picture at the top."""
    rng = stage.rng
    x, y, z = foot_of(view, spot, ground)
    radius = min(rng.choice((rng.uniform(0.015, 0.06), rng.uniform(0.08, 0.3))), 0.3 * spot.distance_m)
    tall = max(view.at(0, 1, spot.distance_m).z - z, 0.5) + rng.uniform(0.3, 3)
    if radius > 0.07 and rng.random() < 0.7:
        _trunk(stage, (x, y, z), radius, tall)
        return
    material = rng.choice(
        (
            lambda: materials.metal(rng),
            lambda: materials.wood(stage),
            lambda: materials.plain(palette.pick(rng, palette.PLASTICS), 0.4),
            lambda: materials.textured(stage, rng.choice(("concrete", "brick", "rock", "plaster"))),
        )
    )()
    if rng.random() < 0.5:
        made = cylinder((x, y, z - 0.3), radius, tall + 0.3, material, sides=18)
    else:
        made = box((x, y, z - 0.3), (2 * radius, 2 * radius, tall + 0.3), material, bevel=0.1 * radius, name="post")
    made.rotation_euler = (rng.gauss(0, 0.01), rng.gauss(0, 0.01), rng.uniform(0, math.pi))


def _trunk(stage: Stage, foot: tuple[float, float, float], radius: float, tall: float) -> None:
    """Bark around a bent axis, thicker where it leaves the ground."""
    chance = np.random.default_rng(stage.rng.randrange(1 << 32))
    rings, sides = 24, 20
    height = np.linspace(-0.4, tall, rings)
    flare = 1 + 0.7 * np.exp(-np.maximum(height, 0) / (2 * radius))
    bend = np.cumsum(chance.normal(0, 0.018 * tall / rings, (rings, 2)), axis=0) + np.outer(
        height, chance.normal(0, 0.05, 2)
    )
    angle = np.arange(sides) * 2 * np.pi / sides
    lobes = (
        1
        + 0.06 * np.sin(np.outer(np.ones(rings), 3 * angle) + chance.uniform(0, 6))
        + chance.normal(0, 0.02, (rings, sides))
    )
    around = radius * (1 - 0.25 * height / tall)[:, None] * flare[:, None] * lobes
    points = np.stack(
        [
            bend[:, :1] + around * np.cos(angle),
            bend[:, 1:] + around * np.sin(angle),
            np.repeat(height[:, None], sides, 1),
        ],
        -1,
    )
    low = np.arange(rings - 1)[:, None] * sides + np.arange(sides)
    after = np.arange(rings - 1)[:, None] * sides + (np.arange(sides) + 1) % sides
    faces = np.stack([low, after, after + sides, low + sides], -1).reshape(-1, 4)
    tint = palette.pick(stage.rng, palette.BARKS) if stage.chance(0.6) else None
    data = bpy.data.meshes.new("trunk")
    data.from_pydata(points.reshape(-1, 3).tolist(), [], faces.tolist())
    data.materials.append(materials.textured(stage, "bark", tint=tint, scale=stage.rng.uniform(0.5, 1.0), bump=0.8))
    data.shade_smooth()
    made = bpy.data.objects.new("trunk", data)
    bpy.context.scene.collection.objects.link(made)
    made.location = foot


def fence(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """Rails, pickets or bars across the picture."""
    rng = stage.rng
    x, y, z = foot_of(view, Spot(0.5 * spot.across, max(spot.distance_m, 1.0)), ground)
    height, long = rng.uniform(0.5, 1.5), rng.uniform(3, 9)
    material = (
        materials.wood(stage, boards=rng.random() < 0.3)
        if rng.random() < 0.5
        else materials.plain(
            palette.pick(rng, ("1d1d1f", "24382a", "f0f0ee", "6a6c6f", "4a3a28", "b8302a")), 0.4, metal=0.3
        )
    )
    style = rng.choice(("rails", "pickets", "bars"))
    parts: list[Object] = []
    thick = rng.uniform(0.02, 0.06)
    rails = rng.randint(2, 4) if style == "rails" else 2
    for number in range(rails):
        level = height * ((number + 1) / rails if style == "rails" else (0.15, 0.92)[number])
        parts.append(box((0, 0, level - thick), (long, thick, thick * rng.choice((1, 1, 2.5))), material, name="fence"))
    step = {"rails": rng.uniform(1.0, 2.2), "pickets": rng.uniform(0.12, 0.2), "bars": rng.uniform(0.09, 0.16)}[style]
    wide = {"rails": 1.6 * thick, "pickets": step * rng.uniform(0.5, 0.85), "bars": rng.uniform(0.012, 0.025)}[style]
    deep = {"rails": 1.6 * thick, "pickets": 0.02, "bars": wide}[style]
    for number in range(int(long / step) + 1):
        parts.append(
            box((number * step - long / 2, 0.6 * thick, -0.3), (wide, deep, height + 0.33), material, name="fence")
        )
    moved(parts, (x, y, z), view.heading + rng.uniform(-0.9, 0.9))


def frame(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """A doorway or a window that the picture is taken through, or a beam that runs across its top."""
    rng = stage.rng
    distance = max(spot.distance_m, 0.9)
    material = rng.choice(
        (
            lambda: materials.textured(stage, rng.choice(("brick", "plaster", "concrete", "rock", "blocks"))),
            lambda: materials.wood(stage, boards=True),
            lambda: materials.plain(palette.pick(rng, palette.WALLS), 0.8),
        )
    )()
    half_width, half_height = distance * view.half_width, distance * view.half_height
    if rng.random() < 0.4:
        place = view.at(0, rng.uniform(0.45, 0.95), distance)
        beam = box(
            (0, 0, 0),
            (6 * half_width, rng.uniform(0.1, 0.6), half_height * rng.uniform(0.15, 0.6)),
            material,
            name="beam",
        )
        beam.location, beam.rotation_euler[2] = place, view.heading + rng.gauss(0, 0.25)
        return
    foot = foot_of(view, Spot(0.0, distance), ground)
    across = np.array([math.cos(view.heading), math.sin(view.heading)])
    across = across + rng.gauss(0, 0.25) * np.array([-across[1], across[0]])
    across /= np.linalg.norm(across)
    reach, floor = 4 * half_width + 2, foot[2] - 0.3
    level = view.at(0, 0, distance).z - floor
    top = level + half_height * rng.uniform(0.45, 1.1)
    sill = 0.0 if rng.random() < 0.6 else max(0.0, level - half_height * rng.uniform(0.6, 1.1))
    hole = (
        reach - half_width * rng.uniform(0.5, 1.2),
        reach + half_width * rng.uniform(0.5, 1.2),
        sill,
        max(top, sill + 0.2),
    )
    middle = np.array(foot[:2])
    made = wall(
        middle - reach * across,
        middle + reach * across,
        hole[3] + 3,
        material,
        [hole],
        thickness=rng.uniform(0.08, 0.5),
    )
    made.location.z = floor
