"""Outdoors: daylight, sky, trees and rocks, which several worlds share."""

from __future__ import annotations

import math

import numpy as np

from midas.scenes.camera import Vector
from midas.scenes.palette import draw_color, hsv, shade
from midas.scenes.scene import Light, Material, Scene, Sky, any_frame

GROUND_M = 3000.0
# What flat ground may be: colour and pattern.
GROUND_DRESSES = (
    ("grass", "blades"),
    ("grass", "rough"),
    ("earth", "grain"),
    ("sand", "clouded"),
    ("stone", "tiles"),
    ("asphalt", "grain"),
    ("autumn", "cells"),
    ("snow", "clouded"),
)


def add_daylight(scene: Scene, rng: np.random.Generator) -> None:
    """Sun, sky and haze of some hour and weather."""
    overcast = rng.random() < 0.3
    low_sun = rng.random() < 0.25
    rise_deg, around = rng.uniform(8, 20) if low_sun else rng.uniform(25, 70), rng.uniform(0, 2 * math.pi)
    level = math.cos(math.radians(rise_deg))
    towards = (level * math.cos(around), level * math.sin(around), math.sin(math.radians(rise_deg)))
    warmth = 0.45 if low_sun else 0.12
    strength = float(rng.uniform(0.15, 0.4) if overcast else rng.uniform(1.0, 2.0))
    scene.lights.append(Light(towards, (strength, strength * (1 - warmth / 2), strength * (1 - warmth))))
    if overcast:
        grey = hsv(0.6, float(rng.uniform(0, 0.08)), float(rng.uniform(0.75, 0.98)))
        scene.sky = Sky(shade(grey, 0.75), grey, shade(grey, 0.9), float(rng.uniform(0.5, 0.9)))
        scene.ambient = (0.8, 0.82, 0.85)
    else:
        blue = hsv(float(rng.uniform(0.55, 0.62)), float(rng.uniform(0.4, 0.8)), float(rng.uniform(0.6, 0.95)))
        pale = hsv(float(rng.uniform(0.04, 0.12)) if low_sun else 0.57, float(rng.uniform(0.05, 0.3)), 0.98)
        scene.sky = Sky(blue, pale, hsv(0.08 if low_sun else 0.6, 0.06, 1.0), float(rng.uniform(0.0, 0.75)))
        scene.ambient = (0.38, 0.43, 0.52)
    clear_m = float(10 ** rng.uniform(2.3, 4.0))
    scene.haze_m = clear_m


def add_ground(scene: Scene, rng: np.random.Generator, kind: str, pattern: str) -> Material:
    """Flat ground to the horizon. Gives its material."""
    color = draw_color(rng, kind)
    material = Material(color, shade(color, float(rng.uniform(0.4, 0.75))), pattern, float(rng.uniform(1.5, 4)))
    side = GROUND_M
    scene.quad((-side, -side, scene.floor_m), (2 * side, 0, 0), (0, 2 * side, 0), material, ground=True)
    return material


def leaf_material(rng: np.random.Generator) -> Material:
    """Leaves of some kind and season."""
    color = draw_color(rng, "autumn" if rng.random() < 0.12 else "leaf")
    return Material(color, shade(color, float(rng.uniform(0.2, 0.5))), "rough", float(rng.uniform(0.8, 2.0)))


def bark_material(rng: np.random.Generator) -> Material:
    """Bark."""
    color = draw_color(rng, "earth")
    return Material(shade(color, 0.6), shade(color, 0.25), "blades", 0.7)


def add_tree(scene: Scene, rng: np.random.Generator, foot: Vector, height_m: float, leaves: Material) -> None:
    """A conifer or a broad-leaved tree."""
    x, y, z = foot
    trunk = bark_material(rng)
    if rng.random() < 0.35:
        scene.rod(foot, (x, y, z + 0.3 * height_m), 0.03 * height_m, trunk)
        width = float(rng.uniform(0.16, 0.26)) * height_m
        for tier in range(4):
            low, share = z + height_m * (0.15 + 0.2 * tier), 1 - 0.22 * tier
            scene.rod((x, y, low), (x, y, low + 0.34 * height_m), width * share, leaves, "cone")
        return
    fork = z + height_m * float(rng.uniform(0.25, 0.5))
    scene.rod(foot, (x, y, fork + 0.15 * height_m), height_m * float(rng.uniform(0.011, 0.026)), trunk)
    spread = height_m * float(rng.uniform(0.18, 0.3))
    for _ in range(int(rng.integers(3, 7))):
        around, out = float(rng.uniform(0, 2 * math.pi)), spread * float(rng.uniform(0.2, 0.8))
        middle = float(rng.uniform(fork + 0.12 * height_m, z + 0.85 * height_m))
        radius = spread * float(rng.uniform(0.6, 1.0))
        centre = (x + out * math.cos(around), y + out * math.sin(around), middle)
        scene.solid("ellipsoid", centre, (radius, radius, 0.8 * radius), leaves, ragged=float(rng.uniform(0.5, 1.0)))


def add_bush(scene: Scene, rng: np.random.Generator, foot: Vector, height_m: float, leaves: Material) -> None:
    """Two or three round heaps of leaves."""
    for _ in range(int(rng.integers(1, 4))):
        x, y = (float(rng.normal(at, 0.5 * height_m)) for at in foot[:2])
        radius = height_m * float(rng.uniform(0.5, 0.9))
        scene.solid("ellipsoid", (x, y, foot[2] + 0.3 * height_m), (radius, radius, 0.7 * height_m), leaves, ragged=0.6)


def add_rock(scene: Scene, rng: np.random.Generator, foot: Vector, size_m: float, stone: Material) -> None:
    """A boulder that is partly in the ground."""
    a, b, c = (size_m * float(rng.uniform(0.5, 1.0)) for _ in range(3))
    scene.solid("ellipsoid", (foot[0], foot[1], foot[2] + 0.1 * size_m), (a, b, c), stone, any_frame(rng), 0.15)


def add_backdrop(scene: Scene, rng: np.random.Generator, nearest_m: float) -> None:
    """What is behind the subject: a wall, or trees, bushes and houses at many distances."""
    if rng.random() < 0.25:
        color = draw_color(rng, str(rng.choice(["wall", "brick", "stone"])))
        wall = Material(color, shade(color, 0.55), str(rng.choice(["bricks", "blocks", "clouded", "planks"])), 1.5)
        height, away = float(rng.uniform(1.2, 5)), nearest_m * float(rng.uniform(1, 3))
        scene.box((0, away + 0.2, height / 2), (60, 0.4, height), wall, float(rng.normal(0, 6)))
    leaves = [leaf_material(rng) for _ in range(3)]
    for _ in range(int(rng.integers(4, 16))):
        away = nearest_m * 25 ** float(rng.random())
        foot = (float(rng.uniform(-0.8, 0.8)) * away, away, scene.floor_m)
        material = leaves[int(rng.integers(3))]
        if rng.random() < 0.6 and away > 5:
            add_tree(scene, rng, foot, float(rng.uniform(3, 12)), material)
        elif rng.random() < 0.75:
            add_bush(scene, rng, foot, float(rng.uniform(0.4, 1.3)), material)
        elif away > 12:
            _add_house(scene, rng, foot)


def _add_house(scene: Scene, rng: np.random.Generator, foot: Vector) -> None:
    width, depth, height = (float(rng.uniform(low, high)) for low, high in ((6, 14), (6, 10), (3, 9)))
    wall = Material(draw_color(rng, "wall"), draw_color(rng, "glass"), "facade", 6.0)
    turn_deg = float(rng.uniform(-40, 40))
    scene.box((foot[0], foot[1] + depth, height / 2), (width, depth, height), wall, turn_deg)
    color = draw_color(rng, "brick")
    roof = (foot[0], foot[1] + depth, height + 0.25)
    scene.box(roof, (width + 0.8, depth + 0.8, 0.5), Material(color, shade(color, 0.6), "bricks", 2.5), turn_deg)
