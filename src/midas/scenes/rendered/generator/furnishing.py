"""Furniture to its place, small things on it, pictures on the walls."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np
from generator import materials, palette
from generator.floor_plan import FloorPlan, Side, Spot
from generator.furniture import place_asset
from generator.meshes import Object, box, moved, turned
from generator.plants import potted_plant
from generator.stage import Stage
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

SMALL = ("cup", "bowl", "bottle", "books", "books", "vase", "plant", "can", "foodbox")
KITCHEN = ("cup", "bowl", "bottle", "jar", "can", "foodbox", "foodbag", "plate", "pan", "glass", "fruit", "plant")
DESK = ("books", "books", "cup", "monitor", "desklamp", "plant", "bookrow", "paper", "paper")
DINING = ("plate", "plate", "cup", "glass", "bowl", "bottle", "vase", "fruit", "cutlery")

LONGEST_M = {
    "vase": 0.38,
    "pan": 0.5,
    "books": 0.35,
    "bookrow": 0.4,
    "monitor": 0.65,
    "desklamp": 0.55,
    "bottle": 0.33,
    "glass": 0.24,
}


def put_by_wall(
    stage: Stage, plan: FloorPlan, category: str, *, scale: float = 1.0, sides: list[Side] | None = None
) -> tuple[Object, Spot] | None:
    """An object of the library with its back to a wall; None if there is no room or no such object."""
    if not stage.library.has(category):
        return None
    made = place_asset(stage, category)
    length_x, length_y, length_z = (scale * length for length in made["size_m"])
    spot = plan.by_wall(length_y, length_x, length_z, sides=sides)
    if spot is None:
        bpy.data.objects.remove(made)
        return None
    made.location, made.scale = (spot.x, spot.y, 0), (scale,) * 3
    made.rotation_euler[2] = spot.turn
    return made, spot


def top_of(made: Object) -> tuple[float, float, float]:
    """Lengths along the object's own x and y, and the height of its upper side."""
    return tuple(float(length) * made.scale[0] for length in made["size_m"])


def clutter(
    stage: Stage,
    middle: Sequence[float],
    turn: float,
    size: tuple[float, float],
    count: int,
    kinds: Sequence[str] = SMALL,
) -> None:
    """Small things on a flat top: ``middle`` at its height, ``size`` along its own x and y."""
    rng = stage.rng
    used: list[tuple[float, float, float]] = []
    for _ in range(count):
        objects, radius = small_thing(stage, rng.choice(kinds))
        for _ in range(12):
            x = rng.uniform(-1, 1) * max(size[0] / 2 - radius, 0)
            y = rng.uniform(-1, 1) * max(size[1] / 2 - radius, 0)
            if all(math.hypot(x - a, y - b) > radius + c for a, b, c in used):
                break
        else:
            remove(objects)
            continue
        used.append((x, y, radius))
        c, s = math.cos(turn), math.sin(turn)
        place = (middle[0] + c * x - s * y, middle[1] + s * x + c * y, middle[2])
        moved(objects, place, rng.uniform(0, 2 * math.pi))


def small_thing(stage: Stage, kind: str) -> tuple[list[Object], float]:
    """A thing to put on a table, around the origin, and its radius."""
    if kind == "plant":
        return potted_plant(stage, large=False), 0.12
    if kind == "fruit":
        return fruit(stage)
    if kind == "paper" or not stage.library.has(kind):
        size = (stage.rng.uniform(0.15, 0.3), stage.rng.uniform(0.1, 0.21))
        sheet = materials.textured(stage, "paper", scale=0.3, bump=0)
        return [box((0, 0, 0.001), (*size, stage.rng.uniform(0.002, 0.02)), sheet)], 0.17
    made = place_asset(stage, kind)
    longest = max(made["size_m"])
    scale = min(1.0, LONGEST_M.get(kind, 0.28) / longest)
    made.scale = (scale,) * 3
    return [made], max(made["size_m"][:2]) * scale / 2


def remove(objects: Sequence[Object]) -> None:
    """Take objects out of the scene."""
    for made in objects:
        bpy.data.objects.remove(made)


FRUIT = {
    "apple": (("a3342a", "b8863a", "7d9a3a", "8c2f28"), 0.038, (0.35, 1.0, 0.95)),
    "orange": (("d9852a", "c97a28"), 0.04, (0.0, 1.0, 0.97)),
    "lemon": (("d9b83a", "cfae3f"), 0.028, (0.0, 1.35, 0.95)),
    "tomato": (("a8322a", "b8402f"), 0.034, (0.1, 1.0, 0.82)),
    "plum": (("4a2a3f", "5a3348"), 0.024, (0.05, 1.15, 1.0)),
    "pear": (("a8a04a", "8f9a48"), 0.034, (0.0, 1.0, 1.35)),
}


def fruit(stage: Stage) -> tuple[list[Object], float]:
    """One to five of a kind side by side."""
    rng = stage.rng
    name = rng.choice(list(FRUIT))
    codes, radius, (dent, longer, taller) = FRUIT[name]
    angle = np.linspace(0, math.pi, 14)
    made = []
    for number in range(rng.choice([1, 1, 2, 3])):
        size = radius * rng.uniform(0.9, 1.12)
        waist = np.sin(angle) * np.where(name == "pear", 1 - 0.38 * (1 - np.cos(angle)) / 2, 1.0)
        height = (1 - np.cos(angle)) * taller - dent * np.exp(-((np.pi - angle) ** 2) * 9)
        colour = palette.pick(rng, codes)
        one = turned(
            list(zip(waist * size, height * size, strict=True)),
            materials.plain(colour, rng.uniform(0.25, 0.5), variation=0.2),
            22,
            "fruit",
        )
        one.scale = (longer, 1, 1)
        one.location = (
            1.05 * radius * number * math.cos(2.1 * number),
            1.05 * radius * number * math.sin(2.1 * number) * 1.9,
            0,
        )
        one.rotation_euler[2] = rng.uniform(0, 6)
        made.append(one)
    return made, radius * 2.4


def fill_shelf(stage: Stage, shelf: Object, count: int) -> None:
    """Stand things into a shelf's open cells: rays find each cell's floor and ceiling. Its front is +X."""
    rng = stage.rng
    depth, width, height = shelf["size_m"]
    data = shelf.data
    tree = BVHTree.FromPolygons([point.co for point in data.vertices], [face.vertices for face in data.polygons])
    used: list[tuple[float, float, float]] = []
    for _ in range(3 * count):
        y, z = rng.uniform(-width / 2 + 0.06, width / 2 - 0.06), rng.uniform(0.05, height - 0.05)
        cell = _cell(tree, depth, y, z)
        if len(used) >= count or cell is None:
            continue
        floor_z, room = cell
        kind = rng.choice(("bookrow", "bookrow", "books", "vase", "cup", "jar", "foodbox", "bowl"))
        if not stage.library.has(kind):
            continue
        made = place_asset(stage, kind)
        length_x, length_y, length_z = made["size_m"]
        scale = min(0.9 * room / length_z, 0.9 * depth / max(length_x, 0.01), 1.1)
        half = length_y * scale / 2 + 0.01
        if (
            length_z * scale < 0.05
            or abs(y) + half > width / 2
            or any(abs(floor_z - a) < 0.05 and abs(y - b) < half + c for a, b, c in used)
        ):
            bpy.data.objects.remove(made)
            continue
        used.append((floor_z, y, half))
        place = (
            Matrix.Translation((0, y, floor_z)) @ Matrix.Rotation(rng.gauss(0, 0.1), 4, "Z") @ Matrix.Scale(scale, 4)
        )
        made.matrix_world = shelf.matrix_basis @ place


def _cell(shelf: BVHTree, depth: float, y: float, z: float) -> tuple[float, float] | None:
    """Height of the board below a point of a shelf's middle, and of the room above it; None if it isn't open."""
    front = shelf.ray_cast(Vector((depth, y, z)), Vector((-1, 0, 0)))[0]
    if front is not None and front.x > -0.2 * depth:
        return None
    board = shelf.ray_cast(Vector((0, y, z)), Vector((0, 0, -1)))[0]
    if board is None or z - board.z > 0.6:
        return None
    ceiling = shelf.ray_cast(Vector((0, y, z)), Vector((0, 0, 1)))[0]
    room = ceiling.z - board.z if ceiling is not None else 0.4
    return (board.z, room) if room > 0.12 else None


def hang_pictures(stage: Stage, plan: FloorPlan, count: int) -> None:
    """Framed pictures, mirrors and clocks on free parts of the walls."""
    rng = stage.rng
    for _ in range(count):
        side = rng.choice(plan.sides)
        along, z = rng.uniform(0.4, side.length - 0.4), rng.uniform(1.4, 1.8)
        if not any(a - 0.7 < along < b + 0.7 for a, b, *_ in side.holes):
            moved(framed_picture(stage), (*side.at(along, 0.002), z), side.facing)


def framed_picture(stage: Stage) -> list[Object]:
    """A picture around the origin, its face to +X."""
    rng = stage.rng
    width, height = rng.uniform(0.25, 1.0), rng.uniform(0.25, 0.8)
    frame = materials.plain(palette.pick(rng, ("1d1d1f", "f0efec", "6b4a2e", "a88a4a", "b8babd")), 0.4)
    parts = [box((0.0125, 0, -height / 2 - 0.03), (0.025, width + 0.06, height + 0.06), frame)]
    if rng.random() < 0.5:
        parts.append(
            box((0.014, 0, -height / 2), (0.026, width, height), materials.plain(palette.linear("f4f2ec"), 0.8))
        )
        width, height = 0.7 * width, 0.7 * height
    parts.append(box((0.016, 0, -height / 2), (0.028, width, height), materials.picture(stage)))
    return parts
