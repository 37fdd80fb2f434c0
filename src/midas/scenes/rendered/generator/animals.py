"""Animals of the library, standing about."""

from __future__ import annotations

import math

from generator.furniture import place_asset
from generator.stage import Stage
from generator.terrain import Ground

LENGTHS_M = {"animal": (0.8, 2.1), "bird": (0.3, 0.8)}


def put_animals(stage: Stage, ground: Ground, count: int, reach_m: float = 9.0) -> list[tuple[float, float, float]]:
    """Some of one kind; gives where they stand, each twice, for they are what one looks at."""
    rng = stage.rng
    kinds = [kind for kind in ("animal", "animal", "animal", "bird") if stage.library.has(kind)]
    spots: list[tuple[float, float, float]] = []
    if not kinds:
        return spots
    kind = rng.choice(kinds)
    length = rng.uniform(*LENGTHS_M[kind])
    for number in range(count):
        made = place_asset(stage, kind, look=f"herd {number % 2}")
        heading, away = rng.uniform(0, 2 * math.pi), rng.uniform(1.5, reach_m)
        x, y = away * math.cos(heading), away * math.sin(heading)
        scale = length * rng.uniform(0.85, 1.1) / max(made["size_m"])
        made.location, made.scale = (x, y, ground(x, y) - 0.02), (scale,) * 3
        made.rotation_euler[2] = rng.uniform(0, 2 * math.pi)
        spots += [(x, y, ground(x, y))] * 2
    return spots
