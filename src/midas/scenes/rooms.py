"""Room world: a box with doors, windows and pictures, and furniture in it."""

from __future__ import annotations

import numpy as np

from midas.scenes.bodies import add_person
from midas.scenes.camera import Camera, Vector
from midas.scenes.furniture import AGAINST_WALL, PIECES, Piece, draw_cloth, draw_wood
from midas.scenes.palette import draw_color, shade
from midas.scenes.scene import Light, Material, Scene, add, along

# Inward faces of a unit room: corner, edges along and up, in shares of its sides.
_WALLS: tuple[tuple[Vector, Vector], ...] = (
    ((0, 1, 0), (1, 0, 0)),
    ((1, 1, 0), (0, -1, 0)),
    ((0, 0, 0), (0, 1, 0)),
    ((1, 0, 0), (-1, 0, 0)),
)
# How far a piece of furniture that stands at each of the walls is turned to face the room.
_TURNS_DEG = (0.0, -90.0, 90.0, 180.0)


def room(rng: np.random.Generator) -> Scene:
    """A furnished room, seen from one of its ends."""
    scene = empty_room(rng)
    if scene.room is None:
        return scene
    width, depth, _ = scene.room[1]
    taken: list[Vector] = [(*scene.camera.position[:2], 0.9)]
    for wall, (corner, step) in enumerate(_WALLS[:3]):
        start = (corner[0] * width, corner[1] * depth, 0.0)
        edge = (step[0] * width, step[1] * depth, 0.0)
        for _ in range(int(rng.integers(1, 4))):
            kind = str(rng.choice(AGAINST_WALL))
            piece_depth = PIECES[kind][1] / 2 + 0.05
            place = add(start, along(edge, float(rng.uniform(0.15, 0.85))))
            inwards = (edge[1], -edge[0], 0.0)
            length = abs(edge[0]) + abs(edge[1])
            _furnish(scene, rng, kind, add(place, along(inwards, piece_depth / length)), _TURNS_DEG[wall], taken)
    for _ in range(int(rng.integers(2, 6))):
        kind = str(rng.choice(["table", "chair", "chair", "sofa", "plant"]))
        place = (float(rng.uniform(0.7, width - 0.7)), float(rng.uniform(1.0, depth - 0.7)), 0.0)
        _furnish(scene, rng, kind, place, float(rng.uniform(-180, 180)), taken)
    if rng.random() < 0.35:
        foot = (float(rng.uniform(0.5, width - 0.5)), float(rng.uniform(0.45, 0.9)) * depth, 0.0)
        if all(np.hypot(foot[0] - x, foot[1] - y) > 0.3 + 0.8 * r for x, y, r in taken):
            add_person(scene, rng, foot, float(rng.uniform(-180, 180)))
    return scene


def _furnish(
    scene: Scene, rng: np.random.Generator, kind: str, place: Vector, turn_deg: float, taken: list[Vector]
) -> None:
    """Put a piece there unless something else stands there."""
    make, piece_depth, piece_width = PIECES[kind]
    radius = (piece_depth + piece_width) / 4
    if any(np.hypot(place[0] - x, place[1] - y) < 0.85 * (radius + r) for x, y, r in taken):
        return
    taken.append((place[0], place[1], radius))
    make(Piece(scene, place, turn_deg), rng)


def empty_room(rng: np.random.Generator) -> Scene:
    """Walls, floor, ceiling, what hangs on them, lamps, and a camera."""
    width, depth, height = float(rng.uniform(2.6, 6.5)), float(rng.uniform(3.2, 9)), float(rng.uniform(2.3, 3.2))
    eye = (float(rng.uniform(0.25, 0.75)) * width, float(rng.uniform(0.15, 0.6)), float(rng.uniform(0.9, 1.9)))
    target = (
        float(rng.uniform(0.15, 0.85)) * width,
        float(rng.uniform(0.6, 1.0)) * depth,
        float(rng.uniform(0.3, 1.4)),
    )
    camera = Camera.looking_at(eye, target, float(rng.normal(0, 2)), float(rng.uniform(50, 90)))
    scene = Scene(camera, room=((0.0, 0.0, 0.0), (width, depth, height)))
    _light(scene, rng, (width, depth, height))
    scene.quad((0, 0, 0), (width, 0, 0), (0, depth, 0), _floor_material(rng), ground=True)
    ceiling = Material(draw_color(rng, "white"), draw_color(rng, "white"), "plain", 2.0)
    scene.quad((0, depth, height), (width, 0, 0), (0, -depth, 0), ceiling)
    paint, skirting = _wall_material(rng), draw_wood(rng)
    for corner, step in _WALLS:
        start = (corner[0] * width, corner[1] * depth, 0.0)
        edge = (step[0] * width, step[1] * depth, 0.0)
        scene.quad(start, edge, (0, 0, height), paint if rng.random() < 0.85 else _wall_material(rng))
        scene.quad(start, edge, (0, 0, 0.09), skirting, decal=True)
        _hang(scene, rng, start, edge, height)
    if rng.random() < 0.5:
        carpet_x, carpet_y = width * float(rng.uniform(0.3, 0.7)), depth * float(rng.uniform(0.25, 0.5))
        corner = ((width - carpet_x) / 2, (depth - carpet_y) / 2, 0.0)
        scene.quad(corner, (carpet_x, 0, 0), (0, carpet_y, 0), draw_cloth(rng), decal=True, ground=True)
    return scene


def _light(scene: Scene, rng: np.random.Generator, sides: Vector) -> None:
    warm = 1 - 0.35 * float(rng.random())
    for _ in range(int(rng.integers(1, 4))):
        place = tuple(float(side * share) for side, share in zip(sides, rng.uniform(0.2, 0.8, 3), strict=True))
        strength = float(rng.uniform(0.5, 1.6))
        color = (strength, strength * (0.5 + warm / 2), strength * warm)
        lamp_m = sides[2] - 0.25
        scene.lights.append(
            Light((place[0], place[1], lamp_m), color, is_sun=False, reach_m=float(rng.uniform(1.5, 4)))
        )
        if rng.random() < 0.6:
            glow = Material((1.0, 0.95, 0.85), (1.0, 0.95, 0.85), glow=2.0)
            scene.solid("ellipsoid", (place[0], place[1], lamp_m + 0.13), (0.18, 0.18, 0.1), glow)
            scene.casters.pop()
    share = float(rng.uniform(0.2, 0.55))
    scene.ambient = (share, share * (0.6 + 0.4 * warm), share * warm)


def _floor_material(rng: np.random.Generator) -> Material:
    kind, pattern, tile_m = (
        ("wood", "planks", 1.2),
        ("stone", "tiles", 1.6),
        ("stone", "checker", 1.6),
        ("cloth", "weave", 0.4),
        ("stone", "marble", 2.0),
    )[int(rng.choice(5, p=[0.45, 0.2, 0.1, 0.15, 0.1]))]
    color = draw_color(rng, kind)
    gloss = 0.0 if pattern == "weave" else float(rng.uniform(0, 0.35))
    return Material(color, shade(color, 0.45), pattern, tile_m * float(rng.uniform(0.7, 1.4)), gloss)


def _wall_material(rng: np.random.Generator) -> Material:
    pattern = str(rng.choice(["plain", "clouded", "stripes", "bricks", "tiles", "spots", "planks"], p=[
        0.5, 0.15, 0.08, 0.08, 0.08, 0.05, 0.06]))  # fmt: skip
    color = draw_color(rng, "brick" if pattern == "bricks" and rng.random() < 0.6 else "wall")
    return Material(color, shade(color, float(rng.uniform(0.6, 0.9))), pattern, float(rng.uniform(0.8, 1.6)))


def _hang(scene: Scene, rng: np.random.Generator, start: Vector, edge: Vector, height: float) -> None:
    """A door, a window or pictures on a wall. What a window shows is painted on it, at the depth of the wall."""
    length = abs(edge[0]) + abs(edge[1])
    unit = along(edge, 1 / length)
    at = float(rng.uniform(0.1, 0.9)) * (length - 1.0)
    frame = draw_wood(rng)
    choice = rng.random()

    def rectangle(left: float, low: float, sides: tuple[float, float], material: Material) -> None:
        corner = add(add(start, along(unit, left)), (0, 0, low))
        scene.quad(corner, along(unit, sides[0]), (0, 0, sides[1]), material, decal=True)

    if choice < 0.3:
        rectangle(at - 0.07, 0.0, (1.04, 2.12), frame)
        paint = frame if rng.random() < 0.6 else Material(draw_color(rng, "wall"), (0.1, 0.1, 0.1))
        rectangle(at, 0.0, (0.9, 2.05), Material(paint.first, shade(paint.first, 0.6), "panels", 0.0))
    elif choice < 0.6:
        wide, tall, day = float(rng.uniform(0.8, 1.6)), float(rng.uniform(0.9, 1.4)), float(rng.uniform(0.3, 1.8))
        low = min(0.9, height - tall - 0.2)
        rectangle(at - 0.06, low - 0.06, (wide + 0.12, tall + 0.12), frame)
        view = Material((0.75, 0.85, 1.0), draw_color(rng, "leaf"), "outlook", 0.0, 0.0, day)
        for column in range(2):
            rectangle(at + column * wide / 2 + 0.02, low, (wide / 2 - 0.04, tall), view)
    else:
        for _ in range(int(rng.integers(0, 3))):
            at, wide, tall = (
                float(rng.uniform(0.1, length - 1)),
                float(rng.uniform(0.25, 0.8)),
                float(rng.uniform(0.25, 0.7)),
            )
            low = float(rng.uniform(1.2, 1.6))
            rectangle(at - 0.04, low - 0.04, (wide + 0.08, tall + 0.08), frame)
            name = str(rng.choice(["painting", "painting2", "painting3", "marble", "clouded"]))
            rectangle(at, low, (wide, tall), Material(draw_color(rng, "any"), draw_color(rng, "any"), name, 0.0))
