"""Rooms of several uses, furnished, with people now and then."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import numpy as np
from generator import palette
from generator.camera import Proposal, draw_aspect, draw_roll
from generator.fitments import bed, cardboard_boxes, kitchen_units, rug
from generator.floor_plan import FloorPlan, Spot
from generator.furnishing import DESK, DINING, SMALL, clutter, fill_shelf, hang_pictures, put_by_wall, remove, top_of
from generator.furniture import place_asset
from generator.light import area, bulb, set_sky
from generator.meshes import moved
from generator.people import has_people, person, seat_person
from generator.plants import potted_plant
from generator.room_shell import Shell, build_outside, build_shell
from generator.shoot import Scene
from generator.stage import Stage

Spots = list[tuple[float, float, float]]

USES = (
    ("living",) * 4
    + ("bedroom",) * 3
    + ("dining",) * 2
    + ("office",) * 3
    + ("kitchen",) * 3
    + ("bath", "store", "mixed", "mixed")
)


def build_room(stage: Stage, use: str | None = None, *, reserve_m: float = 0.0) -> Scene:
    """A room.

    Args:
        use: one of ``USES``; drawn if None.
        reserve_m: side of a square in the middle that is left free for what is to stand there.
    """
    rng = stage.rng
    use = use or rng.choice(USES)
    size = (
        (rng.uniform(1.9, 3.0), rng.uniform(2.1, 3.4), 2.5)
        if use == "bath"
        else (rng.uniform(2.8, 5.8), rng.uniform(3.0, 6.5), rng.uniform(2.35, 3.0))
    )
    dark = stage.night or rng.random() < 0.12
    sky = set_sky(stage, "night" if dark else None, indoors=True)
    shell = build_shell(stage, size, sky, wet=use == "bath")
    build_outside(stage, rng.choice([0, 0, 3, 6, 9]))
    spots: Spots = []
    if reserve_m:
        shell.plan.reserve_middle(reserve_m)
    for part in FURNISH[use]:
        part(stage, shell.plan, spots)
    furnish_the_rest(stage, shell, spots, people=use not in ("bath", "store"))
    light_room(stage, shell, dark=dark)
    return Scene(
        f"room-{use}",
        lambda draw: propose_in_room(draw, shell.plan, shell.height, spots),
        night=dark,
        spots=spots,
        floor=size[:2],
    )


def _living(stage: Stage, plan: FloorPlan, spots: Spots) -> None:
    rng = stage.rng
    found = put_by_wall(stage, plan, "sofa")
    if found:
        sofa, spot = found
        spots.append((spot.x, spot.y, 0.5))
        if rng.random() < 0.35:
            seat_person(stage, spot.ahead(0.06, rng.uniform(-0.5, 0.5)), 0.42, spot.turn)
        _coffee_table(stage, plan, spot, top_of(sofa)[0], spots)
    stand = put_by_wall(stage, plan, "tvstand")
    if stand:
        made, spot = stand
        spots.append((spot.x, spot.y, 0.7))
        fill_shelf(stage, made, rng.randint(3, 10))
        _put_on(stage, "tv", spot, top_of(made)[2])
    _along_walls(stage, plan, spots, ("armchair", "shelf", "armchair", "cabinet", "sidetable", "shelf"), 0.65)


def _coffee_table(stage: Stage, plan: FloorPlan, sofa: Spot, depth: float, spots: Spots) -> None:
    rng = stage.rng
    if not stage.library.has("coffeetable") or rng.random() < 0.15:
        return
    table = place_asset(stage, "coffeetable")
    length_x, length_y, height = top_of(table)
    x, y = sofa.ahead(depth / 2 + 0.42 + length_x / 2)
    table.location, table.rotation_euler[2] = (x, y, 0), sofa.turn
    plan.take(x, y, length_x, length_x)
    clutter(stage, (x, y, height), sofa.turn, (0.7 * length_x, 0.7 * length_y), rng.randint(2, 7), SMALL)
    spots.append((x, y, 0.45))
    if rng.random() < 0.6:
        rug(stage, x, y, (rng.uniform(1.5, 2.2), rng.uniform(1.8, 2.8)), sofa.turn)


def _put_on(stage: Stage, category: str, spot: Spot, height: float) -> None:
    if stage.library.has(category):
        made = place_asset(stage, category)
        made.location, made.rotation_euler[2] = (spot.x, spot.y, height), spot.turn


def _along_walls(stage: Stage, plan: FloorPlan, spots: Spots, categories: tuple[str, ...], probability: float) -> None:
    rng = stage.rng
    for category in categories:
        if rng.random() > probability or (found := put_by_wall(stage, plan, category)) is None:
            continue
        made, spot = found
        spots.append((spot.x, spot.y, 0.6))
        length_x, length_y, height = top_of(made)
        if category in ("shelf", "tvstand"):
            fill_shelf(stage, made, rng.randint(8, 30))
        if category in ("shelf", "cabinet", "sidetable", "desk") and height < 1.6 and rng.random() < 0.85:
            kinds = DESK if category == "desk" else SMALL
            clutter(
                stage, (spot.x, spot.y, height), spot.turn, (0.85 * length_x, 0.85 * length_y), rng.randint(1, 6), kinds
            )


def _bedroom(stage: Stage, plan: FloorPlan, spots: Spots) -> None:
    rng = stage.rng
    width = rng.choice([0.95, 1.4, 1.6, 1.8])
    spot = plan.by_wall(width + 0.2, 2.15, 0.9)
    if spot:
        moved(bed(stage, width), (*spot.ahead(-1.0), 0), spot.turn)
        spots += [(*spot.ahead(0.3), 0.5), (*spot.ahead(-0.6), 0.6)]
        if rng.random() < 0.2:
            seat_person(stage, spot.ahead(0.2, width / 2 - 0.2), 0.55, spot.turn + math.pi / 2)
        if rng.random() < 0.5:
            rug(stage, *spot.ahead(0.6), (1.4, width + 1.2), spot.turn)
    _along_walls(
        stage, plan, spots, ("sidetable", "cabinet", "shelf", "desk", "armchair", "sidetable", "cabinet"), 0.75
    )


def _dining(stage: Stage, plan: FloorPlan, spots: Spots) -> None:
    rng = stage.rng
    if not stage.library.has("table"):
        return
    table = place_asset(stage, "table")
    length_x, length_y, height = top_of(table)
    spot = plan.amid(min(length_x + 1.2, plan.width - 0.4), min(length_y + 1.2, plan.depth - 0.4))
    if spot is None:
        remove([table])
        return
    table.location = (spot.x, spot.y, 0)
    spots += [(spot.x, spot.y, 0.8)] * 2
    if rng.random() < 0.35:
        rug(stage, spot.x, spot.y, (length_x + 1.2, length_y + 1.2))
    clutter(stage, (spot.x, spot.y, height), 0, (0.85 * length_x, 0.85 * length_y), rng.randint(3, 12), DINING)
    _chairs_around(stage, spot, length_x, length_y)


def _chairs_around(stage: Stage, spot: Spot, length_x: float, length_y: float) -> None:
    rng = stage.rng
    if not stage.library.has("chair"):
        return
    rows = np.linspace(-length_y / 2 + 0.4, length_y / 2 - 0.4, max(1, int(length_y / 0.7)))
    places = [(sign * (length_x / 2 + 0.2), float(y), 0.0 if sign < 0 else math.pi) for sign in (-1, 1) for y in rows]
    places += [(0.0, sign * (length_y / 2 + 0.2), -sign * math.pi / 2) for sign in (-1, 1)]
    for x, y, turn in places:
        if rng.random() < 0.15:
            continue
        back = rng.uniform(0, 0.3)
        chair = place_asset(stage, "chair", look="chairs around")
        chair.location = (spot.x + x - math.cos(turn) * back, spot.y + y - math.sin(turn) * back, 0)
        chair.rotation_euler[2] = turn + rng.gauss(0, 0.2)
        if rng.random() < 0.15:
            seat_person(stage, tuple(chair.location[:2]), 0.46, turn)


def _office(stage: Stage, plan: FloorPlan, spots: Spots) -> None:
    rng = stage.rng
    for _ in range(rng.randint(1, 4)):
        found = put_by_wall(stage, plan, "desk")
        if found is None:
            continue
        desk, spot = found
        length_x, length_y, height = top_of(desk)
        clutter(stage, (spot.x, spot.y, height), spot.turn, (0.8 * length_x, 0.9 * length_y), rng.randint(4, 10), DESK)
        spots += [(spot.x, spot.y, 0.8)] * 2
        chair = place_asset(stage, "officechair" if stage.library.has("officechair") else "chair", look="office chair")
        x, y = spot.ahead(length_x / 2 + rng.uniform(0.2, 0.5))
        chair.location, chair.rotation_euler[2] = (x, y, 0), spot.turn + math.pi + rng.gauss(0, 0.6)
        plan.take(x, y, 0.6, 0.6)
        if rng.random() < 0.25:
            seat_person(stage, (x, y), 0.47, spot.turn + math.pi)
    _along_walls(stage, plan, spots, ("shelf", "shelf", "cabinet", "shelf"), 0.8)


def _kitchen(stage: Stage, plan: FloorPlan, spots: Spots) -> None:
    rng = stage.rng
    for _ in range(rng.randint(1, 3)):
        spot = kitchen_units(stage, plan)
        if spot:
            spots += [(spot.x, spot.y, 1.0)] * 2
    _along_walls(stage, plan, spots, ("fridge", "dishwasher", "cabinet", "shelf"), 0.5)
    if rng.random() < 0.5:
        _dining(stage, plan, spots)


def _bath(stage: Stage, plan: FloorPlan, spots: Spots) -> None:
    _along_walls(stage, plan, spots, ("bathtub", "toilet", "sink", "cabinet", "towel"), 0.95)


def _store(stage: Stage, plan: FloorPlan, spots: Spots) -> None:
    _along_walls(stage, plan, spots, ("shelf", "shelf", "chair", "cabinet", "table"), 0.6)
    spots += [(spot.x, spot.y, 0.5) for spot in cardboard_boxes(stage, plan, stage.rng.randint(2, 9))]


FURNISH: dict[str, tuple[Callable[[Stage, FloorPlan, Spots], None], ...]] = {
    "living": (_living,),
    "bedroom": (_bedroom,),
    "dining": (
        _dining,
        lambda stage, plan, spots: _along_walls(stage, plan, spots, ("cabinet", "shelf", "tvstand", "sidetable"), 0.7),
    ),
    "office": (_office,),
    "kitchen": (_kitchen,),
    "bath": (_bath,),
    "store": (_store,),
    "mixed": (_living, _dining, _office),
}


def furnish_the_rest(stage: Stage, shell: Shell, spots: Spots, *, people: bool) -> None:
    """Lamps, plants, pictures, something left on the floor, people."""
    rng, plan = stage.rng, shell.plan
    for _ in range(rng.randint(0, 2)):
        lamp = put_by_wall(stage, plan, "floorlamp")
        if lamp and rng.random() < 0.5:
            bulb(
                (lamp[1].x, lamp[1].y, top_of(lamp[0])[2] - 0.12),
                rng.uniform(10, 35),
                palette.kelvin(rng.uniform(2500, 3600)),
            )
    for _ in range(rng.randint(0, 3)):
        spot = plan.by_wall(0.5, 0.5, 0.5)
        if spot:
            moved(potted_plant(stage, large=True), (spot.x, spot.y, 0))
    if rng.random() < 0.35:
        spots += [(spot.x, spot.y, 0.3) for spot in cardboard_boxes(stage, plan, 1)]
    hang_pictures(stage, plan, rng.randint(1, 6))
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2]) if people and has_people(stage) else 0):
        spot = plan.amid(0.7, 0.7)
        if spot:
            body = person(stage, {"stand", "walk", "arms", "bend"})
            body.made.location, body.made.rotation_euler[2] = (spot.x, spot.y, 0), spot.turn
            spots.append((spot.x, spot.y, 1.2))
    if stage.library.has("ceilinglamp") and rng.random() < 0.5 and not plan.middle_reserved:
        lamp_shade = place_asset(stage, "ceilinglamp")
        lamp_shade.location = (plan.width / 2, plan.depth / 2, shell.height - lamp_shade["size_m"][2])


def light_room(stage: Stage, shell: Shell, *, dark: bool) -> None:
    """A ceiling lamp by night and now and then by day, else a weak fill for the bounces that are left out."""
    rng, plan = stage.rng, shell.plan
    middle, floor_area = (plan.width / 2, plan.depth / 2), plan.width * plan.depth
    if dark or rng.random() < 0.4:
        place = (plan.width * rng.uniform(0.35, 0.65), plan.depth * rng.uniform(0.35, 0.65), shell.height - 0.06)
        size = (rng.uniform(0.3, 1), rng.uniform(0.3, 1))
        area(place, size, floor_area * rng.uniform(3, 8), palette.kelvin(rng.uniform(2700, 5000)), (*middle, 0))
    else:
        size = (0.8 * plan.width, 0.8 * plan.depth)
        area(
            (*middle, shell.height - 0.05),
            size,
            floor_area * rng.uniform(0.4, 1.2),
            np.array((1, 0.97, 0.93)),
            (*middle, 0),
        )


def propose_in_room(rng: Random, plan: FloorPlan, height: float, spots: Spots) -> Proposal | None:
    """From a wall or corner across the room, or nearer, at one thing."""
    x, y, z = rng.choice(spots) if spots else (plan.width / 2, plan.depth / 2, 0.8)
    if rng.random() < 0.6:
        px = rng.choice([rng.uniform(0.2, 0.6), plan.width - rng.uniform(0.2, 0.6), rng.uniform(0.3, plan.width - 0.3)])
        py = rng.choice([rng.uniform(0.2, 0.6), plan.depth - rng.uniform(0.2, 0.6)])
        pz = rng.choice(
            [rng.uniform(1.2, 1.7), rng.uniform(1.2, 1.7), rng.uniform(0.4, 1.2), rng.uniform(1.7, height - 0.25)]
        )
        target = (
            0.2 * plan.width + 0.6 * x + rng.gauss(0, 0.4),
            0.2 * plan.depth + 0.6 * y + rng.gauss(0, 0.4),
            rng.uniform(0.4, 1.2),
        )
        fov = rng.uniform(58, 90)
    else:
        heading, away = rng.uniform(0, 2 * math.pi), rng.uniform(0.9, 2.6)
        px, py, pz = x + away * math.cos(heading), y + away * math.sin(heading), rng.uniform(0.6, 1.8)
        target, fov = (x, y, z + rng.gauss(0, 0.15)), rng.uniform(42, 70)
    if not (0.15 < px < plan.width - 0.15 and 0.15 < py < plan.depth - 0.15):
        return None
    return Proposal((px, py, pz), target, fov, draw_roll(rng), draw_aspect(rng), min_ratio=1.6)
