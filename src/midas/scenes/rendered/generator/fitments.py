"""What rooms have and no factory makes fast enough: beds, kitchen units, rugs, piles of boxes."""

from __future__ import annotations

import math

import numpy as np
from generator import materials, palette
from generator.floor_plan import FloorPlan, Spot
from generator.furnishing import KITCHEN, clutter
from generator.meshes import Object, box, cylinder, grid_faces, moved, quads, surface
from generator.stage import Stage


def bed(stage: Stage, width: float, length: float = 2.05) -> list[Object]:
    """A made or unmade bed; the head is at x = 0, the bed lies along +X."""
    rng = stage.rng
    frame = materials.wood(stage) if rng.random() < 0.6 else materials.cloth(stage, lively=0.0)
    sheet = materials.cloth(stage, palette.pick(rng, ("efece6", "e3e0da", "d5d9dc", "cfc9bf")))
    cover = materials.cloth(
        stage, palette.pick(rng, palette.WALLS + palette.CLOTHS) if rng.random() < 0.65 else None, lively=0.8
    )
    parts = [
        box((length / 2, 0, 0.10), (length, width, 0.2), frame, bevel=0.02),
        box((-0.04, 0, 0), (0.07, width + 0.08, rng.uniform(0.8, 1.25)), frame, bevel=0.02),
        box((length / 2, 0, 0.3), (length - 0.04, width - 0.04, 0.2), sheet, bevel=0.06),
        _quilt(stage, width, length, cover),
    ]
    pillow = materials.cloth(stage, palette.pick(rng, ("efece6", "e3e0da", "b8b2a6", "8fa0ab", "7d7465")), lively=0.0)
    for y in (-width / 4, width / 4) if width > 1.2 else (0.0,):
        parts += _pillow(
            pillow, (0.30 + rng.gauss(0, 0.02), y, 0.58), (0, -0.35 + rng.gauss(0, 0.1), rng.gauss(0, 0.08))
        )
    return parts


def _quilt(stage: Stage, width: float, length: float, material: materials.Material) -> Object:
    rng = stage.rng
    waves = [(rng.uniform(2, 9), rng.uniform(-9, 9), rng.uniform(0, 6)) for _ in range(8)]
    rough = rng.uniform(0.01, 0.05)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        edge = np.clip((width / 2 + 0.03 - np.abs(y)) / 0.09, 0, 1)
        folds = sum(np.sin(kx * x + ky * y + phase) for kx, ky, phase in waves) / 3
        return 0.26 + 0.28 * np.sqrt(edge) + rough * folds

    turned_back = rng.choice([0.55, 0.75, 1.0])
    return surface(
        np.linspace(turned_back, length + 0.04, 48),
        np.linspace(-width / 2 - 0.06, width / 2 + 0.06, 48),
        height,
        material,
        "quilt",
    )


def _pillow(
    material: materials.Material, place: tuple[float, float, float], turn: tuple[float, float, float]
) -> list[Object]:
    u, v = np.meshgrid(np.linspace(-1, 1, 18), np.linspace(-1, 1, 18))
    thick = 0.085 * (np.clip(1 - u**4, 0, 1) * np.clip(1 - v**4, 0, 1)) ** 0.5
    halves = []
    for sign in (1, -1):
        points = np.stack([u * 0.22 * (1 + 0.06 * v * v), v * 0.33 * (1 + 0.06 * u * u), sign * thick], -1).reshape(
            -1, 3
        )
        half = quads("pillow", points, grid_faces(18, 18)[:, ::sign], [material])
        half.data.shade_smooth()
        half.location, half.rotation_euler = place, turn
        halves.append(half)
    return halves


def kitchen_units(stage: Stage, plan: FloorPlan) -> Spot | None:
    """A row of base units with worktop and, where the wall is free, wall units; with things on it."""
    rng = stage.rng
    width = rng.uniform(1.2, 3.4)
    spot = plan.by_wall(width, 0.62, 0.9)
    if spot is None or spot.side is None:
        return None
    fronts = _unit_fronts(stage)
    top = materials.textured(stage, "rock", bump=0) if rng.random() < 0.45 else materials.wood(stage)
    handle = materials.metal(rng)
    count = max(1, round(width / 0.6))
    parts = [
        box((0, 0, 0.08), (0.58, width, 0.78), fronts),
        box((0.01, 0, 0.86), (0.64, width + 0.02, 0.035), top, bevel=0.006),
    ]
    for number in range(count):
        y = (number + 0.5) * width / count - width / 2
        parts += _unit(stage, y, width / count, fronts, handle)
    above = not any(a < spot.along_m + width / 2 and b > spot.along_m - width / 2 for a, b, *_ in spot.side.holes)
    if above:
        tiles = materials.textured(stage, "tiles", scale=rng.uniform(0.5, 1))
        parts.append(box((-0.305, 0, 0.9), (0.012, width, 0.55), tiles))
        parts += _wall_units(stage, width, count, fronts, handle)
    if rng.random() < 0.5:
        parts += _tap(stage, rng.uniform(-0.3, 0.3) * width)
    moved(parts, (spot.x, spot.y, 0), spot.turn)
    clutter(stage, (spot.x, spot.y, 0.896), spot.turn, (0.45, 0.9 * width), rng.randint(3, 10), KITCHEN)
    return spot


def _unit_fronts(stage: Stage) -> materials.Material:
    codes = ("f0efec", "e3e0da", "d9d6d0", "aeb4b2", "5e6f6a", "39506b", "8a8f8d", "2b2d30")
    return (
        materials.wood(stage)
        if stage.chance(0.35)
        else materials.plain(palette.pick(stage.rng, codes), 0.35, variation=0.02)
    )


def _unit(stage: Stage, y: float, width: float, fronts: materials.Material, handle: materials.Material) -> list[Object]:
    rng = stage.rng
    if rng.random() < 0.15:
        dark = materials.plain(palette.linear("17181a"), 0.1, specular=0.8)
        return [
            box((0.296, y, 0.12), (0.02, width - 0.02, 0.6), dark),
            box((0.325, y, 0.66), (0.02, width - 0.14, 0.02), handle),
        ]
    drawers = [(0.1, 0.74)] if rng.random() < 0.5 else [(0.1, 0.36), (0.47, 0.18), (0.66, 0.18)]
    parts = []
    for low, tall in drawers:
        parts.append(box((0.296, y, low), (0.02, width - 0.012, tall - 0.006), fronts, bevel=0.003))
        parts.append(box((0.315, y, low + 0.8 * tall), (0.014, min(0.16, 0.4 * width), 0.012), handle))
    return parts


def _wall_units(
    stage: Stage, width: float, count: int, fronts: materials.Material, handle: materials.Material
) -> list[Object]:
    parts = []
    for number in range(count):
        y = (number + 0.5) * width / count - width / 2
        if stage.chance(0.82):
            parts.append(box((-0.14, y, 1.45), (0.33, width / count - 0.008, 0.7), fronts, bevel=0.003))
            parts.append(box((0.03, y + 0.35 * width / count, 1.5), (0.014, 0.012, 0.12), handle))
        else:
            parts.append(box((-0.2, y, 1.6), (0.2, width / count, 0.03), fronts))
    return parts


def _tap(stage: Stage, y: float) -> list[Object]:
    shiny = materials.metal(stage.rng, palette.linear("d9dadb"))
    spout = cylinder((-0.2, y, 1.12), 0.012, 0.18, shiny, sides=10)
    spout.rotation_euler = (0, math.pi / 2, 0)
    return [
        cylinder((-0.2, y, 0.89), 0.016, 0.24, shiny, sides=12),
        spout,
        box((0.02, y, 0.893), (0.36, 0.42, 0.004), shiny),
    ]


def rug(stage: Stage, x: float, y: float, size: tuple[float, float], turn: float = 0.0) -> None:
    """A flat rug."""
    kind = stage.rng.choice(("carpet", "carpet", "print", "stripes", "plaid", "knit"))
    scale = 1.0 if kind == "carpet" else 2.5
    made = box((0, 0, 0), (*size, 0.012), materials.textured(stage, kind, scale=scale), name="rug")
    moved([made], (x, y, 0), turn)


def cardboard_boxes(stage: Stage, plan: FloorPlan, count: int) -> list[Spot]:
    """Boxes on the floor, some on others."""
    rng = stage.rng
    spots = []
    for _ in range(count):
        spot = plan.amid(0.6, 0.6)
        if spot is None:
            break
        level = 0.0
        for _ in range(rng.choice([1, 1, 2, 3])):
            size = (rng.uniform(0.25, 0.55), rng.uniform(0.25, 0.5), rng.uniform(0.15, 0.45))
            brown = materials.plain(palette.pick(rng, ("b58f62", "a37c50", "c7a477", "8d9094")), 0.9)
            moved([box((0, 0, 0), size, brown)], (spot.x, spot.y, level), spot.turn + rng.gauss(0, 0.2))
            level += size[2]
        spots.append(spot)
    return spots
