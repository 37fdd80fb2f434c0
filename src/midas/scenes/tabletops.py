"""Tabletop world: small things on a table, close to the camera."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from midas.scenes.camera import Camera, Vector
from midas.scenes.furniture import Piece, add_leaves, draw_cloth, draw_wood
from midas.scenes.palette import draw_color, hsv, shade
from midas.scenes.scene import Light, Material, Scene, any_frame


def tabletop(rng: np.random.Generator) -> Scene:
    """A table with a handful of things on it, before a wall or a dim room."""
    height_m, distance_m = float(rng.uniform(0.18, 0.7)), float(rng.uniform(0.35, 0.9))
    target = (float(rng.uniform(-0.1, 0.1)), float(rng.uniform(-0.05, 0.15)), float(rng.uniform(0.0, 0.12)))
    eye = (float(rng.uniform(-0.3, 0.3)), -distance_m, height_m)
    camera = Camera.looking_at(eye, target, float(rng.normal(0, 3)), float(rng.uniform(38, 70)))
    scene = Scene(camera)
    _light(scene, rng)
    half_x, half_y = float(rng.uniform(0.45, 0.9)), float(rng.uniform(0.35, 0.6))
    top = _table_material(rng)
    scene.quad((-half_x, -1.2, 0), (2 * half_x, 0, 0), (0, 1.2 + half_y, 0), top, ground=True)
    scene.box((0, half_y / 2 - 0.6, -0.025), (2 * half_x, half_y + 1.19, 0.049), top, casts=False)
    _add_background(scene, rng)
    taken: list[Vector] = []
    names = list(THINGS)
    for _ in range(int(rng.integers(4, 13))):
        name = str(rng.choice(names))
        make, radius = THINGS[name]
        x, y = float(rng.uniform(-0.8, 0.8)) * half_x, float(rng.uniform(-0.22, 0.9 * half_y))
        if all(math.hypot(x - other_x, y - other_y) > radius + r for other_x, other_y, r in taken):
            taken.append((x, y, radius))
            make(Piece(scene, (x, y, 0.0), float(rng.uniform(-180, 180))), rng)
    return scene


def _light(scene: Scene, rng: np.random.Generator) -> None:
    around, rise = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.5, 1.6))
    strength, warm = float(rng.uniform(0.5, 1.8)), float(rng.uniform(0.6, 1.0))
    color = (strength, strength * (0.5 + warm / 2), strength * warm)
    scene.lights.append(Light((math.cos(around), math.sin(around), rise), color))
    share = float(rng.uniform(0.25, 0.7))
    scene.ambient = (share, share, share * float(rng.uniform(0.85, 1.1)))


def _table_material(rng: np.random.Generator) -> Material:
    if rng.random() < 0.55:
        return replace(draw_wood(rng), pattern=str(rng.choice(["wood", "planks"])), tile_m=float(rng.uniform(0.4, 1.2)))
    color = draw_color(rng, str(rng.choice(["white", "stone", "cloth", "dark"])))
    pattern = str(rng.choice(["plain", "marble", "weave", "plaid", "checker", "tiles"]))
    gloss = float(rng.uniform(0, 0.3))
    return Material(color, shade(color, 0.5), pattern, float(rng.uniform(0.15, 0.7)), gloss)


def _add_background(scene: Scene, rng: np.random.Generator) -> None:
    """A wall at some distance, a floor, and dim large things before it."""
    far, floor = float(rng.choice([0.8, 1.5, 3.0, 5.0])) * float(rng.uniform(0.9, 1.3)), -0.75
    color = draw_color(rng, "wall" if rng.random() < 0.7 else "cloth")
    pattern = str(rng.choice(["plain", "clouded", "tiles", "stripes", "bricks"]))
    wall = Material(color, shade(color, float(rng.uniform(0.5, 0.9))), pattern, 1.2)
    scene.quad((-12, far, floor), (24, 0, 0), (0, 0, 6), wall)
    ground = draw_color(rng, "wood")
    scene.quad((-12, -6, floor), (24, 0, 0), (0, far + 6, 0), Material(ground, shade(ground, 0.5), "planks", 1.2))
    for x in (-12.0, 12.0):
        scene.quad((x, far if x < 0 else -6, floor), (0, -math.copysign(far + 6, -x), 0), (0, 0, 6), wall)
    if far < 1.4:
        return
    for _ in range(int(rng.integers(0, 6))):
        x, y = float(rng.uniform(-2.5, 2.5)), far - float(rng.uniform(0.2, 0.4 * far))
        height = float(rng.uniform(0.4, 2.0))
        scene.box((x, y, floor + height / 2), (float(rng.uniform(0.3, 1.2)), 0.4, height), draw_cloth(rng), casts=False)


def _glazed(rng: np.random.Generator) -> Material:
    color = draw_color(rng, str(rng.choice(["white", "vivid", "any", "dark"])))
    pattern = str(rng.choice(["plain", "plain", "stripes", "spots", "clouded"]))
    return Material(
        color, shade(color, 0.7) if rng.random() < 0.6 else draw_color(rng, "any"), pattern, 0.15, gloss=0.7
    )


def mug(piece: Piece, rng: np.random.Generator) -> None:
    """A mug with what is in it, and its handle."""
    glaze, radius, height = _glazed(rng), float(rng.uniform(0.035, 0.048)), float(rng.uniform(0.07, 0.11))
    piece.rod((0, 0, 0), (0, 0, height), radius, glaze)
    drink = hsv(float(rng.uniform(0.03, 0.12)), 0.7, float(rng.uniform(0.1, 0.6)))
    piece.rod((0, 0, height - 0.002), (0, 0, height + 0.0005), 0.88 * radius, Material(drink, drink, gloss=0.5))
    out = radius + 0.028
    joints = ((radius - 0.005, 0.8), (out, 0.72), (out, 0.35), (radius - 0.005, 0.25))
    for (x, low), (next_x, high) in pairwise(joints):
        piece.limb((x, 0, low * height), (next_x, 0, high * height), 0.006, glaze)


def bottle(piece: Piece, rng: np.random.Generator) -> None:
    """A bottle or a jar with a label."""
    color = draw_color(rng, str(rng.choice(["glass", "leaf", "vivid", "white"])))
    glass, label = Material(color, shade(color, 0.7), gloss=0.8), draw_cloth(rng)
    radius, height = float(rng.uniform(0.028, 0.045)), float(rng.uniform(0.12, 0.24))
    piece.rod((0, 0, 0), (0, 0, 0.65 * height), radius, glass)
    piece.rod((0, 0, 0.18 * height), (0, 0, 0.5 * height), 1.01 * radius, label)
    piece.lump((0, 0, 0.65 * height), (radius, radius, 1.1 * radius), glass)
    piece.rod((0, 0, 0.65 * height), (0, 0, height), 0.36 * radius, glass)
    piece.rod((0, 0, height), (0, 0, height + 0.02), 0.42 * radius, Material(draw_color(rng, "any"), color))


def plate(piece: Piece, rng: np.random.Generator) -> None:
    """A plate with some food."""
    radius, china = float(rng.uniform(0.08, 0.14)), _glazed(rng)
    piece.rod((0, 0, 0), (0, 0, 0.008), 0.6 * radius, china)
    piece.rod((0, 0, 0.008), (0, 0, 0.018), radius, china)
    piece.rod((0, 0, 0.018), (0, 0, 0.019), 0.75 * radius, replace(china, first=shade(china.first, 0.85)))
    for _ in range(int(rng.integers(0, 6))):
        food, size = (
            draw_color(rng, str(rng.choice(["autumn", "leaf", "wood", "vivid"]))),
            float(rng.uniform(0.01, 0.032)),
        )
        x, y = (float(value) for value in rng.uniform(-0.45, 0.45, 2) * radius)
        piece.lump(
            (x, y, 0.019 + 0.5 * size), (size, 1.3 * size, 0.8 * size), Material(food, shade(food, 0.6), "rough", 0.1)
        )


def fruit(piece: Piece, rng: np.random.Generator) -> None:
    """An apple, an orange, a pear, a ball."""
    color, radius = (
        draw_color(rng, str(rng.choice(["autumn", "vivid", "leaf", "brick"]))),
        float(rng.uniform(0.025, 0.05)),
    )
    peel = Material(color, shade(color, 0.7), str(rng.choice(["clouded", "spots", "plain"])), 0.15, gloss=0.4)
    tall = radius * float(rng.uniform(0.9, 1.3))
    piece.lump((0, 0, tall), (radius, radius, tall), peel)
    if rng.random() < 0.6:
        piece.rod(
            (0, 0, 2 * tall - 0.004), (0.005, 0, 2 * tall + 0.015), 0.002, Material((0.05, 0.03, 0.02), (0.0, 0.0, 0.0))
        )


def books(piece: Piece, rng: np.random.Generator) -> None:
    """A pile of books, each turned a little."""
    level = 0.0
    for _ in range(int(rng.integers(1, 5))):
        thick, turn = float(rng.uniform(0.01, 0.035)), piece.turn_deg + float(rng.normal(0, 9))
        book = Piece(piece.scene, (piece.origin[0], piece.origin[1], level), turn)
        cover = Material(
            draw_color(rng, "any"), draw_color(rng, "any"), str(rng.choice(["painting", "plain", "stripes"])), 0.2
        )
        book.box(
            (-0.07, -0.1, 0.002),
            (0.066, 0.096, thick - 0.002),
            Material((0.75, 0.72, 0.65), (0.5, 0.5, 0.45), "stripes", 0.02),
        )
        for low in (0.0, thick - 0.002):
            book.box((-0.072, -0.1, low), (0.07, 0.1, low + 0.002), cover)
        book.box((-0.074, -0.1, 0), (-0.07, 0.1, thick), cover)
        level += thick


def carton(piece: Piece, rng: np.random.Generator) -> None:
    """A box: a packet, a toy brick, a case."""
    x, y, z = (float(value) for value in rng.uniform(0.025, 0.075, 3))
    pattern = str(rng.choice(["plain", "painting", "painting3", "stripes", "checker"]))
    print_ = Material(
        draw_color(rng, "any"), draw_color(rng, "any"), pattern, 0.0 if "painting" in pattern else 0.1, 0.15
    )
    piece.box((-x, -y, 0), (x, y, 2.2 * z), print_)


def bowl(piece: Piece, rng: np.random.Generator) -> None:
    """A bowl full of round things."""
    china, radius = _glazed(rng), float(rng.uniform(0.06, 0.1))
    piece.lump((0, 0, 0.55 * radius), (radius, radius, 0.55 * radius), china)
    color = draw_color(rng, "vivid")
    for _ in range(int(rng.integers(5, 9))):
        around, out = float(rng.uniform(0, 2 * math.pi)), radius * float(rng.uniform(0.1, 0.6))
        size = radius * float(rng.uniform(0.22, 0.36))
        place = (out * math.cos(around), out * math.sin(around), radius * 1.05)
        piece.ball(place, size, Material(color, shade(color, 0.6), "clouded", 0.1, gloss=0.3))


def vase(piece: Piece, rng: np.random.Generator) -> None:
    """A vase or a pot with leaves."""
    glaze, height = _glazed(rng), float(rng.uniform(0.08, 0.16))
    piece.lump((0, 0, 0.45 * height), (0.4 * height, 0.4 * height, 0.5 * height), glaze)
    piece.rod((0, 0, 0.6 * height), (0, 0, height), 0.22 * height, glaze)
    color = draw_color(rng, "leaf")
    green = Material(color, shade(color, 0.5), "blades", 0.1)
    foot = (piece.origin[0], piece.origin[1], 0.9 * height)
    add_leaves(piece.scene, rng, foot, float(rng.uniform(0.1, 0.25)), green)


def pen(piece: Piece, rng: np.random.Generator) -> None:
    """A pen, a spoon, a knife: something long and thin that lies there."""
    color, length = draw_color(rng, str(rng.choice(["metal", "vivid", "wood"]))), float(rng.uniform(0.06, 0.1))
    material = Material(color, shade(color, 0.7), gloss=0.6)
    piece.rod((-length, 0, 0.006), (length, 0, 0.006), 0.005, material)
    if rng.random() < 0.5:
        piece.lump((length + 0.015, 0, 0.008), (0.028, 0.018, 0.008), material)


def block(piece: Piece, rng: np.random.Generator) -> None:
    """A ball, a cone or a lump, as toys are."""
    color, size = draw_color(rng, "vivid"), float(rng.uniform(0.03, 0.07))
    material = Material(color, shade(color, 0.8), str(rng.choice(["plain", "wood", "spots"])), 0.1, gloss=0.3)
    if rng.random() < 0.4:
        piece.rod((0, 0, 0), (0, 0, 2 * size), size, material, "cone")
    elif rng.random() < 0.5:
        piece.ball((0, 0, size), size, material)
    else:
        x, y, _ = piece.origin
        piece.scene.solid(
            "ellipsoid", (x, y, 0.7 * size), (size, 0.7 * size, 0.8 * size), material, any_frame(rng), 0.1
        )


# Each thing with the radius of the place that it takes, metres.
THINGS: dict[str, tuple[Callable[[Piece, np.random.Generator], None], float]] = {
    "mug": (mug, 0.06),
    "bottle": (bottle, 0.045),
    "plate": (plate, 0.12),
    "fruit": (fruit, 0.045),
    "books": (books, 0.12),
    "carton": (carton, 0.08),
    "bowl": (bowl, 0.09),
    "vase": (vase, 0.08),
    "pen": (pen, 0.08),
    "block": (block, 0.06),
}
