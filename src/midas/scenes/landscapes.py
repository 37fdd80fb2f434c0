"""Terrain world: hills, mountains, valleys, water, haze that grows with distance."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from midas.arrays import Array
from midas.scenes.bodies import add_animal, add_person
from midas.scenes.camera import Camera
from midas.scenes.outdoors import add_bush, add_daylight, add_rock, add_tree, leaf_material
from midas.scenes.palette import draw_color, shade
from midas.scenes.scene import Material, Scene
from midas.scenes.terrain import CELLS, MAPS, Terrain


def landscape(rng: np.random.Generator) -> Scene:
    """Open country from eye height or from a hill."""
    terrain = _hills(rng)
    x, y = 0.0, 0.0
    eye = float(rng.choice([1.6, 2.5, 6.0, 20.0], p=[0.5, 0.2, 0.2, 0.1])) * float(rng.uniform(0.8, 1.3))
    ground = float(terrain.heights(np.array([x]), np.array([y]))[0])
    water_m = terrain.base_m + terrain.relief_m * float(rng.uniform(0.15, 0.45)) if rng.random() < 0.4 else -math.inf
    pitch_deg = float(rng.normal(-1 if eye < 4 else -6, 4))
    camera = Camera(
        (x, y, max(ground, water_m) + eye),
        float(rng.uniform(-180, 180)),
        pitch_deg,
        float(rng.normal(0, 1.5)),
        float(rng.uniform(40, 85)),
    )
    scene = Scene(camera, terrain=terrain, floor_m=water_m if math.isfinite(water_m) else -1e3)
    add_daylight(scene, rng)
    scene.haze_m = float(10 ** rng.uniform(2.8, 4.0))
    if math.isfinite(water_m):
        color = draw_color(rng, "water")
        water = Material(color, shade(color, 1.6), "blades", float(rng.uniform(4, 14)), gloss=0.5)
        scene.quad((-9e3, -9e3, water_m), (18e3, 0, 0), (0, 18e3, 0), water)
    _add_plants_and_rocks(scene, rng, terrain, water_m)
    if rng.random() < 0.4:
        _add_bodies(scene, rng, terrain, water_m)
    return scene


def ground_material(rng: np.random.Generator) -> Material:
    """What hills are covered with."""
    kind, other = (
        ("grass", "leaf"),
        ("grass", "earth"),
        ("earth", "grass"),
        ("sand", "earth"),
        ("stone", "grass"),
        ("snow", "stone"),
        ("autumn", "earth"),
    )[int(rng.choice(7, p=[0.3, 0.2, 0.12, 0.1, 0.12, 0.1, 0.06]))]
    pattern = str(rng.choice(["rough", "clouded", "blades", "grain"], p=[0.4, 0.2, 0.25, 0.15]))
    return Material(draw_color(rng, kind), shade(draw_color(rng, other), 0.7), pattern, float(rng.uniform(3, 9)))


def _hills(rng: np.random.Generator) -> Terrain:
    cell_m = float(rng.uniform(1.0, 5.0))
    steep = float(rng.choice([0.03, 0.08, 0.16, 0.26], p=[0.2, 0.35, 0.3, 0.15])) * float(rng.uniform(0.8, 1.2))
    offset = (float(rng.uniform(0, CELLS)), float(rng.uniform(0, CELLS)))
    return Terrain(int(rng.integers(MAPS)), cell_m, steep * cell_m * CELLS, float(rng.uniform(1.0, 1.9)), offset, 0.0)


def _add_plants_and_rocks(scene: Scene, rng: np.random.Generator, terrain: Terrain, water_m: float) -> None:
    count = int(rng.integers(1, 36))
    distance = 4 * (80 ** rng.random(count))
    x, y, z = _places(scene, rng, terrain, distance)
    leaves = [leaf_material(rng) for _ in range(3)]
    color = draw_color(rng, "stone")
    stone = Material(color, shade(color, 0.5), "rough", 1.5)
    kinds = rng.dirichlet([1.5, 1.0, 1.0])
    for place in np.flatnonzero(z > water_m + 0.1):
        foot = (float(x[place]), float(y[place]), float(z[place]) - 0.05)
        kind, material = int(rng.choice(3, p=kinds)), leaves[int(rng.integers(3))]
        if kind == 0 and distance[place] > 7:
            add_tree(scene, rng, foot, float(rng.uniform(4, 13)), replace(material, tile_m=2 * material.tile_m))
        elif kind == 1:
            add_bush(scene, rng, foot, float(rng.uniform(0.4, 1.5)), material)
        else:
            add_rock(scene, rng, foot, float(rng.uniform(0.2, 1.4)), stone)


def _add_bodies(scene: Scene, rng: np.random.Generator, terrain: Terrain, water_m: float) -> None:
    """A group of people, or a herd of one kind of animal."""
    animals, height_m = rng.random() < 0.5, float(rng.uniform(0.4, 1.4))
    distance = rng.uniform(3, 9) * rng.uniform(0.9, 1.8, int(rng.integers(1, 5)))
    for x, y, z in np.stack(_places(scene, rng, terrain, distance), axis=-1).tolist():
        turn_deg = float(rng.uniform(-180, 180))
        if z < water_m:
            continue
        if animals:
            add_animal(scene, rng, (x, y, z), turn_deg, height_m)
        else:
            add_person(scene, rng, (x, y, z), turn_deg)


def _places(scene: Scene, rng: np.random.Generator, terrain: Terrain, distance: Array) -> tuple[Array, Array, Array]:
    """Places on the ground within the view, so many metres away: x, y, z."""
    half = math.radians(scene.camera.fov_deg / 2 + 4)
    bearing = math.radians(scene.camera.yaw_deg) + rng.uniform(-half, half, len(distance))
    x, y = distance * np.sin(bearing), distance * np.cos(bearing)
    return x, y, terrain.heights(x, y).astype(np.float64)
