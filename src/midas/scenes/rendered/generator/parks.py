"""Gardens and parks: lawn, paths, trees, benches, flower beds, people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from generator import materials
from generator.animals import put_animals
from generator.camera import Proposal, draw_aspect, draw_roll
from generator.facades import build_house
from generator.light import set_sky
from generator.meshes import grid_faces, quads
from generator.people import has_people, person
from generator.shoot import Scene
from generator.stage import Stage, outdoors
from generator.street_things import bench, bin_, lamp_post
from generator.terrain import Ground, build_terrain, far_ground, grass_tuft, put_rock, rock, scatter
from generator.trees import make_trees, plant

KINDS = ("oak", "ash", "street", "birch", "spruce", "apple", "poplar", "shrub", "shrub")


@dataclass(frozen=True)
class Path:
    """A winding path along y.

    Attributes:
        sway_m, phase: of its winding.
        half_m: half its width.
    """

    sway_m: float
    phase: float
    half_m: float

    def x(self, y: float | np.ndarray) -> float | np.ndarray:
        """Its middle."""
        return self.sway_m * np.sin(0.09 * y + self.phase)


def build_park(stage: Stage, *, light: bool = False) -> Scene:
    """A park; with fewer things if it is only a background."""
    outdoors()
    rng = stage.rng
    sky = set_sky(stage, "night" if stage.night else None)
    stage.cache["autumn"] = rng.random() < 0.2
    lawn = materials.textured(stage, "grass")
    far = far_ground(stage, ("3f5236", "5c6b3a", "7a8350"))
    ground = build_terrain(stage, rng.uniform(0.05, 0.6), rng.uniform(12, 30), lawn, far, rng.uniform(8, 50))
    path = Path(rng.uniform(1, 5), rng.uniform(0, 6), rng.uniform(0.7, 1.5))
    _pave(stage, path, ground)
    _plant_trees(stage, path, ground, count=18 if light else rng.randint(22, 48))
    _beside_the_path(stage, path, ground)
    tufts = [grass_tuft(stage, rng.uniform(0.05, 0.22), flowers=rng.random() < 0.35) for _ in range(3)]
    scatter(
        stage,
        tufts,
        lambda x, y: ground(x, y) - (5 if abs(x - path.x(y)) < path.half_m else 0),
        (0, 0),
        24,
        700 if light else 1500,
    )
    for _ in range(rng.randint(0, 2)):
        _house_behind(stage, ground)
    spots = [
        (x, y, ground(x, y))
        for x, y in [(path.x(0.0) + rng.choice((-1, 1)) * (path.half_m + rng.uniform(0.3, 2.5)), 0.0)]
    ]
    if not light:
        spots += _people(stage, path, ground)
        spots += put_animals(stage, ground, rng.choice([0, 0, 1, 2]))
    haze = rng.uniform(90, 500) if rng.random() < 0.22 else rng.uniform(1500, 6000)
    return Scene(
        f"park-{sky.kind}",
        lambda draw: _propose(draw, spots, ground),
        haze_m=haze,
        apart_m=1.6,
        ground=ground,
        spots=spots,
        night=stage.night,
        near_things=0.0 if light else 0.65,
        least_unexplained=0.3,
    )


def _pave(stage: Stage, path: Path, ground: Ground) -> None:
    y = np.linspace(-50, 50, 160)
    across = np.linspace(-path.half_m, path.half_m, 5)
    x = path.x(y)[:, None] + across[None]
    z = np.vectorize(ground)(x, np.broadcast_to(y[:, None], x.shape)) + 0.03
    points = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], -1).reshape(-1, 3)
    kind = stage.rng.choice(("gravel", "gravel", "soil", "cobbles", "slabs", "asphalt"))
    made = quads("path", points, grid_faces(160, 5), [materials.textured(stage, kind)])
    made.data.shade_smooth()


def _plant_trees(stage: Stage, path: Path, ground: Ground, count: int) -> None:
    rng = stage.rng
    trees = make_trees(stage, rng.randint(3, 5), KINDS)
    in_row = rng.random() < 0.3
    for number in range(count):
        if in_row:
            y = -45 + 90 * number / count
            x = float(path.x(y)) + rng.choice((-1, 1)) * (path.half_m + 2.2)
        else:
            heading, away = rng.uniform(0, 2 * math.pi), 5 + 45 * rng.random() ** 0.8
            x, y = away * math.cos(heading), away * math.sin(heading)
        if abs(x - path.x(y)) > path.half_m + 0.6:
            plant(stage, rng.choice(trees), (x, y, ground(x, y) - 0.05), rng.uniform(0.75, 1.15))


def _beside_the_path(stage: Stage, path: Path, ground: Ground) -> None:
    rng = stage.rng
    things = [bench] * rng.randint(1, 4) + [lamp_post] * rng.randint(1, 4) + [bin_] * rng.randint(0, 2)
    for thing in things:
        y, side = rng.uniform(-16, 16), rng.choice((-1, 1))
        x = float(path.x(y)) + side * (path.half_m + 0.6)
        # Their front is -Y at rest: towards the path.
        thing(stage, (x, y, ground(x, y) - 0.02), side * -math.pi / 2)
    stone = rock(stage)
    for _ in range(rng.randint(0, 6)):
        heading, away = rng.uniform(0, 2 * math.pi), rng.uniform(3, 14)
        put_rock(stage, stone, ground, (away * math.cos(heading), away * math.sin(heading)), rng.uniform(0.3, 1.2))


def _house_behind(stage: Stage, ground: Ground) -> None:
    heading, away = stage.rng.uniform(0, 2 * math.pi), stage.rng.uniform(32, 56)
    x, y = away * math.cos(heading), away * math.sin(heading)
    build_house(stage, stage.rng.uniform(9, 15), (x, y, ground(x, y) - 0.4), heading - math.pi / 2)


def _people(stage: Stage, path: Path, ground: Ground) -> list[tuple[float, float, float]]:
    rng = stage.rng
    spots = []
    for _ in range(rng.randint(1, 6) if has_people(stage) else 0):
        y = rng.uniform(-12, 14)
        x = float(path.x(y)) + rng.gauss(0, 1.4)
        body = person(stage, {"walk", "stand", "arms", "bend", "crouch"})
        body.made.location, body.made.rotation_euler[2] = (x, y, ground(x, y) + 0.02), rng.uniform(0, 2 * math.pi)
        spots.append((x, y, ground(x, y)))
    return spots


def _propose(rng: Random, spots: list[tuple[float, float, float]], ground: Ground) -> Proposal:
    x, y, _ = rng.choice(spots) if rng.random() < 0.7 else (rng.uniform(-12, 12), rng.uniform(-12, 12), 0)
    return looking_at(rng, (x, y), ground, (1.8, 11))


def looking_at(
    rng: Random, spot: tuple[float, float], ground: Ground, reach_m: tuple[float, float], lowest_m: float = -1e9
) -> Proposal:
    """From somewhere around a spot, at eye level mostly, now and then from below or above."""
    heading, away = rng.uniform(0, 2 * math.pi), reach_m[0] + (reach_m[1] - reach_m[0]) * rng.random() ** 1.4
    x, y = spot[0] + away * math.cos(heading), spot[1] + away * math.sin(heading)
    level = rng.choice(
        [
            rng.uniform(0.25, 0.8),
            rng.uniform(1.3, 1.8),
            rng.uniform(1.4, 1.8),
            rng.uniform(1.4, 1.8),
            rng.uniform(2.2, 4.5),
        ]
    )
    target = (
        spot[0] + rng.gauss(0, 0.08 * away),
        spot[1] + rng.gauss(0, 0.08 * away),
        ground(*spot) + rng.uniform(0.4, 2.2),
    )
    focus = away if rng.random() < 0.2 and away > 1.5 else None
    place = (x, y, max(ground(x, y), lowest_m) + level)
    return Proposal(place, target, rng.uniform(40, 80), draw_roll(rng), draw_aspect(rng), focus, 1.2, nearest_m=0.4)
