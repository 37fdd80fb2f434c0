"""Walls, floor, ceiling, windows, doors, and what is seen through the windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from generator import materials, palette
from generator.floor_plan import FloorPlan, Side
from generator.furniture import place_asset
from generator.light import Sky, window_light
from generator.meshes import Hole, Object, box, cylinder, grid_faces, moved, quads, wall
from generator.stage import Stage

DOOR_HEIGHT, DOOR_WIDTH = 2.06, 0.9


@dataclass(frozen=True)
class Shell:
    """A built room.

    Attributes:
        plan: its floor.
        height: of the ceiling.
        sky: outside.
    """

    plan: FloorPlan
    height: float
    sky: Sky


def wall_material(stage: Stage, *, wet: bool = False) -> materials.Material:
    """Paint mostly; wallpaper, bricks, boards, concrete now and then; tiles where it is wet."""
    draw = stage.rng.random()
    if wet:
        return materials.textured(stage, "tiles")
    if draw < 0.06:
        return materials.textured(stage, "brick")
    if draw < 0.10:
        return materials.textured(stage, "concrete", bump=0.5)
    if draw < 0.16:
        return materials.textured(
            stage, stage.rng.choice(("print", "stripes")), tint=palette.wall(stage.rng), scale=1.6, bump=0
        )
    if draw < 0.20:
        return materials.wood(stage, boards=True)
    return materials.plain(palette.wall(stage.rng), 0.85, variation=0.025)


def floor_material(stage: Stage, *, wet: bool = False) -> materials.Material:
    """Boards, parquet, tiles, carpet, concrete."""
    kinds = (
        ("tiles", "slabs")
        if wet
        else ("planks",) * 5 + ("parquet",) * 3 + ("carpet",) * 3 + ("tiles", "tiles", "concrete", "slabs")
    )
    kind = stage.rng.choice(kinds)
    turned = stage.rng.choice([0.0, math.pi / 2])
    tint = palette.pick(stage.rng, palette.WOODS) if kind in ("planks", "parquet") and stage.chance(0.4) else None
    return materials.textured(stage, kind, tint=tint, turned=turned, bump=0.5)


def build_shell(
    stage: Stage, size: tuple[float, float, float], sky: Sky, *, wet: bool = False, windows: int | None = None
) -> Shell:
    """A rectangular room with windows and a door."""
    width, depth, height = size
    rng = stage.rng
    plan = FloorPlan(rng, width, depth)
    box((width / 2, depth / 2, -0.2), (width + 0.6, depth + 0.6, 0.2), floor_material(stage, wet=wet), name="floor")
    ceiling = materials.plain(palette.pick(rng, ("f4f3f0", "eeece7", "e8e6e0"), 0.03), 0.9, variation=0.015)
    box((width / 2, depth / 2, height), (width + 0.6, depth + 0.6, 0.2), ceiling, name="ceiling")
    sides = rng.sample(plan.sides, 4)
    count = rng.choice([1, 1, 2, 2, 3]) if windows is None else windows
    for side in sides[:count]:
        side.holes += _window_holes(stage, side, height)
    _make_door_hole(stage, sides[-1])
    main = wall_material(stage, wet=wet)
    accent = wall_material(stage) if rng.random() < 0.25 else main
    look = _Look.draw(stage)
    for side in plan.sides:
        wall(side.start, side.end, height, accent if side is sides[1] else main, side.holes)
        for hole in side.holes:
            (_fit_door if hole[2] == 0 else _fit_window)(stage, side, hole, look, sky)
        _skirting(side, look)
    plan.take_doorways()
    return Shell(plan, height, sky)


@dataclass(frozen=True)
class _Look:
    """Materials that windows and doors of one room share."""

    frame: materials.Material
    skirting: materials.Material
    curtain: materials.Material | None
    blinds: bool

    @staticmethod
    def draw(stage: Stage) -> _Look:
        rng = stage.rng
        frame = materials.plain(
            palette.pick(rng, ("f2f1ee", "f2f1ee", "e6e4df", "5a3d28", "2b2d30", "8a6244")), 0.4, variation=0.02
        )
        skirting = materials.plain(palette.pick(rng, ("f2f1ee", "e6e4df", "8a6244", "d9d6d0")), 0.5, variation=0.02)
        pale = palette.pick(rng, ("e8e3d8", "d9d2c5", "f0eee9", "b8b2a6", "8a8f94"))
        curtain = (
            materials.cloth(stage, pale if rng.random() < 0.6 else None, lively=0.2) if rng.random() < 0.5 else None
        )
        return _Look(frame, skirting, curtain, curtain is None and rng.random() < 0.25)


def _window_holes(stage: Stage, side: Side, height: float) -> list[Hole]:
    rng = stage.rng
    count = 1 if side.length < 4 else rng.choice([1, 2])
    low = rng.choice([0.08, 0.6, 0.85, 0.9, 1.0])
    high = min(height - 0.25, low + (rng.uniform(1.1, 1.5) if low > 0.3 else 2.15))
    holes = []
    for number in range(count):
        width = min(rng.uniform(0.8, 2.3), side.length / count - 0.5)
        middle = side.length * (number + 0.5) / count
        holes.append((middle - width / 2, middle + width / 2, low, high))
    return holes


def _make_door_hole(stage: Stage, side: Side) -> None:
    middle = stage.rng.uniform(0.7, side.length - 0.7)
    if not any(a < middle + 0.6 and b > middle - 0.6 for a, b, *_ in side.holes):
        side.holes.append((middle - DOOR_WIDTH / 2, middle + DOOR_WIDTH / 2, 0.0, DOOR_HEIGHT))


def _fit_door(stage: Stage, side: Side, hole: Hole, look: _Look, sky: Sky) -> None:
    middle = (hole[0] + hole[1]) / 2
    frame = [box((0.015, offset, 0), (0.03, 0.08, DOOR_HEIGHT + 0.05), look.frame) for offset in (-0.49, 0.49)]
    frame.append(box((0.015, 0, DOOR_HEIGHT), (0.03, 1.06, 0.08), look.frame))
    frame.append(box((-0.7, 0, 0), (0.1, 2.2, 2.4), materials.plain(palette.wall(stage.rng), 0.9)))
    moved(frame, (*side.at(middle), 0), side.facing)
    moved([door_leaf(stage)], (*side.at(middle, -0.08), 0), side.facing)


def door_leaf(stage: Stage) -> Object:
    """A closed door around the origin, facing +X."""
    if not stage.library.has("door") or stage.chance(0.25):
        return box(
            (0, 0, 0), (0.05, DOOR_WIDTH, DOOR_HEIGHT), materials.plain(palette.pick(stage.rng, palette.DOORS), 0.45)
        )
    leaf = place_asset(stage, "door", look="door")
    length_x, length_y, length_z = leaf["size_m"]
    thin_x = length_x < length_y
    leaf.rotation_euler[2] = 0 if thin_x else math.pi / 2
    across = DOOR_WIDTH / max(length_x, length_y)
    leaf.scale = (1, across, DOOR_HEIGHT / length_z) if thin_x else (across, 1, DOOR_HEIGHT / length_z)
    return leaf


def _fit_window(stage: Stage, side: Side, hole: Hole, look: _Look, sky: Sky) -> None:
    rng = stage.rng
    width, low, high = hole[1] - hole[0], hole[2], hole[3]
    panes = rng.choice([1, 2, 2, 3])
    parts = [
        box((-0.09, width * (k / panes - 0.5), low), (0.06, 0.055, high - low), look.frame) for k in range(panes + 1)
    ]
    levels = [low, high - 0.06] + ([low + 0.6 * (high - low)] if rng.random() < 0.4 else [])
    parts += [box((-0.09, 0, level), (0.06, width, 0.06), look.frame) for level in levels]
    if low > 0.3:
        parts.append(box((0.03, 0, low - 0.03), (0.24, width + 0.1, 0.03), look.frame))
    if look.curtain is not None:
        parts += _curtains(stage, width, low, high, look)
    if look.blinds:
        drop = rng.uniform(0.2, 1.0) * (high - low)
        parts += [
            box((-0.03, 0, level), (0.035, width - 0.02, 0.004), look.frame)
            for level in np.arange(high - drop, high, 0.04)
        ]
    middle = (hole[0] + hole[1]) / 2
    moved(parts, (*side.at(middle), 0), side.facing)
    window_light(
        sky,
        (*side.at(middle, -0.17), (low + high) / 2),
        (width, high - low),
        (*side.at(middle, 2.0), (low + high) / 2 - 0.3),
    )


def _curtains(stage: Stage, width: float, low: float, high: float, look: _Look) -> list[Object]:
    rng = stage.rng
    rod = cylinder((0.09, -(width + 0.7) / 2, high + 0.04), 0.012, width + 0.7, look.frame, sides=8)
    rod.rotation_euler = (-math.pi / 2, 0, 0)
    hung = width * rng.uniform(0.18, 0.42)
    bottom = 0.03 if low < 1.1 and rng.random() < 0.7 else low - 0.15
    parts = [rod]
    for sign in (-1, 1):
        place = np.linspace(-hung / 2, hung / 2, 60)
        wave = 0.04 * np.sin(place * rng.uniform(40, 70) + rng.uniform(0, 6)) + 0.015 * np.sin(place * 17)
        rows = [
            np.stack([wave, place * (1 - pinch), np.full(60, z)], -1)
            for z, pinch in ((high + 0.03, 0), ((high + bottom) / 2, 0.1), (bottom, 0.02))
        ]
        made = quads("curtain", np.concatenate(rows), grid_faces(3, 60), [look.curtain])
        made.data.shade_smooth()
        made.location = (0.09, sign * (width / 2 + 0.12 - hung / 2), 0)
        parts.append(made)
    return parts


def _skirting(side: Side, look: _Look) -> None:
    gaps = sorted(hole[:2] for hole in side.holes if hole[2] < 0.2)
    start = 0.0
    for a, b in [*gaps, (side.length, side.length)]:
        if a - start > 0.05:
            part = box((0.008, 0, 0), (0.016, a - start, 0.09), look.skirting)
            moved([part], (*side.at((start + a) / 2), 0), side.facing)
        start = b


def build_outside(stage: Stage, drop: float = 0.0) -> None:
    """What windows show: ground, houses, trees, coarse and far away."""
    rng = stage.rng
    ground = materials.textured(stage, rng.choice(("grass", "asphalt", "gravel")), scale=3, bump=0)
    box((0, 0, -drop - 0.4), (240, 240, 0.2), ground, name="outside")
    fronts = [materials.textured(stage, kind, bump=0) for kind in ("plaster", "brick", "plaster")]
    dark = materials.pane(rng)
    for _ in range(rng.randint(4, 9)):
        heading, away = rng.uniform(0, 2 * math.pi), rng.uniform(14, 45)
        width, tall = rng.uniform(7, 15), rng.uniform(5, 22)
        parts = [box((0, 0, 0), (width, width, tall), rng.choice(fronts))]
        for level in np.arange(1.2, tall - 1.5, 3.0):
            parts += [
                box((0, u, level), (width + 0.05, 1.1, 1.5), dark)
                for u in np.arange(-width / 2 + 1.2, width / 2 - 0.8, 2.4)
            ]
            parts += [
                box((u, 0, level), (1.1, width + 0.05, 1.5), dark)
                for u in np.arange(-width / 2 + 1.2, width / 2 - 0.8, 2.4)
            ]
        moved(parts, (away * math.cos(heading), away * math.sin(heading), -drop - 0.3), heading)
    green = materials.leaf(rng, palette.leaf(rng, rng.random()))
    for _ in range(rng.randint(3, 9)):
        heading, away = rng.uniform(0, 2 * math.pi), rng.uniform(7, 22)
        crown = _leaf_ball(stage, rng.uniform(1.3, 2.6), green)
        crown.location = (away * math.cos(heading), away * math.sin(heading), rng.uniform(3, 7) - drop)


def _leaf_ball(stage: Stage, radius: float, green: materials.Material) -> Object:
    chance = np.random.default_rng(stage.rng.randrange(1 << 32))
    middle = chance.normal(size=(5000, 3))
    middle *= radius * (chance.random((5000, 1)) ** 0.25) / np.linalg.norm(middle, axis=1, keepdims=True)
    first, second = chance.normal(size=(2, 5000, 3)) * 0.09
    corners = np.stack([middle - first, middle + second, middle + first, middle - second], 1)
    return quads("outside", corners.reshape(-1, 3), np.arange(20000).reshape(-1, 4), [green])
