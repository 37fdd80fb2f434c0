"""Figure world: people and animals close to the camera."""

from __future__ import annotations

import math

import numpy as np

from midas.scenes.bodies import add_animal, add_person
from midas.scenes.camera import Camera, Vector
from midas.scenes.outdoors import GROUND_DRESSES, add_backdrop, add_daylight, add_ground
from midas.scenes.rooms import empty_room
from midas.scenes.scene import Scene


def portrait(rng: np.random.Generator) -> Scene:
    """One to four people or animals, framed as people frame them."""
    indoors = rng.random() < 0.35
    centre = (float(rng.uniform(-0.3, 0.3)), 0.0, 0.0)
    scene = empty_room(rng) if indoors else _open_air(rng)
    if scene.room is not None:
        width, depth, _ = scene.room[1]
        centre = (0.5 * width, float(rng.uniform(0.4, 0.65)) * depth, 0.0)
    animal = rng.random() < 0.4
    height_m = float(rng.choice([0.3, 0.55, 1.0, 1.3])) * float(rng.uniform(0.85, 1.15)) if animal else 1.65
    _frame(scene, rng, centre, height_m, animal)
    towards_deg = scene.camera.yaw_deg
    for number in range(int(rng.choice([1, 2, 3, 4], p=[0.5, 0.25, 0.15, 0.1]))):
        aside = (
            0.0
            if number == 0
            else float(rng.choice([-1, 1])) * float(rng.uniform(0.5, 0.8)) * height_m * (1 + number // 2)
        )
        away = 0.0 if number == 0 else float(rng.uniform(-0.2, 1.5)) * height_m
        foot = (centre[0] + aside, centre[1] + away, 0.0)
        turn_deg = float(rng.normal(0, 35)) if rng.random() < 0.8 else float(rng.uniform(-180, 180))
        if animal:
            add_animal(scene, rng, foot, turn_deg - towards_deg + float(rng.choice([-60, 60])), height_m)
        else:
            add_person(scene, rng, foot, turn_deg - towards_deg)
    return scene


def _frame(scene: Scene, rng: np.random.Generator, centre: Vector, height_m: float, animal: bool) -> None:
    """Point the camera: head and shoulders, half length or full length."""
    share = float(rng.choice([0.45, 0.75, 1.25], p=[0.35, 0.35, 0.3])) if not animal else float(rng.uniform(1.1, 2.0))
    fov_deg = float(rng.uniform(36, 62))
    distance_m = share * height_m / math.tan(math.radians(fov_deg) / 2) * float(rng.uniform(0.75, 1.05))
    if scene.room is not None:
        distance_m = min(distance_m, centre[1] - 0.15)
    aim = height_m * (0.75 if animal else 1 - 0.36 * min(share, 1.0)) + 0.05
    eye_z = max(0.25, aim + float(rng.normal(0.0, 0.12)) * height_m)
    aside = distance_m * float(rng.uniform(-0.25, 0.25))
    eye = (centre[0] + aside, centre[1] - distance_m, eye_z)
    target = (centre[0] + float(rng.normal(0, 0.12)) * height_m, centre[1], aim)
    scene.camera = Camera.looking_at(eye, target, float(rng.normal(0, 2)), fov_deg)


def _open_air(rng: np.random.Generator) -> Scene:
    scene = Scene(Camera())
    add_daylight(scene, rng)
    kind, pattern = GROUND_DRESSES[int(rng.integers(len(GROUND_DRESSES)))]
    add_ground(scene, rng, kind, pattern)
    add_backdrop(scene, rng, nearest_m=2.5)
    return scene
