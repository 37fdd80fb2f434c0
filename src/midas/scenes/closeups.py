"""Close-up world: flowers, leaves and fruit a hand's breadth from the lens, and what is far behind them."""

from __future__ import annotations

import math

import numpy as np

from midas.scenes.camera import Camera, Vector
from midas.scenes.furniture import add_leaves
from midas.scenes.outdoors import (
    GROUND_DRESSES,
    add_backdrop,
    add_daylight,
    add_ground,
    bark_material,
    leaf_material,
)
from midas.scenes.palette import draw_color, shade
from midas.scenes.scene import Material, Scene, add, along, any_frame, frame_along


def closeup(rng: np.random.Generator) -> Scene:
    """One to three subjects near the middle, their like farther away, and a garden behind."""
    away = float(rng.uniform(0.2, 0.7))
    eye_m = float(rng.uniform(0.25, 1.2))
    pitch_deg = float(rng.normal(-12, 14))
    scene = Scene(Camera((0, 0, eye_m), 0.0, pitch_deg, float(rng.normal(0, 5)), float(rng.uniform(25, 60))))
    add_daylight(scene, rng)
    kind, pattern = GROUND_DRESSES[int(rng.integers(len(GROUND_DRESSES)))]
    add_ground(scene, rng, kind, pattern)
    add_backdrop(scene, rng, nearest_m=2.5)
    _hedge(scene, rng)
    forward = (0.0, math.cos(math.radians(pitch_deg)), math.sin(math.radians(pitch_deg)))
    subject = (flower, flower, fruit, leaf_fan)[int(rng.integers(4))]
    half_view = away * math.tan(math.radians(scene.camera.fov_deg) / 2)
    for number in range(int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15])) + int(rng.integers(0, 9))):
        # The first is what the picture is of; the others are anywhere behind it, a few beside it.
        distance = away if number == 0 else away * 9 ** float(rng.random())
        off = 0.25 if number == 0 else 0.9
        reach = half_view * distance / away
        place = add((0.0, 0.0, eye_m), along(forward, distance))
        place = add(place, (float(rng.uniform(-off, off)) * reach, 0.0, float(rng.uniform(-off, off)) * 0.6 * reach))
        if place[2] > 0.05:
            subject(scene, rng, place, half_view * float(rng.uniform(0.25, 0.7)))
    return scene


def flower(scene: Scene, rng: np.random.Generator, place: Vector, radius: float) -> None:
    """Petals around a centre that looks anywhere but away, on a stem."""
    color = draw_color(rng, str(rng.choice(["vivid", "vivid", "white", "any"])))
    petal = Material(color, shade(color, float(rng.uniform(0.5, 0.9))), "rough", 0.5 * radius, gloss=0.1)
    heart = Material(draw_color(rng, "autumn"), draw_color(rng, "dark"), "grain", 0.3 * radius)
    looks = _unit((float(rng.normal(0, 0.7)), float(rng.uniform(-1, 0.2)), float(rng.uniform(-0.2, 1.0))))
    across, up, _ = frame_along((0.0, 0.0, 0.0), looks)[0]
    core = radius * float(rng.uniform(0.12, 0.35))
    count, cup = int(rng.integers(4, 17)), float(rng.uniform(-0.3, 0.8))
    width = radius * float(rng.uniform(0.6, 1.3)) * 2 / count + 0.08 * radius
    for number in range(count):
        angle = 2 * math.pi * (number + float(rng.normal(0, 0.1))) / count
        out = add(along(across, math.cos(angle)), along(up, math.sin(angle)))
        radial = _unit(add(out, along(looks, cup)))
        # The petal's flat side faces where the flower looks.
        side = _unit(_cross(radial, looks))
        # Petals begin under the heart, so that nothing shows between.
        length = (radius - 0.5 * core) / 2
        middle = add(place, along(radial, 0.5 * core + length))
        frame = (side, _cross(side, radial), radial)
        scene.solid("ellipsoid", middle, (width, 0.05 * radius, length), petal, frame)
    scene.solid("ellipsoid", place, (core, core, 0.6 * core), heart, (across, up, looks))
    stem = leaf_material(rng)
    foot = (place[0] + float(rng.normal(0, 0.1)), place[1] + float(rng.uniform(0, 0.1)), 0.0)
    scene.rod(foot, add(place, along(looks, -0.5 * core)), max(0.04 * radius, 0.0015), stem)
    if rng.random() < 0.5:
        tip = add(foot, along(add(place, along(foot, -1.0)), float(rng.uniform(0.4, 0.8))))
        _leaf(scene, rng, tip, 1.2 * radius, stem)


def fruit(scene: Scene, rng: np.random.Generator, place: Vector, radius: float) -> None:
    """Balls that hang from a twig with leaves."""
    color = draw_color(rng, "vivid")
    skin = Material(color, shade(color, 0.6), "clouded", radius, gloss=float(rng.uniform(0, 0.5)))
    bark, leaves = bark_material(rng), leaf_material(rng)
    start = add(place, (float(rng.choice([-1, 1])) * 5 * radius, float(rng.uniform(0, 2)) * radius, 2 * radius))
    scene.rod(start, add(place, (0.0, 0.0, 1.1 * radius)), 0.05 * radius, bark)
    for _ in range(int(rng.integers(1, 5))):
        x, y, z = (float(rng.normal(0, 1.2)) * radius for _ in range(3))
        ball = add(place, (x, y, min(z, 0.5 * radius)))
        size = radius * float(rng.uniform(0.4, 0.7))
        scene.ball(ball, size, skin)
        scene.rod(add(ball, (0, 0, 0.9 * size)), add(ball, (0, 0, 1.8 * size)), 0.03 * radius, bark)
        _leaf(scene, rng, add(ball, (0, 0, 1.8 * size)), 1.5 * radius, leaves)


def leaf_fan(scene: Scene, rng: np.random.Generator, place: Vector, radius: float) -> None:
    """A spray of leaves on one stalk."""
    leaves = leaf_material(rng)
    heading = _unit((float(rng.normal()), float(rng.normal(0, 0.4)), float(rng.uniform(0, 1))))
    start = add(place, along(heading, -2 * radius))
    scene.rod(start, add(place, along(heading, 2 * radius)), 0.03 * radius, leaves)
    for number in range(int(rng.integers(4, 11))):
        _leaf(scene, rng, add(start, along(heading, 0.4 * number * radius)), radius, leaves)


def _leaf(scene: Scene, rng: np.random.Generator, base: Vector, length: float, material: Material) -> None:
    """A flat leaf that points anywhere."""
    heading, aside, _ = any_frame(rng)
    u = along(aside, 0.8 * length)
    scene.quad(add(base, along(u, -0.5)), u, along(heading, length), material, cutout="leaf")


def _hedge(scene: Scene, rng: np.random.Generator) -> None:
    """Plants at arm's length and beyond, which fill what is behind."""
    for _ in range(int(rng.integers(0, 9))):
        y = float(rng.uniform(1.2, 5))
        add_leaves(
            scene, rng, (float(rng.uniform(-0.6, 0.6)) * y, y, 0.0), float(rng.uniform(0.5, 1.8)), leaf_material(rng)
        )


def _unit(vector: Vector) -> Vector:
    return along(vector, 1 / (math.sqrt(sum(part * part for part in vector)) or 1.0))


def _cross(first: Vector, second: Vector) -> Vector:
    return (
        first[1] * second[2] - first[2] * second[1],
        first[2] * second[0] - first[0] * second[2],
        first[0] * second[1] - first[1] * second[0],
    )
