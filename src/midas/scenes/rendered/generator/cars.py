"""Cars: a body lofted along its side view, with windows, wheels, lamps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from generator import materials, palette
from generator.meshes import Object, box, joined, mesh, put_aside, smooth_below, turned
from generator.stage import Stage


@dataclass(frozen=True)
class Form:
    """A kind of car, by its side view from front (-x) to back.

    Attributes:
        length_m: of the car.
        x: places along the length, -0.5 to 0.5.
        top_m: height of the outline there.
        belt_m: where windows begin.
        wheel_m: radius.
    """

    length_m: float
    x: tuple[float, ...]
    top_m: tuple[float, ...]
    belt_m: float
    wheel_m: float


FORMS = {
    "saloon": Form(
        4.6,
        (-0.5, -0.485, -0.38, -0.2, -0.07, 0.2, 0.36, 0.5),
        (0.52, 0.72, 0.82, 0.95, 1.42, 1.42, 0.98, 0.88),
        0.93,
        0.32,
    ),
    "hatchback": Form(
        4.0,
        (-0.5, -0.485, -0.36, -0.22, -0.06, 0.32, 0.46, 0.5),
        (0.52, 0.74, 0.86, 0.98, 1.48, 1.50, 1.0, 0.55),
        0.95,
        0.31,
    ),
    "estate": Form(
        4.7,
        (-0.5, -0.485, -0.38, -0.22, -0.08, 0.36, 0.48, 0.5),
        (0.52, 0.74, 0.84, 0.96, 1.46, 1.47, 1.0, 0.6),
        0.95,
        0.33,
    ),
    "van": Form(
        5.0,
        (-0.5, -0.49, -0.43, -0.37, -0.24, 0.3, 0.49, 0.5),
        (0.52, 0.85, 1.05, 1.25, 1.95, 2.0, 1.98, 0.6),
        1.15,
        0.35,
    ),
    "offroad": Form(
        4.6,
        (-0.5, -0.485, -0.38, -0.22, -0.1, 0.36, 0.47, 0.5),
        (0.62, 0.88, 1.02, 1.12, 1.7, 1.72, 1.25, 0.7),
        1.08,
        0.37,
    ),
}
STATIONS = 36


def make_car(stage: Stage) -> Object:
    """A hidden car, its front to -X, to be copied."""
    rng = stage.rng
    form = rng.choice(list(FORMS.values()))
    length, width = form.length_m * rng.uniform(0.95, 1.05), rng.uniform(1.72, 1.92)
    paint = _paint(stage)
    shell = _shell(stage, form, length, width, paint)
    parts = [shell]
    for x in (-0.31, 0.30):
        for side in (-1, 1):
            parts += _wheel(form, x * length, side, width)
    parts += _details(stage, form, length, width)
    for side in (-1, 1):
        parts.append(
            box((-0.14 * length, side * (width / 2 + 0.06), form.belt_m + 0.05), (0.1, 0.2, 0.12), paint, bevel=0.03)
        )
    return put_aside([joined(parts, "car")])[0]


def _paint(stage: Stage) -> materials.Material:
    colour = palette.pick(stage.rng, palette.CARS)
    material = materials.plain(colour, stage.rng.uniform(0.18, 0.35), metal=0.25, variation=0.02, specular=0.6)
    material.node_tree.nodes["Principled BSDF"].inputs["Coat Weight"].default_value = 0.5
    return material


def _shell(stage: Stage, form: Form, length: float, width: float, paint: materials.Material) -> Object:
    x = np.linspace(-0.5, 0.5, STATIONS)
    top = np.interp(x, form.x, form.top_m)
    top = np.convolve(np.pad(top, 1, "edge"), (0.25, 0.5, 0.25), "valid")
    belt = np.minimum(top, form.belt_m)
    half = width / 2 * (1 - 0.10 * (2 * np.abs(x)) ** 4)
    above = np.maximum(top - belt, 0)
    roof = half - 0.44 * above - 0.04
    profile = [
        (0.93 * half, 0.24),
        (half, 0.45),
        (half, belt - 0.12),
        (0.97 * half, belt),
        ((half + roof) / 2 - 0.01, belt + 0.5 * above),
        (roof, belt + 0.9 * above),
        (0.85 * roof, top),
        (0 * roof, top + 0.015),
    ]
    right = np.stack([np.stack([x * length, y, np.broadcast_to(z, x.shape)], -1) for y, z in profile], 1)
    left = right[:, -2::-1] * (1, -1, 1)
    rings = np.concatenate([right, left], 1)
    count = rings.shape[1]
    faces, indices = [], []
    for station in range(STATIONS - 1):
        steep = abs(top[station + 1] - top[station]) / (length / (STATIONS - 1))
        pillar = min(abs(x[station] - place) for place in (0.09, 0.3, -0.26)) < 0.016
        tall = (above[station] + above[station + 1]) / 2
        for k in range(count - 1):
            first = station * count + k
            faces.append((first, first + 1, first + count + 1, first + count))
            row = min(k, count - 2 - k)
            side_window = tall > 0.12 and row in (3, 4) and not pillar
            screen = tall > 0.06 and row in (5, 6) and steep > 0.28
            indices.append(int(side_window or screen))
    faces += [tuple(range(count)), tuple(range((STATIONS - 1) * count, STATIONS * count))[::-1]]
    made = mesh("car", rings.reshape(-1, 3), faces, paint)
    made.data.materials.append(materials.pane(stage.rng))
    made.data.polygons.foreach_set("material_index", np.array([*indices, 0, 0], np.int32))
    return smooth_below(made, 32)


def _wheel(form: Form, x: float, side: int, width: float) -> list[Object]:
    r = form.wheel_m
    tyre = materials.plain(palette.linear("1c1c1d"), 0.8)
    rim = materials.plain(palette.linear("a8aaac"), 0.3, metal=0.8)
    arch = materials.plain(palette.linear("0c0c0d"), 0.9)
    place, turn = (x, side * (width / 2 - 0.19), r), (-side * math.pi / 2, 0, 0)
    parts = [
        turned(
            [
                (0, -0.02),
                (0.55 * r, 0),
                (0.62 * r, -0.03),
                (0.95 * r, -0.03),
                (r, 0.02),
                (r, 0.17),
                (0.95 * r, 0.2),
                (0, 0.2),
            ],
            tyre,
            26,
        ),
        turned([(0, 0.23), (0.3 * r, 0.225), (0.58 * r, 0.19), (0.6 * r, 0.15)], rim, 10),
        turned([(0, 0.14), (1.17 * r, 0.14), (1.17 * r, 0.2), (0, 0.2)], arch, 26),
    ]
    for part in parts:
        part.location, part.rotation_euler = place, turn
    parts[2].location = (x, side * (width / 2 - 0.195), r + 0.02)
    return parts


def _details(stage: Stage, form: Form, length: float, width: float) -> list[Object]:
    """Lamps, plates, the floor."""
    white = materials.glowing(palette.linear("fff4dc"), 5.0 if stage.night else 0.4)
    red = materials.glowing(palette.linear("a01818"), 1.5 if stage.night else 0.15)
    plate = materials.plain(palette.linear("e3e1d8"), 0.4)
    level = form.belt_m - 0.28
    parts = []
    for side in (-1, 1):
        parts.append(box((-0.487 * length, side * 0.36 * width, level), (0.08, 0.32, 0.13), white, bevel=0.02))
        parts.append(box((0.487 * length, side * 0.36 * width, level), (0.08, 0.28, 0.13), red, bevel=0.02))
    parts += [box((sign * 0.497 * length, 0, 0.45), (0.04, 0.5, 0.11), plate) for sign in (-1, 1)]
    grille = materials.plain(palette.linear("151516"), 0.6)
    parts.append(box((-0.495 * length, 0, level + 0.02), (0.03, 0.42 * width, 0.12), grille))
    parts.append(box((0, 0, 0.2), (0.92 * length, 0.9 * width, 0.1), grille))
    return parts
