"""Woods, meadows, rocks, dry land, snow, shores."""

from __future__ import annotations

import math
from dataclasses import dataclass

from generator import materials
from generator.animals import put_animals
from generator.furniture import place_asset
from generator.light import set_sky
from generator.meshes import box, copies, cylinder, put_aside
from generator.parks import looking_at
from generator.people import has_people, person
from generator.shoot import Scene
from generator.stage import Stage, outdoors
from generator.terrain import Ground, build_terrain, far_ground, grass_tuft, put_rock, rock, scatter
from generator.trees import make_trees, plant
from mathutils import Matrix

Spots = list[tuple[float, float, float]]


@dataclass(frozen=True)
class Land:
    """A kind of country.

    Attributes:
        ground: texture below one's feet.
        far: three tones of what is behind.
        rise_m, hills_m: least and greatest height of the near and the far ground.
        trees: kinds.
        tree_count, rock_count, tufts: least and greatest number of trees and rocks; how many tufts of grass.
        tall_m: of the grass.
        low: plants of the library that grow there.
        exposure_ev: what photographers correct for bright ground.
    """

    ground: tuple[str, ...]
    far: tuple[str, str, str]
    rise_m: tuple[float, float]
    hills_m: tuple[float, float]
    trees: tuple[str, ...]
    tree_count: tuple[int, int]
    rock_count: tuple[int, int]
    tufts: int
    tall_m: tuple[float, float]
    low: tuple[str, ...]
    exposure_ev: float = 0.0


GREEN_FAR = ("34502a", "5c6b3a", "8a8a5c")
LANDS = {
    "forest": Land(
        ("litter", "litter", "soil"),
        GREEN_FAR,
        (0.3, 1.5),
        (10, 60),
        ("oak", "ash", "birch", "spruce", "shrub", "bare"),
        (90, 170),
        (3, 20),
        350,
        (0.1, 0.4),
        ("fern", "mushroom", "tallgrass"),
    ),
    "conifers": Land(
        ("litter", "soil", "grass"),
        ("24382a", "34492c", "5c6b3a"),
        (0.4, 2.2),
        (30, 160),
        ("spruce", "spruce", "pine", "shrub"),
        (90, 170),
        (5, 30),
        450,
        (0.1, 0.35),
        ("fern", "mushroom"),
    ),
    "meadow": Land(
        ("grass",),
        GREEN_FAR,
        (0.3, 1.8),
        (15, 120),
        ("oak", "ash", "poplar", "apple", "shrub", "birch"),
        (12, 45),
        (2, 15),
        2300,
        (0.15, 0.55),
        ("flower", "tallgrass", "flower"),
    ),
    "rocks": Land(
        ("rock", "gravel", "grass"),
        ("5a5f50", "77736c", "a8a297"),
        (0.8, 2.6),
        (60, 260),
        ("pine", "spruce", "shrub", "bare"),
        (8, 45),
        (50, 120),
        450,
        (0.1, 0.35),
        ("tallgrass", "fern"),
    ),
    "dry": Land(
        ("soil", "sand", "gravel"),
        ("8a7a52", "a89a6a", "6b6a45"),
        (0.3, 1.8),
        (20, 140),
        ("oak", "apple", "shrub", "shrub"),
        (10, 35),
        (8, 40),
        1100,
        (0.15, 0.5),
        ("agave", "tallgrass", "cactus"),
        0.15,
    ),
    "desert": Land(
        ("sand", "sand", "gravel"),
        ("b89c72", "a87f58", "c9b48a"),
        (0.8, 2.6),
        (30, 160),
        ("shrub",),
        (4, 14),
        (20, 50),
        120,
        (0.15, 0.4),
        ("agave", "cactus"),
        0.2,
    ),
    "snow": Land(
        ("snow",),
        ("c9d3dc", "8f9a9f", "e3e8ec"),
        (0.3, 1.8),
        (40, 240),
        ("spruce", "bare", "pine", "shrub"),
        (30, 90),
        (4, 20),
        60,
        (0.1, 0.3),
        (),
        0.55,
    ),
    "shore": Land(
        ("sand", "gravel"),
        ("5c6b4a", "8a8a6a", "a8a297"),
        (0.12, 0.25),
        (15, 90),
        ("shrub", "pine", "street"),
        (4, 16),
        (15, 40),
        150,
        (0.15, 0.45),
        ("tallgrass",),
        0.2,
    ),
}
WEIGHTS = {"forest": 4, "conifers": 3, "meadow": 3, "rocks": 2.5, "dry": 1.5, "desert": 0.7, "snow": 1, "shore": 1.2}


def build_wood(stage: Stage) -> Scene:
    """Open country of some kind."""
    outdoors()
    rng = stage.rng
    name = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    land = LANDS[name]
    sky = set_sky(stage)
    stage.cache["autumn"] = rng.random() < 0.2
    near = materials.textured(stage, rng.choice(land.ground))
    ground = build_terrain(
        stage,
        rng.uniform(*land.rise_m),
        rng.uniform(9, 26),
        near,
        far_ground(stage, land.far),
        rng.uniform(*land.hills_m),
    )
    spots: Spots = [(x, y, 0.0) for x, y in ((rng.uniform(-5, 5), rng.uniform(-5, 5)) for _ in range(2))]
    spots += _trees(stage, land, ground)
    stones = [rock(stage) for _ in range(3)]
    spots += _rocks(stage, land, ground, stones)
    tufts = [
        grass_tuft(
            stage,
            rng.uniform(*land.tall_m),
            flowers=name == "meadow" and rng.random() < 0.5,
            dry=0.8 if name in ("dry", "desert", "shore") else 0.12,
        )
        for _ in range(4)
    ]
    scatter(stage, tufts, ground, (0, 0), 32, int(1.4 * land.tufts))
    _groups(stage, land, ground, (spots[:6], stones, tufts))
    _low_plants(stage, land, ground)
    water_level = _water(stage) if name == "shore" else -1e9
    spots += put_animals(stage, ground, rng.choice([0, 0, 1, 2, 3]))
    if has_people(stage) and rng.random() < 0.3:
        spots += _walker(stage, ground)
    foggy = rng.random() < 0.22
    haze = rng.uniform(30, 200) if foggy else rng.uniform(1500, 8000)
    return Scene(
        f"{name}-{sky.kind}",
        lambda draw: looking_at(draw, draw.choice(spots)[:2], ground, (1.3, 9), water_level),
        haze_m=haze,
        exposure_ev=land.exposure_ev,
        apart_m=1.3,
        ground=ground,
        spots=spots,
        near_things=0.65,
        least_unexplained=0.3,
    )


def _trees(stage: Stage, land: Land, ground: Ground) -> Spots:
    rng = stage.rng
    trees = make_trees(stage, rng.randint(3, 5), land.trees)
    dense = land.tree_count[0] > 80
    spots: Spots = []
    for number in range(rng.randint(*land.tree_count)):
        heading, away = rng.uniform(0, 2 * math.pi), 2.5 + (38 if dense else 52) * rng.random() ** 0.62
        x, y = away * math.cos(heading), away * math.sin(heading)
        plant(stage, rng.choice(trees), (x, y, ground(x, y) - 0.08), rng.uniform(0.55, 1.2))
        if number < 4:
            spots.append((x, y, ground(x, y)))
    return spots


def _rocks(stage: Stage, land: Land, ground: Ground, stones: list[list[materials.bpy.types.Object]]) -> Spots:
    rng = stage.rng
    spots: Spots = []
    for _ in range(rng.randint(*land.rock_count)):
        heading, away = rng.uniform(0, 2 * math.pi), 1.5 + 28 * rng.random() ** 0.7
        size = min(rng.expovariate(1.6) + 0.12, 4.5 if away > 6 else 1.2)
        x, y = away * math.cos(heading), away * math.sin(heading)
        put_rock(stage, rng.choice(stones), ground, (x, y), size)
        if size > 0.6:
            spots.append((x, y, ground(x, y)))
    return spots


def _groups(stage: Stage, land: Land, ground: Ground, around: tuple[Spots, list, list]) -> None:
    """Something near each of the first spots: stones, shrubs, grass, a fallen trunk."""
    rng = stage.rng
    spots, stones, tufts = around
    shrubs = make_trees(stage, 2, ("shrub",))
    for x, y, _ in spots:
        for _ in range(rng.randint(0, 4)):
            put_rock(
                stage, rng.choice(stones), ground, (x + rng.gauss(0, 0.9), y + rng.gauss(0, 0.9)), rng.uniform(0.1, 0.9)
            )
        for _ in range(rng.randint(0, 3)):
            px, py = x + rng.gauss(0, 1.7), y + rng.gauss(0, 1.7)
            plant(stage, rng.choice(shrubs), (px, py, ground(px, py) - 0.05), rng.uniform(0.35, 1.0))
        if land.tufts > 300:
            scatter(stage, tufts, ground, (x, y), 2.0, 50)
        if land.tree_count[0] > 80 and rng.random() < 0.4:
            _fallen_trunk(stage, ground, (x + rng.gauss(0, 1), y + rng.gauss(0, 1)))


def _fallen_trunk(stage: Stage, ground: Ground, place: tuple[float, float]) -> None:
    rng = stage.rng
    trunk = cylinder(
        (*place, ground(*place) + 0.12),
        rng.uniform(0.12, 0.3),
        rng.uniform(2, 6),
        materials.textured(stage, "bark"),
        top=0.09,
        sides=18,
    )
    trunk.rotation_euler = (math.pi / 2 + rng.gauss(0, 0.06), 0, rng.uniform(0, 2 * math.pi))


def _low_plants(stage: Stage, land: Land, ground: Ground) -> None:
    rng = stage.rng
    heights = {"mushroom": 0.12, "cactus": 1.1, "flower": 0.4, "tallgrass": 0.6, "fern": 0.6, "agave": 0.6}
    for category in land.low:
        if not stage.library.has(category) or rng.random() < 0.3:
            continue
        made = place_asset(stage, category)
        scale = heights[category] / max(made["size_m"])
        made.scale = (scale,) * 3
        prototype = list(put_aside([made]))
        for _ in range(rng.randint(6, 50)):
            heading, away = rng.uniform(0, 2 * math.pi), 13 * rng.random() ** 0.6
            x, y = away * math.cos(heading), away * math.sin(heading)
            copies(
                prototype,
                Matrix.Translation((x, y, ground(x, y) - 0.01))
                @ Matrix.Rotation(rng.uniform(0, 6.3), 4, "Z")
                @ Matrix.Scale(rng.uniform(0.6, 1.4), 4),
            )


def _water(stage: Stage) -> float:
    level = stage.rng.uniform(-0.12, 0.03)
    box((0, 0, level - 0.3), (3000, 3000, 0.3), materials.water(stage.rng), name="water")
    return level


def _walker(stage: Stage, ground: Ground) -> Spots:
    rng = stage.rng
    x, y = rng.uniform(-6, 6), rng.uniform(-6, 6)
    body = person(stage, {"walk", "stand", "arms", "crouch"})
    body.made.location, body.made.rotation_euler[2] = (x, y, ground(x, y)), rng.uniform(0, 2 * math.pi)
    return [(x, y, ground(x, y))]
