"""Benches, lamps, signs, bins, bollards. Their front is -Y."""

from __future__ import annotations

import math
from collections.abc import Sequence

from generator import materials, palette
from generator.light import bulb
from generator.meshes import box, cylinder, moved, turned
from generator.stage import Stage

Place = Sequence[float]


def bench(stage: Stage, place: Place, turn: float) -> None:
    """A bench of boards on metal feet."""
    boards = materials.wood(stage)
    feet = materials.plain(palette.linear("1f2022"), 0.4)
    parts = [box((0, 0.08 + 0.115 * k, 0.43), (1.6, 0.09, 0.035), boards) for k in range(4)]
    parts += [box((0, 0.50 + 0.025 * k, 0.55 + 0.13 * k), (1.6, 0.03, 0.1), boards) for k in range(3)]
    for x in (-0.65, 0.65):
        parts += [
            box((x, 0.1, 0), (0.06, 0.05, 0.43), feet),
            box((x, 0.45, 0), (0.06, 0.05, 0.9), feet),
            box((x, 0.25, 0.39), (0.06, 0.45, 0.04), feet),
        ]
    moved(parts, place, turn)


def lamp_post(stage: Stage, place: Place, turn: float = 0.0, height: float | None = None) -> None:
    """A street lamp; lit by night."""
    rng = stage.rng
    height = height or rng.uniform(3, 6)
    post = materials.plain(palette.pick(rng, ("1d1d1f", "24382a", "6a6c6f", "3c4045")), 0.4)
    parts = [cylinder((0, 0, 0), 0.09, 0.5, post), cylinder((0, 0, 0), 0.05, height, post, top=0.035)]
    glow = (
        materials.glowing(palette.linear("ffd9a0"), 16)
        if stage.night
        else materials.plain(palette.linear("dcdad2"), 0.3)
    )
    if rng.random() < 0.5:
        head = turned([(0, 0), (0.16, 0.02), (0.2, 0.3), (0.12, 0.42), (0, 0.45)], glow)
        head.location = (0, 0, height)
        parts.append(head)
    else:
        parts += [
            box((0, -0.45, height - 0.05), (0.05, 0.9, 0.05), post),
            box((0, -0.8, height - 0.08), (0.16, 0.4, 0.04), glow),
        ]
    moved(parts, place, turn)
    if stage.night:
        bulb(
            (place[0], place[1], place[2] + height - 0.2),
            rng.uniform(130, 380),
            palette.kelvin(rng.uniform(2300, 3900)),
            0.15,
        )


def bin_(stage: Stage, place: Place, turn: float = 0.0) -> None:
    """A litter bin."""
    cylinder(
        place,
        0.25,
        0.9,
        materials.plain(palette.pick(stage.rng, ("2f4a3a", "3c4045", "6a6c6f", "22304a")), 0.5),
        sides=14,
    )


def bollard(stage: Stage, place: Place, turn: float = 0.0) -> None:
    """A post that keeps cars off."""
    cylinder(place, 0.07, 0.95, materials.plain(palette.linear("2b2c2e"), 0.5), sides=10)


def sign(stage: Stage, place: Place, turn: float = 0.0) -> None:
    """A round or square traffic sign on a pole."""
    rng = stage.rng
    height = rng.uniform(2.2, 2.9)
    pole = cylinder((0, 0, 0), 0.035, height, materials.metal(rng), sides=8)
    face = materials.plain(palette.pick(rng, ("b8302a", "2f5f9e", "e0b23a", "efefec")), 0.4)
    rim = materials.plain(palette.linear("e9e9e6"), 0.4)
    parts = [pole]
    for radius, depth, material in ((0.3, 0.015, rim), (0.25, 0.02, face)):
        if rng.random() < 0.6:
            plate = cylinder((0, -0.03, height - 0.35), radius, depth, material, sides=24)
            plate.rotation_euler = (math.pi / 2, 0, 0)
        else:
            plate = box((0, -0.04, height - 0.35 - radius), (2 * radius, depth * 1.5, 2 * radius), material)
        parts.append(plate)
    moved(parts, place, turn)
