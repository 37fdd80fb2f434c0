"""Corridors and staircases."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from generator import materials, palette
from generator.camera import Proposal, draw_aspect, draw_roll
from generator.fitments import rug
from generator.floor_plan import FloorPlan
from generator.furnishing import clutter, fill_shelf, framed_picture, put_by_wall, top_of
from generator.light import area, set_sky, window_light
from generator.meshes import Object, box, cylinder, moved, wall
from generator.people import has_people, person
from generator.plants import potted_plant
from generator.room_shell import build_outside, door_leaf, floor_material, wall_material
from generator.shoot import Scene
from generator.stage import Stage

# What stands along a corridor's wall is no deeper than this.
MAX_DEPTH_M = 0.55


def build_passage(stage: Stage) -> Scene:
    """A corridor or a staircase."""
    return build_corridor(stage) if stage.chance(0.6) else build_stairs(stage)


def build_corridor(stage: Stage) -> Scene:
    """A long room with doors, pictures, lamps in a row, windows on one side now and then."""
    rng = stage.rng
    length, width, height = rng.uniform(6, 20), rng.uniform(1.3, 2.8), rng.uniform(2.3, 3.3)
    dark = stage.night or rng.random() < 0.3
    sky = set_sky(stage, "night" if dark else None, indoors=True)
    plan = FloorPlan(rng, width, length)
    _box_room(stage, plan, height)
    if rng.random() < 0.5:
        count = int(length / 2.5)
        plan.sides[1].holes += [
            (length * (k + 0.5) / count - 0.6, length * (k + 0.5) / count + 0.6, 0.85, 2.1) for k in range(count)
        ]
    if rng.random() < 0.4:
        plan.sides[2].holes.append((width / 2 - 0.55, width / 2 + 0.55, 0.3, 2.1))
    walls = wall_material(stage)
    for side in plan.sides:
        wall(side.start, side.end, height, walls, side.holes)
        for a, b, low, high in side.holes:
            middle = (a + b) / 2
            window_light(
                sky, (*side.at(middle, -0.15), (low + high) / 2), (b - a, high - low), (*side.at(middle, 2), 1.2)
            )
    build_outside(stage)
    _doors_and_pictures(stage, plan)
    _things_along(stage, plan)
    _ceiling_lamps(stage, plan, height, dark=dark)
    if rng.random() < 0.4:
        rug(stage, width / 2, length / 2, (0.55 * width, 0.85 * length))
    return Scene("corridor", lambda draw: _propose_corridor(draw, width, length), night=dark, apart_m=1.5)


def _box_room(stage: Stage, plan: FloorPlan, height: float) -> None:
    middle, size = (plan.width / 2, plan.depth / 2), (plan.width + 0.6, plan.depth + 0.6, 0.2)
    box((*middle, -0.2), size, floor_material(stage), name="floor")
    box((*middle, height), size, materials.plain(palette.linear("efede8"), 0.9, variation=0.02), name="ceiling")


def _doors_and_pictures(stage: Stage, plan: FloorPlan) -> None:
    rng = stage.rng
    frame = materials.plain(palette.pick(rng, ("f0efec", "d9d6d0", "6b4a2e", "8d9094")), 0.4)
    for side in (plan.sides[1], plan.sides[3]):
        along = rng.uniform(0.8, 1.6)
        while along < side.length - 0.8:
            free = not any(a - 0.6 < along < b + 0.6 for a, b, *_ in side.holes)
            if free and rng.random() < 0.62:
                parts = [door_leaf(stage), box((0.0, 0, 0), (0.03, 1.04, 2.12), frame)]
                moved(parts, (*side.at(along), 0), side.facing)
                plan.take(*side.at(along, 0.3), 0.9, 0.9)
            elif free and rng.random() < 0.6:
                moved(framed_picture(stage), (*side.at(along, 0.002), 1.6), side.facing)
            along += rng.uniform(1.5, 2.6)


def _things_along(stage: Stage, plan: FloorPlan) -> None:
    rng = stage.rng
    sides = [plan.sides[1], plan.sides[3]]
    for category in ("chair", "shelf", "cabinet", "sidetable", "stool", "chair", "shelf", "cabinet"):
        if rng.random() > 0.6 or (found := put_by_wall(stage, plan, category, sides=sides)) is None:
            continue
        made, spot = found
        length_x, length_y, height = top_of(made)
        if category == "shelf":
            fill_shelf(stage, made, rng.randint(6, 20))
        if height < 1.4 and category != "chair":
            clutter(stage, (spot.x, spot.y, height), spot.turn, (0.8 * length_x, 0.8 * length_y), rng.randint(0, 3))
    for _ in range(rng.randint(0, 2)):
        spot = plan.by_wall(0.45, 0.45, 0.5, sides=sides)
        if spot:
            moved(potted_plant(stage, large=True), (spot.x, spot.y, 0))
    for _ in range(rng.choice([0, 1, 1, 2, 3]) if has_people(stage) else 0):
        spot = plan.amid(0.6, 0.6)
        if spot:
            body = person(stage, {"stand", "walk", "arms"})
            body.made.location = (spot.x, spot.y, 0)
            body.made.rotation_euler[2] = rng.choice([0, math.pi]) + rng.gauss(0, 0.4)


def _ceiling_lamps(stage: Stage, plan: FloorPlan, height: float, *, dark: bool) -> None:
    rng = stage.rng
    colour = palette.kelvin(rng.uniform(3000, 6000))
    power = rng.uniform(8, 22) * (1.5 if dark else 1)
    glow = materials.glowing(colour, 5)
    y = rng.uniform(0.6, 1.4)
    step = rng.uniform(2.2, 4)
    while y < plan.depth:
        area(
            (plan.width / 2, y, height - 0.045),
            (min(0.6, 0.4 * plan.width), 0.3),
            power,
            colour,
            (plan.width / 2, y, 0),
        )
        box((plan.width / 2, y, height - 0.03), (min(0.6, 0.4 * plan.width), 0.3, 0.03), glow)
        y += step


def _propose_corridor(rng: Random, width: float, length: float) -> Proposal:
    y, x = rng.uniform(0.3, 0.55 * length), width * rng.uniform(0.2, 0.8)
    ahead = 1 if rng.random() < 0.7 else -1
    y = y if ahead > 0 else length - y
    target = (width * rng.uniform(0.2, 0.8), y + 4 * ahead, rng.uniform(0.6, 1.6))
    return Proposal(
        (x, y, rng.uniform(0.6, 1.8)), target, rng.uniform(50, 88), draw_roll(rng), draw_aspect(rng, upright=1.6)
    )


def build_stairs(stage: Stage) -> Scene:
    """A hall of two floors with a straight flight of stairs and a gallery."""
    rng = stage.rng
    width, depth, height = rng.uniform(3.5, 6), rng.uniform(6, 8.5), rng.uniform(5, 6.2)
    sky = set_sky(stage, indoors=True)
    plan = FloorPlan(rng, width, depth)
    _box_room(stage, plan, height)
    plan.sides[1].holes += [
        (0.2 * depth, 0.2 * depth + 1.5, 0.9, 2.3),
        (0.6 * depth, 0.6 * depth + 1.4, 0.9, 2.3),
        (0.35 * depth, 0.35 * depth + 1.8, 3.4, 4.7),
    ]
    walls = wall_material(stage)
    for side in plan.sides:
        wall(side.start, side.end, height, walls, side.holes)
        for a, b, low, high in side.holes:
            window_light(
                sky,
                (*side.at((a + b) / 2, -0.15), (low + high) / 2),
                (b - a, high - low),
                (*side.at((a + b) / 2, 3), 1.5),
            )
    build_outside(stage)
    flight = _Flight(
        rng.randint(13, 16),
        rng.uniform(0.165, 0.185),
        rng.uniform(0.26, 0.3),
        rng.uniform(0.95, 1.35),
        rng.uniform(1.0, 1.8),
    )
    _build_flight(stage, flight)
    _build_gallery(stage, flight, width, depth)
    plan.take(flight.width / 2, depth / 2, flight.width + 0.1, depth)
    _furnish_hall(stage, plan, flight)
    area(
        (width / 2, 0.4 * depth, height - 0.05),
        (2, 2),
        rng.uniform(50, 150),
        palette.kelvin(rng.uniform(3500, 5500)),
        (width / 2, 0.4 * depth, 0),
    )
    return Scene("stairs", lambda draw: _propose_stairs(draw, flight, width), apart_m=0.8)


class _Flight:
    """A straight flight along +Y at the wall x = 0."""

    def __init__(self, steps: int, rise: float, going: float, width: float, start: float):
        self.steps, self.rise, self.going, self.width, self.start = steps, rise, going, width, start

    @property
    def end(self) -> float:
        return self.start + self.steps * self.going

    @property
    def top(self) -> float:
        return self.steps * self.rise


def _build_flight(stage: Stage, flight: _Flight) -> None:
    rng = stage.rng
    treads = (
        materials.wood(stage)
        if rng.random() < 0.65
        else materials.textured(stage, rng.choice(("slabs", "concrete", "carpet")))
    )
    rail = materials.plain(palette.pick(rng, ("f0efec", "1d1d1f", "5a3d28", "8a6244", "b8babd")), 0.4)
    solid = rng.random() < 0.6
    x = 0.05 + flight.width / 2
    for step in range(flight.steps):
        y, level = flight.start + (step + 0.5) * flight.going, (step + 1) * flight.rise
        if solid:
            box((x, y, 0), (flight.width, flight.going, level), treads)
        else:
            box((x, y, level - 0.05), (flight.width, flight.going + 0.03, 0.05), treads)
        for half in (0, 1):
            place = (flight.width, flight.start + (step + 0.25 + 0.5 * half) * flight.going, level)
            cylinder(place, 0.012, 0.9 + flight.rise * (0.5 * half - 0.25), rail, sides=8)
    angle = math.atan2(flight.rise, flight.going)
    length = flight.steps * flight.going / math.cos(angle)
    bar = box((flight.width, (flight.start + flight.end) / 2, flight.top / 2 + 0.98), (0.05, length + 0.2, 0.05), rail)
    bar.rotation_euler = (angle, 0, 0)


def _build_gallery(stage: Stage, flight: _Flight, width: float, depth: float) -> None:
    rail = materials.plain(palette.pick(stage.rng, ("f0efec", "1d1d1f", "6b4a2e")), 0.4)
    box(
        (width / 2, (flight.end + depth) / 2, flight.top - 0.2),
        (width, depth - flight.end, 0.2),
        floor_material(stage),
        name="gallery",
    )
    for x in np.arange(flight.width + 0.1, width, 0.13):
        cylinder((x, flight.end + 0.05, flight.top), 0.011, 0.95, rail, sides=6)
    box(((flight.width + width) / 2, flight.end + 0.05, flight.top + 0.95), (width - flight.width, 0.06, 0.05), rail)


def _furnish_hall(stage: Stage, plan: FloorPlan, flight: _Flight) -> None:
    rng = stage.rng
    sides = [plan.sides[0], plan.sides[1]]
    for category in ("armchair", "shelf", "sidetable", "cabinet", "chair", "sofa"):
        if rng.random() < 0.6 and (found := put_by_wall(stage, plan, category, sides=sides)) and category == "shelf":
            fill_shelf(stage, found[0], rng.randint(6, 20))
    if has_people(stage):
        _people_in_hall(stage, plan, flight)
    for _ in range(4):
        y = rng.uniform(0.5, plan.depth - 0.5)
        climbed = np.clip((y - flight.start) / flight.going, 0, flight.steps) * flight.rise
        moved(framed_picture(stage), (0.002, y, 1.6 + climbed), 0)


def _people_in_hall(stage: Stage, plan: FloorPlan, flight: _Flight) -> None:
    rng = stage.rng
    for _ in range(rng.choice([0, 1, 1, 2])):
        spot = plan.amid(0.6, 0.6)
        if spot:
            body = person(stage, {"stand", "walk", "arms"})
            body.made.location, body.made.rotation_euler[2] = (spot.x, spot.y, 0), spot.turn
    if rng.random() < 0.5:
        step = rng.randint(2, flight.steps - 2)
        climber: Object = person(stage, {"walk", "stand"}).made
        climber.location = (
            0.05 + 0.45 * flight.width,
            flight.start + (step + 0.5) * flight.going,
            (step + 1) * flight.rise,
        )
        climber.rotation_euler[2] = rng.choice([0, math.pi])


def _propose_stairs(rng: Random, flight: _Flight, width: float) -> Proposal:
    if rng.random() < 0.7:
        place = (rng.uniform(flight.width + 0.3, width - 0.3), rng.uniform(0.3, 1.8), rng.uniform(0.7, 1.8))
        target = (rng.uniform(0.3, 0.6 * width), rng.uniform(flight.start + 1, flight.end), rng.uniform(0.8, 2.2))
    else:
        place = (
            rng.uniform(flight.width, width - 0.3),
            flight.end + rng.uniform(0, 0.8),
            flight.top + rng.uniform(1.2, 1.7),
        )
        target = (rng.uniform(0.5, width - 0.5), rng.uniform(flight.start, flight.start + 2), rng.uniform(0, 1))
    return Proposal(place, target, rng.uniform(55, 90), draw_roll(rng), draw_aspect(rng, upright=1.5))
