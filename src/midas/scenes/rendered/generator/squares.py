"""Squares: paving, statues on pedestals, fountains, houses around, people."""

from __future__ import annotations

import math
from random import Random

from generator import materials, palette
from generator.camera import Proposal, draw_aspect, draw_roll
from generator.cars import make_car
from generator.facades import build_front
from generator.light import set_sky
from generator.meshes import box, copies, moved, turned
from generator.people import has_people, person
from generator.shoot import Scene
from generator.stage import Stage, outdoors
from generator.street_things import bench, bin_, bollard, lamp_post
from generator.terrain import far_ground
from generator.trees import make_trees, plant
from mathutils import Matrix

Spots = list[tuple[float, float, float]]


def build_square(stage: Stage) -> Scene:
    """A square with something to look at in its middle."""
    outdoors()
    rng = stage.rng
    sky = set_sky(stage, "night" if stage.night else None)
    stage.cache["autumn"] = rng.random() < 0.2
    reach = rng.uniform(15, 25)
    paving = materials.textured(
        stage, rng.choice(("slabs", "cobbles", "cobbles", "gravel", "brick")), scale=rng.uniform(0.8, 1.4), bump=0.6
    )
    box((0, 0, -0.2), (140, 140, 0.2), paving, name="paving")
    box((0, 0, -0.6), (1200, 1200, 0.2), far_ground(stage, ("5c6b3a", "77736c", "8a8a6a")), name="far")
    _houses_around(stage, reach)
    spots = _statues(stage)
    if not spots or rng.random() < 0.35:
        spots.append(_fountain(stage))
    _furnish(stage, reach)
    spots += _people(stage)
    haze = rng.uniform(80, 300) if rng.random() < 0.18 else rng.uniform(1200, 5000)
    return Scene(
        f"square-{sky.kind}",
        lambda draw: _propose(draw, spots),
        haze_m=haze,
        night=stage.night,
        apart_m=2.0,
        spots=spots,
        near_things=0.5,
        least_unexplained=0.3,
    )


def _houses_around(stage: Stage, reach: float) -> None:
    rng = stage.rng
    for side in range(4):
        if rng.random() < 0.2:
            continue
        fronts = [(width, build_front(stage, width)) for width in (rng.uniform(8, 14) for _ in range(3))]
        x, number = -reach - 4, 0
        while x < reach:
            width, front = fronts[number % 3]
            copies([front], Matrix.Rotation(side * math.pi / 2, 4, "Z") @ Matrix.Translation((x, reach, 0)))
            x, number = x + width, number + 1


def _statues(stage: Stage) -> Spots:
    rng = stage.rng
    spots: Spots = []
    for _ in range(rng.randint(1, 4) if has_people(stage) else 0):
        x, y = rng.uniform(-7, 7), rng.uniform(-7, 7)
        if any(math.hypot(x - a, y - b) < 3.5 for a, b, _ in spots):
            continue
        pedestal = materials.textured(stage, rng.choice(("rock", "concrete", "blocks")), scale=0.8)
        top, wide = rng.uniform(0.5, 2.0), rng.uniform(0.8, 1.4)
        for share, level, tall in ((1.5, 0, 0.15), (1.25, 0.15, 0.15), (1, 0.3, top), (1.12, 0.3 + top, 0.1)):
            box((x, y, level), (share * wide, share * wide, tall), pedestal, bevel=0.02, name="pedestal")
        size = rng.uniform(1, 1.6)
        figure = person(stage, {"stand", "arms", "walk", "bend", "sit", "crouch"}, stone=_figure_material(stage))
        level = 0.4 + top
        if figure.facts["pose"] == "sit":
            box((x, y, level), (0.5, 0.5, figure.facts["seat_m"] * size - 0.02), pedestal, name="pedestal")
        figure.made.name = "statue"
        figure.made.location, figure.made.scale = (x, y, level), (size,) * 3
        figure.made.rotation_euler[2] = rng.uniform(0, 2 * math.pi)
        spots += [(x, y, level + 0.8)] * 2
    return spots


def _figure_material(stage: Stage) -> materials.Material:
    rng = stage.rng
    if rng.random() < 0.55:
        return materials.textured(
            stage,
            "concrete" if rng.random() < 0.5 else "rock",
            tint=palette.pick(rng, palette.STONES),
            scale=0.5,
            bump=0.3,
        )
    return materials.plain(
        palette.pick(rng, ("4a3a28", "3a4a42", "3c3630", "5a4a32")), rng.uniform(0.35, 0.55), metal=0.85, variation=0.35
    )


def _fountain(stage: Stage) -> tuple[float, float, float]:
    rng = stage.rng
    x, y, radius = rng.uniform(-6, 6), rng.uniform(-6, 6), rng.uniform(1.5, 2.6)
    stone = materials.textured(stage, rng.choice(("rock", "concrete")))
    bowl = turned(
        [
            (1.15 * radius, 0),
            (1.15 * radius, 0.45),
            (1.2 * radius, 0.5),
            (radius, 0.5),
            (0.97 * radius, 0.25),
            (0.3, 0.25),
            (0.2, 1.2),
            (0.4 * radius, 1.3),
            (0.45 * radius, 1.4),
            (0.15, 1.4),
            (0.1, 2),
            (0, 2.1),
        ],
        stone,
        44,
        "fountain",
    )
    surface = turned([(0, 0.4), (0.99 * radius, 0.4)], materials.water(rng), 44, "water")
    moved([bowl, surface], (x, y, 0))
    return (x, y, 1.0)


def _furnish(stage: Stage, reach: float) -> None:
    rng = stage.rng
    trees = make_trees(stage, 2, ("street", "oak", "spruce", "shrub", "poplar"))
    for _ in range(rng.randint(2, 10)):
        heading, away = rng.uniform(0, 2 * math.pi), rng.uniform(7, reach - 3)
        tree = rng.choice(trees)
        plant(stage, tree, (away * math.cos(heading), away * math.sin(heading), 0), min(1, 8 / tree.height_m))
    for thing, count in (
        (lamp_post, rng.randint(3, 8)),
        (bench, rng.randint(1, 6)),
        (bin_, rng.randint(0, 3)),
        (bollard, rng.randint(0, 6)),
    ):
        for _ in range(count):
            heading, away = rng.uniform(0, 2 * math.pi), rng.uniform(3.5, reach - 3)
            thing(stage, (away * math.cos(heading), away * math.sin(heading), 0), rng.uniform(0, 2 * math.pi))
    if rng.random() < 0.5:
        car = make_car(stage)
        for _ in range(rng.randint(1, 4)):
            heading = rng.uniform(0, 2 * math.pi)
            place = Matrix.Translation(((reach - 3) * math.cos(heading), (reach - 3) * math.sin(heading), 0))
            copies([car], place @ Matrix.Rotation(rng.uniform(0, 6.3), 4, "Z"))


def _people(stage: Stage) -> Spots:
    rng = stage.rng
    spots: Spots = []
    for _ in range(rng.randint(2, 9) if has_people(stage) else 0):
        heading, away = rng.uniform(0, 2 * math.pi), rng.uniform(1.8, 12)
        x, y = away * math.cos(heading), away * math.sin(heading)
        body = person(stage, {"walk", "stand", "arms"})
        body.made.location, body.made.rotation_euler[2] = (x, y, 0), rng.uniform(0, 2 * math.pi)
        spots.append((x, y, 1.0))
    return spots


def _propose(rng: Random, spots: Spots) -> Proposal:
    x, y, z = rng.choice(spots)
    heading, away = rng.uniform(0, 2 * math.pi), rng.choice([rng.uniform(2.4, 5), rng.uniform(4, 12)])
    level = rng.choice(
        [rng.uniform(0.3, 1), rng.uniform(1.3, 1.8), rng.uniform(1.3, 1.8), rng.uniform(1.3, 1.8), rng.uniform(3, 6)]
    )
    place = (x + away * math.cos(heading), y + away * math.sin(heading), level)
    target = (x + rng.gauss(0, 0.5), y + rng.gauss(0, 0.5), z + rng.uniform(-0.3, 1.0))
    focus = away if rng.random() < 0.2 else None
    return Proposal(place, target, rng.uniform(38, 80), draw_roll(rng), draw_aspect(rng), focus, 1.4, nearest_m=0.45)
