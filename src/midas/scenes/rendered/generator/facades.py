"""House fronts: walls with windows, doors, shops, balconies, cornices, roofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from generator import materials, palette
from generator.meshes import Hole, Object, box, cylinder, joined, mesh, moved, put_aside, wall
from generator.stage import Stage

DEPTH_M = 9.0


@dataclass(frozen=True)
class Style:
    """What one house decides once.

    Attributes:
        wall, trim, frame, pane, lit, roof, rail, door: materials.
        decorated, shutters, balconies, shop: whether it has them.
    """

    wall: materials.Material
    trim: materials.Material
    frame: materials.Material
    pane: materials.Material
    lit: materials.Material
    roof: materials.Material
    rail: materials.Material
    door: materials.Material
    decorated: bool
    shutters: materials.Material | None
    balconies: bool
    shop: bool


def draw_style(stage: Stage) -> Style:
    """Materials and habits of a house."""
    rng = stage.rng
    kind = rng.choices(("plaster", "brick", "blocks", "concrete"), (5, 4, 1.5, 0.8))[0]
    trim = materials.plain(palette.pick(rng, palette.FRONTS + palette.STONES, 0.1), 0.85)
    frames = ("f0efec", "e6e4df", "2b2d30", "4a3326", "2f4a3a", "8d9094")
    shutter = materials.plain(palette.pick(rng, ("4b5a3c", "39506b", "5a3d28", "7d7f80", "6a8a8a", "8a3b35")), 0.6)
    return Style(
        wall=materials.textured(stage, kind, bump=0.6),
        trim=trim,
        frame=materials.plain(palette.pick(rng, frames), 0.4),
        pane=materials.pane(rng),
        lit=materials.glowing(palette.kelvin(rng.uniform(2600, 4200)), rng.uniform(0.7, 2.2)),
        roof=materials.textured(stage, "rooftiles"),
        rail=materials.plain(palette.linear("1b1b1d"), 0.5),
        door=materials.plain(palette.pick(rng, ("4a3326", "2f4a3a", "22304a", "6e1a1c", "8a6244", "3a3a3c")), 0.4),
        decorated=rng.random() < 0.55,
        shutters=shutter if rng.random() < 0.22 else None,
        balconies=rng.random() < 0.4,
        shop=rng.random() < 0.45,
    )


def build_front(stage: Stage, width: float) -> Object:
    """A house of this width along x from 0, its front at y = 0 looking to -Y; one hidden object, to be copied."""
    rng = stage.rng
    style = draw_style(stage)
    floors, floor_m, ground_m = rng.randint(2, 6), rng.uniform(2.7, 3.5), rng.uniform(3.0, 4.2)
    height = ground_m + (floors - 1) * floor_m
    columns = max(1, int(width / rng.uniform(1.7, 3)))
    window = (
        rng.uniform(0.8, min(1.4, 0.65 * width / columns)),
        rng.uniform(1.2, min(2.0, 0.66 * floor_m)),
        rng.uniform(0.5, 0.9),
    )
    upper = _upper_windows(width, columns, (floors, floor_m, ground_m), window)
    lower = _ground_floor(stage, width, columns, (ground_m, *window), style)
    face = wall((0, 0), (width, 0), height, style.wall, [*upper, *(hole for hole, _ in lower)], 0.25)
    face.scale[1] = -1  # the reveals go back from the front
    parts = [face]
    for hole, use in [*((hole, "window") for hole in upper), *lower]:
        parts += _opening(stage, hole, use, style)
    if style.balconies:
        for hole in upper:
            if rng.random() < 0.35:
                parts += _balcony(hole, window[2], style)
    parts += _shop_front(stage, width, ground_m, style) if style.shop else []
    parts += _top(stage, width, height, ground_m, style)
    return put_aside([joined(parts, "front")])[0]


def build_house(stage: Stage, width: float, place: Sequence[float], turn: float) -> None:
    """A house that stands alone, its front turned."""
    front = build_front(stage, width)
    front.hide_render = front.hide_viewport = False
    moved([front], place, turn)


def _upper_windows(
    width: float, columns: int, floors: tuple[int, float, float], window: tuple[float, float, float]
) -> list[Hole]:
    count, floor_m, ground_m = floors
    wide, tall, sill = window
    return [
        (
            (i + 0.5) * width / columns - wide / 2,
            (i + 0.5) * width / columns + wide / 2,
            ground_m + f * floor_m + sill,
            ground_m + f * floor_m + sill + tall,
        )
        for f in range(count - 1)
        for i in range(columns)
    ]


def _ground_floor(
    stage: Stage, width: float, columns: int, sizes: tuple[float, float, float, float], style: Style
) -> list[tuple[Hole, str]]:
    ground_m, wide, tall, _ = sizes
    door = stage.rng.randrange(columns)
    openings: list[tuple[Hole, str]] = []
    for i in range(columns):
        middle = (i + 0.5) * width / columns
        if i == door:
            openings.append(((middle - 0.5, middle + 0.5, 0.0, 2.3), "door"))
        elif style.shop:
            openings.append(
                ((middle - 0.42 * width / columns, middle + 0.42 * width / columns, 0.45, ground_m - 0.8), "shop")
            )
        else:
            openings.append(((middle - wide / 2, middle + wide / 2, 0.9, 0.9 + min(tall, ground_m - 1.3)), "window"))
    return openings


def _opening(stage: Stage, hole: Hole, use: str, style: Style) -> list[Object]:
    rng = stage.rng
    a, b, low, high = hole
    middle, wide, tall = (a + b) / 2, b - a, high - low
    if use == "door":
        return [
            box((middle, 0.2, low), (wide, 0.06, tall), style.door),
            box((middle, -0.15, 0), (wide + 0.3, 0.4, 0.14), style.trim),
        ]
    lit = stage.night and rng.random() < (0.9 if use == "shop" else 0.4)
    parts = [box((middle, 0.22, low), (wide, 0.03, tall), style.lit if lit else style.pane)]
    bars = np.linspace(a + 0.03, b - 0.03, 3 if wide < 2 else 4)
    parts += [box((x, 0.18, low), (0.06, 0.06, tall), style.frame) for x in bars]
    parts += [box((middle, 0.18, z), (wide, 0.055, 0.06), style.frame) for z in (low, high - 0.06, low + 0.65 * tall)]
    if use == "window" and not lit and rng.random() < 0.45:
        pale = materials.plain(palette.linear("c9c5bc"), 0.9) if "blind" not in stage.cache else stage.cache["blind"]
        stage.cache["blind"] = pale
        drop = rng.uniform(0.2, 0.9) * tall
        parts.append(box((middle, 0.2, high - drop), (wide - 0.06, 0.015, drop), pale))
    if style.decorated and use == "window":
        parts += [
            box((middle, -0.04, low - 0.1), (wide + 0.24, 0.2, 0.1), style.trim),
            box((middle, -0.03, high), (wide + 0.24, 0.12, 0.14), style.trim),
        ]
    if style.shutters is not None and use == "window":
        parts += [
            box((middle + sign * (0.75 * wide + 0.02), -0.03, low), (0.48 * wide, 0.05, tall), style.shutters)
            for sign in (-1, 1)
        ]
    return parts


def _balcony(hole: Hole, sill: float, style: Style) -> list[Object]:
    a, b, low, _ = hole
    middle, wide, level = (a + b) / 2, b - a + 0.8, low - sill + 0.1
    parts = [
        box((middle, -0.5, level - 0.14), (wide, 1.0, 0.14), style.trim),
        box((middle, -0.97, level + 0.95), (wide, 0.05, 0.05), style.rail),
    ]
    return parts + [
        box((x, -0.97, level), (0.025, 0.025, 0.95), style.rail) for x in np.arange(a - 0.38, b + 0.4, 0.15)
    ]


def _shop_front(stage: Stage, width: float, ground_m: float, style: Style) -> list[Object]:
    rng = stage.rng
    board = materials.plain(palette.pick(rng, palette.PRINTS + palette.CLOTHS), 0.5)
    sign = materials.textured(stage, "paper", scale=1.2, bump=0)
    parts = [box((width / 2, -0.06, ground_m - 0.7), (0.96 * width, 0.12, 0.5), board)]
    parts.append(box((width * rng.uniform(0.3, 0.7), -0.13, ground_m - 0.64), (0.4 * width, 0.02, 0.38), sign))
    if rng.random() < 0.45:
        low, edge = ground_m - 1.25, -rng.uniform(0.9, 1.4)
        points = [
            (0.2, 0, ground_m - 0.7),
            (width - 0.2, 0, ground_m - 0.7),
            (width - 0.2, edge, low),
            (0.2, edge, low),
            (width - 0.2, edge, low - 0.2),
            (0.2, edge, low - 0.2),
        ]
        parts.append(mesh("awning", np.array(points), [(0, 1, 2, 3), (3, 2, 4, 5)], materials.cloth(stage, lively=0.4)))
    return parts


def _top(stage: Stage, width: float, height: float, ground_m: float, style: Style) -> list[Object]:
    """The house behind its front, cornice, roof, chimneys, drainpipe."""
    rng = stage.rng
    parts = [box((width / 2, DEPTH_M / 2 + 0.26, 0), (width - 0.02, DEPTH_M, height - 0.02), style.wall)]
    parts.append(box((width / 2, -0.08, height - 0.1), (width + 0.1, 0.5, 0.22), style.trim))
    if rng.random() < 0.5:
        parts.append(box((width / 2, -0.02, ground_m - 0.1), (width, 0.1, 0.2), style.trim))
    if rng.random() < 0.65:
        ridge, eaves, back = height + rng.uniform(1.5, 3.5), height + 0.1, DEPTH_M + 0.4
        points = [
            (-0.1, -0.35, eaves),
            (width + 0.1, -0.35, eaves),
            (width + 0.1, DEPTH_M / 2, ridge),
            (-0.1, DEPTH_M / 2, ridge),
            (width + 0.1, back, eaves),
            (-0.1, back, eaves),
        ]
        parts.append(mesh("roof", np.array(points), [(0, 1, 2, 3), (3, 2, 4, 5), (1, 4, 2), (0, 3, 5)], style.roof))
        parts += [
            box((rng.uniform(1, width - 1), 0.35 * DEPTH_M, eaves), (0.6, 0.6, ridge - eaves), style.wall)
            for _ in range(2)
        ]
    if rng.random() < 0.5:
        parts.append(cylinder((0.15, -0.1, 0), 0.06, height, materials.plain(palette.linear("6a6c6f"), 0.4), sides=8))
    return parts
