"""Trees and bushes: branching wood, leaves in clusters on the twigs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import bpy
import numpy as np
from generator import materials, palette
from generator.furniture import place_asset
from generator.meshes import Object, copies, put_aside, quads
from generator.stage import Stage
from mathutils import Euler, Matrix


@dataclass(frozen=True)
class Habit:
    """How a kind of tree grows.

    Attributes:
        height_m: least and greatest.
        bare: part of the trunk without boughs.
        rise: how steeply boughs leave the trunk (0 flat, 1 upright).
        spread: length of boughs in trunk lengths.
        forks: branches that each branch carries.
        leaves: how many; 0 for a bare tree.
        leaf_m: length of a leaf.
        cluster_m: radius of the cluster around a twig's end.
    """

    height_m: tuple[float, float]
    bare: float
    rise: float
    spread: float
    forks: int
    leaves: int
    leaf_m: float
    cluster_m: float


HABITS = {
    "oak": Habit((7, 13), 0.25, 0.35, 0.62, 4, 34000, 0.10, 0.42),
    "ash": Habit((8, 15), 0.4, 0.6, 0.5, 4, 30000, 0.09, 0.40),
    "poplar": Habit((9, 16), 0.12, 0.85, 0.28, 4, 26000, 0.08, 0.32),
    "birch": Habit((7, 13), 0.3, 0.55, 0.38, 4, 20000, 0.06, 0.40),
    "street": Habit((5, 8), 0.38, 0.55, 0.48, 4, 24000, 0.09, 0.34),
    "apple": Habit((3, 5), 0.3, 0.35, 0.6, 4, 16000, 0.07, 0.28),
    "bare": Habit((6, 11), 0.28, 0.5, 0.5, 5, 0, 0.0, 0.0),
}
KINDS = (*HABITS, "spruce", "pine", "shrub")


@dataclass
class Prototype:
    """A tree to place many times.

    Attributes:
        kind: one of ``KINDS``.
        height_m: as it was made.
        objects: hidden; copies of them are seen.
    """

    kind: str
    height_m: float
    objects: list[Object] = field(default_factory=list)


class _Growth:
    """Segments of wood and ends of twigs, as they grow."""

    def __init__(self, chance: np.random.Generator):
        self.chance = chance
        self.segments: list[tuple[np.ndarray, np.ndarray, float, float]] = []
        self.ends: list[np.ndarray] = []

    def branch(
        self, start: np.ndarray, way: np.ndarray, length: float, radius: float, level: int, habit: Habit
    ) -> None:
        """Grow a branch and what it carries."""
        steps = 6 if level == 0 else 4
        place = start
        for step in range(steps):
            lift = 0.10 if level == 0 else 0.10 * habit.rise
            way = way + self.chance.normal(0, 0.07 if level == 0 else 0.2, 3) + (0, 0, lift)
            way = way / np.linalg.norm(way)
            after = place + way * length / steps
            thick, thin = radius * (1 - 0.7 * step / steps), radius * (1 - 0.7 * (step + 1) / steps)
            self.segments.append((place, after, thick, thin))
            place = after
            share = (step + 1) / steps
            if level >= 2 or (level == 1 and step >= 2):
                self.ends.append(place)
            if level < 3 and share > (habit.bare if level == 0 else 0.2):
                self._fork(place, way, (length * (1 - 0.35 * share), thin), level, habit)

    def _fork(self, place: np.ndarray, way: np.ndarray, size: tuple[float, float], level: int, habit: Habit) -> None:
        count = habit.forks if level == 0 else int(self.chance.integers(1, habit.forks - 1))
        around = self.chance.uniform(0, 2 * math.pi)
        for number in range(count):
            heading = around + 2 * math.pi * number / count + self.chance.normal(0, 0.4)
            rise = habit.rise * self.chance.uniform(0.4, 1.3)
            side = np.array([math.cos(heading) * math.cos(rise), math.sin(heading) * math.cos(rise), math.sin(rise)])
            side = side + 0.35 * way
            length = size[0] * (habit.spread if level == 0 else 0.55) * self.chance.uniform(0.65, 1.1)
            self.branch(place, side / np.linalg.norm(side), length, 0.62 * size[1], level + 1, habit)


def make_tree(stage: Stage, kind: str) -> Prototype:
    """A tree of a kind, hidden, to be copied."""
    chance = np.random.default_rng(stage.rng.randrange(1 << 32))
    if kind in ("spruce", "pine"):
        return _conifer(stage, chance, kind)
    if kind == "shrub":
        return _shrub(stage, chance)
    habit = HABITS[kind]
    height = chance.uniform(*habit.height_m)
    growth = _Growth(chance)
    growth.branch(np.zeros(3), np.array([0.0, 0.0, 1.0]), 0.72 * height, 0.021 * height, 0, habit)
    bark = materials.textured(
        stage, "bark", tint=palette.linear("cfcabd") if kind == "birch" and stage.chance(0.8) else None, bump=0.6
    )
    objects = [_wood(growth, bark, finest=0.004 if kind == "bare" else 0.012)]
    if habit.leaves:
        season = stage.rng.random() if stage.cache.get("autumn") else 0.4 * stage.rng.random()
        points, faces = _clusters(chance, np.array(growth.ends), habit.leaves, habit.leaf_m, habit.cluster_m)
        objects.append(quads("leaves", points, faces, [materials.leaf(stage.rng, palette.leaf(stage.rng, season))]))
    return Prototype(kind, height, list(put_aside(objects)))


def make_trees(stage: Stage, count: int, kinds: tuple[str, ...]) -> list[Prototype]:
    """Several trees to choose from."""
    return [make_tree(stage, stage.rng.choice(kinds)) for _ in range(count)]


def plant(stage: Stage, tree: Prototype, place: tuple[float, float, float], scale: float = 1.0) -> None:
    """Put a copy of a tree somewhere, turned at random and hardly leaning."""
    rng = stage.rng
    turn = Euler((rng.gauss(0, 0.025), rng.gauss(0, 0.025), rng.uniform(0, 2 * math.pi))).to_matrix().to_4x4()
    shape = Matrix.Diagonal((scale * rng.uniform(0.9, 1.1), scale * rng.uniform(0.9, 1.1), scale, 1))
    copies(tree.objects, Matrix.Translation(place) @ turn @ shape)


def grow_bough(stage: Stage, start: np.ndarray, end: np.ndarray) -> None:
    """A leafy bough from one point to about another, as it hangs before a lens; bare now and then."""
    chance = np.random.default_rng(stage.rng.randrange(1 << 32))
    way, length = end - start, float(np.linalg.norm(end - start))
    leaf_m = float(chance.uniform(0.03, 0.11))
    leaves = 0 if stage.chance(0.1) else int(chance.uniform(120, 500) * max(length, 0.5))
    habit = Habit((length, length), 0.1, float(chance.uniform(0.1, 0.6)), 0.6, 4, leaves, leaf_m, 1.2 * leaf_m)
    growth = _Growth(chance)
    growth.branch(start, way / length, length, 0.012 * length + 0.003, 1, habit)
    _wood(growth, materials.textured(stage, "bark"), finest=0.0015)
    if leaves and growth.ends:
        season = stage.rng.random() if stage.cache.get("autumn") else 0.4 * stage.rng.random()
        near = np.array(growth.ends)[chance.integers(len(growth.ends), size=leaves)]
        middle = near + chance.normal(0, habit.cluster_m, (leaves, 3))
        points, faces = _leaf_quads(chance, middle, leaf_m * chance.uniform(0.6, 1.35, (leaves, 1)), flat=0.65)
        quads("leaves", points, faces, [materials.leaf(stage.rng, palette.leaf(stage.rng, season))])


def _wood(growth: _Growth, bark: bpy.types.Material, finest: float) -> Object:
    segments = [segment for segment in growth.segments if segment[2] >= finest]
    start, end = np.array([segment[0] for segment in segments]), np.array([segment[1] for segment in segments])
    thick, thin = np.array([segment[2] for segment in segments]), np.array([segment[3] for segment in segments])
    way = end - start
    way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-9
    first = np.cross(way, (0.9, 0.1, 0.3))
    first /= np.linalg.norm(first, axis=1, keepdims=True) + 1e-9
    second = np.cross(way, first)
    sides = 7
    angle = np.arange(sides) * 2 * np.pi / sides
    ring = first[:, None] * np.cos(angle)[:, None] + second[:, None] * np.sin(angle)[:, None]
    points = np.stack([start[:, None] + ring * thick[:, None, None], end[:, None] + ring * thin[:, None, None]], 1)
    segment, side = np.mgrid[: len(segments), :sides]
    low = segment * 2 * sides
    faces = np.stack(
        [low + side, low + (side + 1) % sides, low + sides + (side + 1) % sides, low + sides + side], -1
    ).reshape(-1, 4)
    made = quads("trunk", points.reshape(-1, 3), faces, [bark])
    made.data.shade_smooth()
    return made


def _clusters(
    chance: np.random.Generator, ends: np.ndarray, count: int, leaf_m: float, radius_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Leaves around the ends of twigs; where there are few ends, clusters are larger."""
    growth = min(2.0, max(1.0, (900 / len(ends)) ** 0.33))
    near = ends[chance.integers(len(ends), size=count)] + chance.normal(0, 0.6 * radius_m * growth, (count, 3)) * (
        1,
        1,
        0.75,
    )
    return _leaf_quads(chance, near, leaf_m * chance.uniform(0.6, 1.35, (count, 1)) * growth**0.5, flat=0.65)


def _leaf_quads(
    chance: np.random.Generator, middle: np.ndarray, length: np.ndarray, flat: float
) -> tuple[np.ndarray, np.ndarray]:
    count = len(middle)
    along = chance.normal(size=(count, 3)) * (1, 1, 1 - flat) + (0, 0, -0.25)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(along, chance.normal(size=(count, 3)) * (1 - flat, 1 - flat, 1) + (0, 0, 0.6))
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    corners = np.stack(
        [
            middle - along * length * 0.5,
            middle + across * length * 0.28,
            middle + along * length * 0.5,
            middle - across * length * 0.28,
        ],
        1,
    )
    return corners.reshape(-1, 3), np.arange(4 * count).reshape(-1, 4)


def _conifer(stage: Stage, chance: np.random.Generator, kind: str) -> Prototype:
    """Whorls of drooping boughs set with needles: from the ground for a spruce, near the top for a pine."""
    height = chance.uniform(7, 16)
    growth = _Growth(chance)
    growth.segments += [
        (
            np.array([0, 0, height * k / 6]),
            np.array([0, 0, height * (k + 1) / 6]),
            0.024 * height * (1 - k / 6.2),
            0.024 * height * (1 - (k + 1) / 6.2),
        )
        for k in range(6)
    ]
    z = height * (chance.uniform(0.04, 0.15) if kind == "spruce" else chance.uniform(0.45, 0.6))
    reach = chance.uniform(0.2, 0.3) if kind == "spruce" else chance.uniform(0.3, 0.45)
    twigs, ways = [], []
    while z < 0.98 * height:
        radius = (height - z) * reach * chance.uniform(0.75, 1.15) + 0.1
        around = chance.uniform(0, 2 * math.pi)
        count = int(chance.integers(5, 9))
        for number in range(count):
            heading = around + 2 * math.pi * number / count + chance.normal(0, 0.2)
            droop = chance.uniform(0.15, 0.45) if kind == "spruce" else chance.uniform(-0.4, 0.1)
            way = np.array([math.cos(heading), math.sin(heading), -droop])
            length = radius * chance.uniform(0.7, 1.1)
            base = np.array([0, 0, z + chance.normal(0, 0.05)])
            growth.segments.append((base, base + way * length, 0.006 * height * (1 - z / height) + 0.006, 0.004))
            for share in np.arange(0.15, 1.0, max(0.05, 0.16 / max(length, 0.2))):
                twigs.append(base + way * length * share - (0, 0, 0.1 * length * share**2))
                ways.append(way)
        z += height * chance.uniform(0.018, 0.035)
    points, faces = _needles(chance, np.array(twigs), np.array(ways))
    green = materials.leaf(stage.rng, palette.pick(stage.rng, palette.CONIFERS, 0.2), variation=0.25)
    objects = [_wood(growth, materials.textured(stage, "bark"), finest=0.007), quads("leaves", points, faces, [green])]
    return Prototype(kind, height, list(put_aside(objects)))


def _needles(chance: np.random.Generator, twigs: np.ndarray, ways: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Side twigs with needles, each as one narrow leaf along the bough's direction."""
    per_twig = max(3, 80000 // len(twigs))
    base, way = np.repeat(twigs, per_twig, axis=0), np.repeat(ways, per_twig, axis=0)
    count = len(base)
    along = way + chance.normal(0, 0.65, (count, 3)) * (1, 1, 0.5) - (0, 0, 0.15)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(along, chance.normal(size=(count, 3)) + (0, 0, 1.2))
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    length = chance.uniform(0.10, 0.30, (count, 1))
    corners = np.stack(
        [
            base,
            base + along * length * 0.5 + across * 0.018,
            base + along * length,
            base + along * length * 0.5 - across * 0.018,
        ],
        1,
    )
    return corners.reshape(-1, 3), np.arange(4 * count).reshape(-1, 4)


def _shrub(stage: Stage, chance: np.random.Generator) -> Prototype:
    """A bush of the library, or stems from one root with leaves."""
    height = chance.uniform(0.7, 2.0)
    if stage.library.has("bush") and stage.chance(0.5):
        bush = place_asset(stage, "bush")
        scale = height / max(bush["size_m"][2], 0.1)
        bush.scale = (scale,) * 3
        return Prototype("shrub", height, list(put_aside([bush])))
    habit = Habit((0.7, 2.0), 0.05, 0.9, 0.6, 4, 9000, 0.045 * height**0.5, 0.10 * height)
    growth = _Growth(chance)
    for _ in range(int(chance.integers(4, 8))):
        heading = chance.uniform(0, 2 * math.pi)
        growth.branch(
            np.zeros(3),
            np.array([0.5 * math.cos(heading), 0.5 * math.sin(heading), 0.8]),
            0.75 * height,
            0.012,
            1,
            habit,
        )
    points, faces = _clusters(chance, np.array(growth.ends), habit.leaves, habit.leaf_m, habit.cluster_m)
    leaves = quads(
        "leaves", points, faces, [materials.leaf(stage.rng, palette.leaf(stage.rng, 0.5 * stage.rng.random()))]
    )
    wood = _wood(growth, materials.textured(stage, "bark"), finest=0.003)
    return Prototype("shrub", height, list(put_aside([wood, leaves])))
