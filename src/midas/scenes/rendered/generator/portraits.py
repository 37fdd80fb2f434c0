"""People from 0.6 to 2.5 metres before a soft background, alone or few."""

from __future__ import annotations

import math
from random import Random

import bpy
import numpy as np
from generator import palette
from generator.camera import Proposal
from generator.furniture import place_asset
from generator.light import area
from generator.parks import build_park
from generator.people import Person, person
from generator.rooms import build_room
from generator.shoot import Scene
from generator.stage import Stage
from generator.streets import build_street
from mathutils import Matrix, Vector

ASPECTS = ((3 / 4, 5), (2 / 3, 2), (4 / 3, 4), (3 / 2, 2), (1.0, 2), (9 / 16, 1))


def build_portrait(stage: Stage) -> Scene:
    """Somebody to take a picture of."""
    rng = stage.rng
    indoors = rng.random() < 0.5
    if indoors:
        scene = build_room(
            stage, rng.choice(("living", "living", "dining", "office", "kitchen", "bedroom")), reserve_m=1.7
        )
        place = (scene.floor[0] / 2, scene.floor[1] / 2)
    else:
        scene = rng.choice((build_park, build_park, build_street))(stage, light=True)
        place = scene.spots[0][:2]
    people = _group(stage, scene, place)
    _key_light(stage, people[0], strength=rng.uniform(1, 6) if indoors else rng.uniform(0, 20))
    bpy.context.view_layer.update()
    return Scene(
        f"portrait-{scene.what}",
        lambda draw: _propose(draw, people, scene.floor),
        haze_m=scene.haze_m,
        night=scene.night,
        apart_m=0.35,
    )


def _group(stage: Stage, scene: Scene, place: tuple[float, float]) -> list[Person]:
    rng = stage.rng
    heading = rng.uniform(0, 2 * math.pi)
    count = rng.choice([1, 1, 1, 1, 2, 2, 3])
    seated = stage.library.has("chair") and rng.random() < 0.25
    people = []
    for number in range(count):
        sits = seated and number == 0
        body = person(stage, {"sit"} if sits else {"stand", "arms", "walk"})
        sideways, forward = (number - (count - 1) / 2) * rng.uniform(0.5, 0.75), rng.uniform(-0.25, 0.35) * (count > 1)
        x = place[0] + math.cos(heading) * sideways - math.sin(heading) * forward
        y = place[1] + math.sin(heading) * sideways + math.cos(heading) * forward
        turn, level = heading + rng.gauss(0, 0.35), scene.ground(x, y)
        if sits:
            chair = place_asset(stage, "chair")
            chair.location, chair.rotation_euler[2] = (x, y, level), turn - math.pi / 2
            level += 0.46 - body.facts["seat_m"] + 0.02
        body.made.location, body.made.rotation_euler[2] = (x, y, level), turn
        people.append(body)
    return people


def _key_light(stage: Stage, body: Person, strength: float) -> None:
    """A large soft light from one side of the camera, as windows and photographers give it."""
    if not strength or stage.chance(0.35):
        return
    turn, side = body.made.rotation_euler[2], stage.rng.choice((-1, 1))
    front = np.array([math.sin(turn), -math.cos(turn)])
    right = np.array([math.cos(turn), math.sin(turn)])
    x, y = np.array(body.made.location[:2]) + 1.6 * front + 1.5 * side * right
    z = body.made.location[2]
    area(
        (x, y, z + 2.2),
        (0.9, 0.9),
        strength,
        palette.kelvin(stage.rng.uniform(4500, 6500)),
        (*body.made.location[:2], z + 1.5),
    )


def _propose(rng: Random, people: list[Person], floor: tuple[float, float] | None) -> Proposal | None:
    body = rng.choice(people)
    turn = body.made.rotation_euler[2]
    frame = Matrix.Translation(body.made.location) @ Matrix.Rotation(turn, 4, "Z")
    face = frame @ Vector(body.facts["face"])
    away = rng.choice([rng.uniform(0.6, 1.0), rng.uniform(0.8, 1.5), rng.uniform(1.3, 2.5), rng.uniform(1.8, 3.2)])
    bearing = turn + rng.gauss(0, 0.55)
    place = face + away * Vector((math.sin(bearing), -math.cos(bearing), rng.gauss(0, 0.1)))
    if floor and not (0.12 < place.x < floor[0] - 0.12 and 0.12 < place.y < floor[1] - 0.12):
        return None
    # The head stands in the upper half, with room above it.
    half_m = rng.uniform(0.28, 0.55) if away < 1.6 else rng.uniform(0.5, 1.1)
    fov = min(max(math.degrees(2 * math.atan(half_m / away)), 30), 74)
    aspects, weights = zip(*ASPECTS, strict=True)
    aspect = rng.choices(aspects, weights)[0]
    upper = half_m * min(1.0, 1 / aspect)
    target = (
        face.x + rng.gauss(0, 0.15 * half_m),
        face.y + rng.gauss(0, 0.15 * half_m),
        face.z - upper * rng.uniform(0.1, 0.5),
    )
    focus = away if rng.random() < 0.8 else None
    return Proposal(
        tuple(place), target, fov, rng.gauss(0, 2.5), aspect, focus, rng.choice([0.9, 1.2, 1.8, 2.8, 5.6]),
        nearest_m=0.3, min_ratio=1.25, subject=tuple(face),
    )  # fmt: skip
