"""Streets: houses on both sides, cars, trees, lamps, signs, people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from generator import materials, palette
from generator.camera import Proposal, draw_aspect, draw_roll
from generator.cars import make_car
from generator.facades import build_front
from generator.light import set_sky
from generator.meshes import Object, box, copies
from generator.people import has_people, person
from generator.shoot import Scene
from generator.stage import Stage, outdoors
from generator.street_things import bench, bin_, bollard, lamp_post, sign
from generator.terrain import far_ground
from generator.trees import make_trees, plant
from mathutils import Matrix

KERB_M = 0.12


@dataclass(frozen=True)
class Street:
    """Along y, its middle at x = 0.

    Attributes:
        road_m: width of the road.
        pavement_m: of each pavement, which lies at z = 0.
        length_m: half the built length.
        crossing_m: where the zebra is.
    """

    road_m: float
    pavement_m: float
    length_m: float
    crossing_m: float

    def kerb(self, side: int, away_m: float = 0.0) -> float:
        """x of a place on a side's pavement."""
        return side * (self.road_m / 2 + away_m)


def build_street(stage: Stage, *, light: bool = False) -> Scene:
    """A street; shorter and emptier if it is only a background."""
    outdoors()
    rng = stage.rng
    sky = set_sky(stage, "night" if stage.night else None)
    stage.cache["autumn"] = rng.random() < 0.2
    street = Street(
        rng.uniform(5.5, 9.5), rng.uniform(2, 4.5), 45 if light else rng.uniform(60, 100), rng.uniform(-8, 8)
    )
    _surface(stage, street)
    _houses(stage, street, kinds=3 if light else 5)
    cars = [make_car(stage) for _ in range(2 if light else rng.randint(3, 5))]
    _park_cars(stage, street, cars)
    _trees_and_lamps(stage, street)
    _things(stage, street)
    people = [] if light else _people(stage, street)
    haze = rng.uniform(90, 400) if rng.random() < 0.22 else rng.uniform(1200, 5000)
    spot = (street.kerb(rng.choice((-1, 1)), 0.5 * street.pavement_m), rng.uniform(-5, 5), 0.0)
    return Scene(
        f"street-{sky.kind}",
        lambda draw: _propose(draw, street, people),
        haze_m=haze,
        night=stage.night,
        apart_m=2.5,
        spots=[spot, *people],
        near_things=0.45,
        # A street is mostly its ground and its houses, in photographs too.
        least_unexplained=0.2,
    )


def _surface(stage: Stage, street: Street) -> None:
    rng = stage.rng
    span = 2.4 * street.length_m
    road = materials.textured(stage, "cobbles" if rng.random() < 0.15 else "asphalt", bump=0.6)
    paving = materials.textured(stage, rng.choice(("slabs", "slabs", "cobbles", "asphalt", "concrete")), bump=0.6)
    box((0, 0, -KERB_M - 0.2), (street.road_m, span, 0.2), road, name="road")
    box((0, 0, -0.7), (1200, 1200, 0.2), far_ground(stage, ("5c6b3a", "77736c", "8a8a6a")), name="far")
    stone = materials.textured(stage, "concrete", bump=0)
    for side in (-1, 1):
        box(
            (street.kerb(side, street.pavement_m / 2 + 5), 0, -0.3),
            (street.pavement_m + 10, span, 0.3),
            paving,
            name="pavement",
        )
        box((street.kerb(side, 0.07), 0, -0.3), (0.16, span, 0.305), stone, name="kerb")
    white = materials.plain(palette.linear("d9d8d2"), 0.8, variation=0.15)
    for y in np.arange(-street.length_m, street.length_m, 5):
        box((0, y, -KERB_M + 0.001), (0.13, 2.5, 0.003), white, name="marking")
    for number in range(int(street.road_m / 0.9)):
        box(
            (-street.road_m / 2 + 0.5 + 0.9 * number, street.crossing_m, -KERB_M + 0.001),
            (0.45, 3, 0.004),
            white,
            name="marking",
        )
    for _ in range(rng.randint(1, 5)):
        cover = materials.plain(palette.linear("3a3a3b"), 0.6)
        place = (rng.uniform(-0.4, 0.4) * street.road_m, rng.uniform(-20, 20), -KERB_M + 0.001)
        box(place, (0.6, 0.6, 0.004), cover, name="marking")


def _houses(stage: Stage, street: Street, kinds: int) -> None:
    rng = stage.rng
    for side in (-1, 1):
        fronts = [(width, build_front(stage, width)) for width in (rng.uniform(7, 15) for _ in range(kinds))]
        y, last = -0.75 * street.length_m, -1
        while y < 0.95 * street.length_m:
            number = rng.choice([k for k in range(kinds) if k != last])
            (width, front), last = fronts[number], number
            x = street.kerb(side, street.pavement_m + rng.choice([0, 0, 0, rng.uniform(0, 1.2)]))
            place = (x, y + width, 0) if side > 0 else (x, y, 0)
            copies([front], Matrix.Translation(place) @ Matrix.Rotation(-side * math.pi / 2, 4, "Z"))
            y += width + (rng.uniform(1.5, 6) if rng.random() < 0.18 else 0)


def _park_cars(stage: Stage, street: Street, cars: list[Object]) -> None:
    rng = stage.rng
    density = rng.uniform(0.25, 0.8)
    for side in (-1, 1):
        y = -0.6 * street.length_m
        while y < 0.8 * street.length_m:
            if rng.random() < density and abs(y - street.crossing_m) > 4:
                about = math.pi if rng.random() < 0.2 else 0
                _put_car(
                    stage,
                    rng.choice(cars),
                    (street.kerb(side, -1.1 + rng.gauss(0, 0.06)), y),
                    side * math.pi / 2 + about + rng.gauss(0, 0.02),
                )
            y += rng.uniform(5.2, 7)
    for _ in range(rng.randint(0, 4)):
        side = rng.choice((-1, 1))
        _put_car(
            stage,
            rng.choice(cars),
            (side * 0.2 * street.road_m, rng.uniform(-0.5, 0.7) * street.length_m),
            side * math.pi / 2 + rng.gauss(0, 0.03),
        )


def _put_car(stage: Stage, car: Object, place: tuple[float, float], turn: float) -> None:
    copies([car], Matrix.Translation((*place, -KERB_M)) @ Matrix.Rotation(turn, 4, "Z"))


def _trees_and_lamps(stage: Stage, street: Street) -> None:
    rng = stage.rng
    trees = make_trees(stage, 2, ("street", "street", "ash", "birch", "bare")) if rng.random() < 0.7 else []
    step = rng.uniform(8, 16)
    for side in (-1, 1):
        y = -0.6 * street.length_m + rng.uniform(0, 8)
        while y < 0.8 * street.length_m:
            x, draw = street.kerb(side, 0.6), rng.random()
            if trees and draw < 0.55:
                tree = rng.choice(trees)
                plant(stage, tree, (x, y, 0), min(1, 7.5 / tree.height_m) * rng.uniform(0.85, 1.1))
            elif draw < 0.85:
                lamp_post(stage, (x, y, 0), -side * math.pi / 2, rng.uniform(4, 6.5))
            y += step


def _things(stage: Stage, street: Street) -> None:
    rng = stage.rng
    for side in (-1, 1):
        for _ in range(rng.randint(3, 9)):
            thing = rng.choices((bench, bin_, bollard, sign), (1, 2, 2.5, 2.5))[0]
            place = (street.kerb(side, rng.uniform(0.4, 0.9)), rng.uniform(-0.5, 0.7) * street.length_m, 0)
            # A sign faces along the street, a bench across it.
            turn = rng.choice([0, math.pi]) if thing is sign else -side * math.pi / 2
            thing(stage, place, turn)


def _people(stage: Stage, street: Street) -> list[tuple[float, float, float]]:
    rng = stage.rng
    spots = []
    for _ in range(rng.randint(2, 9) if has_people(stage) else 0):
        x, y = street.kerb(rng.choice((-1, 1)), rng.uniform(0.8, street.pavement_m - 0.5)), rng.uniform(-20, 26)
        body = person(stage, {"walk", "stand", "arms"})
        body.made.location, body.made.rotation_euler[2] = (x, y, 0), rng.choice([0, math.pi]) + rng.gauss(0, 0.4)
        spots.append((x, y, 0.0))
    if has_people(stage) and rng.random() < 0.3:
        body = person(stage, {"walk"})
        body.made.location = (rng.uniform(-0.3, 0.3) * street.road_m, street.crossing_m, -KERB_M)
        body.made.rotation_euler[2] = math.pi / 2
    return spots


def _propose(rng: Random, street: Street, people: list[tuple[float, float, float]]) -> Proposal:
    draw, y, side, ahead = rng.random(), rng.uniform(-16, 8), rng.choice((-1, 1)), rng.choice((-1, 1))
    pavement = street.kerb(side, rng.uniform(0.5, street.pavement_m - 0.4))
    road = street.road_m
    if draw < 0.5:
        place, target = (
            (pavement, y, rng.uniform(1.3, 1.8)),
            (rng.uniform(-0.6, 0.6) * road, y + ahead * rng.uniform(7, 22), rng.uniform(0.8, 3.2)),
        )
    elif draw < 0.68:
        place, target = (
            (rng.uniform(-0.35, 0.35) * road, y, rng.uniform(0.9, 1.9)),
            (rng.uniform(-0.7, 0.7) * road, y + 16 * ahead, rng.uniform(0.8, 3.5)),
        )
    elif draw < 0.76:
        place, target = (
            (street.kerb(side, street.pavement_m - 0.8), y, rng.uniform(3.5, 9)),
            (-side * rng.uniform(0, road / 2), y + ahead * rng.uniform(6, 18), 0),
        )
    elif draw < 0.86 or not people:
        place, target = (
            (pavement, y, rng.uniform(0.25, 0.8)),
            (-0.3 * side * road, y + ahead * rng.uniform(5, 12), rng.uniform(0.8, 2.5)),
        )
    else:
        x, y, _ = rng.choice(people)
        away = rng.uniform(2.5, 8)
        place, target = (
            (x + rng.gauss(0, 0.6), y + ahead * away, rng.uniform(1.2, 1.7)),
            (x + rng.gauss(0, 0.4), y, rng.uniform(0.9, 1.6)),
        )
    return Proposal(place, target, rng.uniform(42, 84), draw_roll(rng), draw_aspect(rng), nearest_m=0.45)
