"""Thin world: fences, branches, wires, grilles, leaves and grass before something farther away."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from midas.scenes.camera import Camera
from midas.scenes.furniture import add_leaves, draw_wood
from midas.scenes.outdoors import (
    GROUND_DRESSES,
    add_backdrop,
    add_daylight,
    add_ground,
    bark_material,
    leaf_material,
)
from midas.scenes.palette import draw_color, shade
from midas.scenes.scene import Material, Scene, add, along


def thicket(rng: np.random.Generator) -> Scene:
    """One or two kinds of thin things, half a metre to some metres away."""
    eye_m = float(rng.uniform(0.5, 1.8))
    camera = Camera((0, 0, eye_m), 0.0, float(rng.normal(0, 6)), float(rng.normal(0, 3)), float(rng.uniform(40, 80)))
    scene = Scene(camera)
    add_daylight(scene, rng)
    kind, pattern = GROUND_DRESSES[int(rng.integers(len(GROUND_DRESSES)))]
    add_ground(scene, rng, kind, pattern)
    add_backdrop(scene, rng, nearest_m=4.0)
    for number in rng.choice(len(THIN), int(rng.integers(1, 3)), replace=False).tolist():
        THIN[number](scene, rng)
    return scene


def fence(scene: Scene, rng: np.random.Generator) -> None:
    """Panels of one shape in a row that runs across or away, with posts."""
    shape = str(rng.choice(["pickets", "railing", "chain_link", "lattice"]))
    height = float(rng.uniform(0.8, 1.6)) * (1.3 if shape == "chain_link" else 1.0)
    near, turn = float(rng.uniform(0.8, 4)), math.radians(float(rng.uniform(-60, 60)))
    step = (height * math.cos(turn), height * math.sin(turn), 0.0)
    wood = draw_wood(rng)
    metal = Material(draw_color(rng, "metal"), draw_color(rng, "metal"), "clouded", 0.5)
    material = metal if shape in {"railing", "chain_link"} else wood
    for number in range(-7, 8):
        corner = add((0.0, near, 0.0), along(step, number))
        if corner[1] > 0.4 and corner[1] + step[1] > 0.4:
            scene.quad(corner, step, (0, 0, height), material, cutout=shape)
            scene.rod(corner, add(corner, (0, 0, 1.05 * height)), 0.035, material)


def bars(scene: Scene, rng: np.random.Generator) -> None:
    """A grille of rods close to the camera."""
    metal = Material(draw_color(rng, "metal"), draw_color(rng, "dark"), "clouded", 0.3, gloss=0.4)
    away, gap, radius = float(rng.uniform(0.5, 1.5)), float(rng.uniform(0.1, 0.25)), float(rng.uniform(0.006, 0.018))
    lean = float(rng.uniform(-0.4, 0.4))
    for number in range(-9, 10):
        x, y = number * gap, away + lean * number * gap
        if y > 0.25:
            scene.rod((x, y, 0.0), (x, y, 3.0), radius, metal)
    for height in np.arange(0.1, 3.0, gap * float(rng.choice([1, 3, 5]))).tolist():
        reach = min(9 * gap, (away - 0.25) / max(abs(lean), 1e-3))
        scene.rod((-reach, away - lean * reach, height), (reach, away + lean * reach, height), radius, metal)


def branches(scene: Scene, rng: np.random.Generator) -> None:
    """Branching limbs that come in from one side, with leaves or bare."""
    bark, leaves, leafy = bark_material(rng), leaf_material(rng), rng.random() < 0.65
    eye = scene.camera.position[2]

    def grow(
        start: tuple[float, float, float], heading: tuple[float, float, float], length: float, radius: float
    ) -> None:
        end = add(start, along(heading, length))
        if end[1] < 0.35:
            return
        scene.rod(start, end, radius, bark)
        if radius < 0.006:
            if leafy:
                shape, side = str(rng.choice(["leaf", "twig", "twig2"])), length * float(rng.uniform(0.6, 1.2))
                tilt = along((float(rng.normal()), float(rng.normal()), float(rng.normal())), 0.35 * side)
                scene.quad(add(end, along(tilt, -0.5)), tilt, along(heading, side), leaves, cutout=shape)
            return
        for _ in range(int(rng.integers(2, 4))):
            bent = add(heading, along((float(rng.normal()), float(rng.normal()), float(rng.normal())), 0.42))
            unit = along(bent, 1 / math.sqrt(sum(part * part for part in bent)))
            grow(end, unit, length * float(rng.uniform(0.6, 0.9)), radius * 0.6)

    for _ in range(int(rng.integers(1, 3))):
        side = float(rng.choice([-1, 1]))
        start = (side * float(rng.uniform(0.8, 1.4)), float(rng.uniform(1.0, 2.5)), eye + float(rng.uniform(-0.6, 0.8)))
        grow(start, (-0.86 * side, float(rng.uniform(-0.2, 0.2)), 0.45), float(rng.uniform(0.35, 0.6)), 0.03)


def wires(scene: Scene, rng: np.random.Generator) -> None:
    """Sagging wires between posts."""
    dark, wood = Material((0.01, 0.01, 0.012), (0.02, 0.02, 0.02)), draw_wood(rng)
    height, gap = float(rng.uniform(1.8, 5)), float(rng.uniform(6, 14))
    turn, near = math.radians(float(rng.uniform(-40, 80))), float(rng.uniform(3, 8))
    posts = [
        (number * gap * math.cos(turn), near + (number + 1) * gap * math.sin(turn), 0.0) for number in range(-1, 4)
    ]
    posts = [post for post in posts if post[1] > 1]
    for post in posts:
        scene.rod(post, add(post, (0, 0, height + 0.3)), 0.09, wood)
    for start, end in pairwise(posts):
        for wire in range(3):
            level, sag = height - 0.35 * wire, gap * 0.02
            points = [
                (start[0] + (end[0] - start[0]) * s, start[1] + (end[1] - start[1]) * s, level - sag * 4 * s * (1 - s))
                for s in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
            ]
            for first, second in pairwise(points):
                scene.rod(first, second, max(0.012, 0.003 * min(first[1], second[1])), dark)


def plants(scene: Scene, rng: np.random.Generator) -> None:
    """Leafy plants and ferns near the camera."""
    for _ in range(int(rng.integers(2, 7))):
        y = float(rng.uniform(0.7, 3))
        foot = (float(rng.uniform(-0.6, 0.6)) * y, y, 0.0)
        add_leaves(scene, rng, foot, float(rng.uniform(0.5, 1.4)), leaf_material(rng))


def grasses(scene: Scene, rng: np.random.Generator) -> None:
    """A meadow of tufts."""
    leaves = [leaf_material(rng) for _ in range(2)]
    for _ in range(int(rng.integers(20, 60))):
        y = 0.6 * 14 ** float(rng.random())
        foot = (float(rng.uniform(-0.8, 0.8)) * y, y, 0.0)
        side, turn = float(rng.uniform(0.25, 0.8)), float(rng.uniform(-0.8, 0.8))
        u = (side * math.cos(turn), side * math.sin(turn), 0.0)
        shape = str(rng.choice(["tuft", "tuft2"]))
        scene.quad(add(foot, along(u, -0.5)), u, (0, 0, side), leaves[int(rng.integers(2))], cutout=shape)


def twigs(scene: Scene, rng: np.random.Generator) -> None:
    """Flat crowns of twigs, bare or leafy, some way off."""
    bark = bark_material(rng)
    for _ in range(int(rng.integers(2, 6))):
        y, side = float(rng.uniform(2, 9)), float(rng.uniform(1.2, 4))
        x, turn = float(rng.uniform(-0.5, 0.5)) * y, float(rng.uniform(-0.6, 0.6))
        u = (side * math.cos(turn), side * math.sin(turn), 0.0)
        shape = str(rng.choice(["branch", "branch2", "branch3", "twig"]))
        corner = (x - u[0] / 2, y - u[1] / 2, 0.0)
        scene.quad(corner, u, (0, 0, side), Material(shade(bark.first, 0.8), bark.second, "rough", 0.5), cutout=shape)


THIN: tuple[Callable[[Scene, np.random.Generator], None], ...] = (
    fence,
    bars,
    branches,
    wires,
    plants,
    grasses,
    twigs,
)
