"""Ground that rolls, hills at the horizon, grass, stones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import bpy
import numpy as np
from generator import materials, palette
from generator.furniture import place_asset
from generator.meshes import Object, copies, grid_faces, put_aside, quads, smooth_below, surface
from generator.nodes import Shader
from generator.stage import Stage
from mathutils import Euler, Matrix

Ground = Callable[[float, float], float]

NEAR_M = 70.0


def rolling(stage: Stage, rise_m: float, length_m: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Smooth hills: waves of several lengths, each half as high as the one before."""
    rng = stage.rng
    terms = []
    for octave in (0, 0, 0, 1, 1, 2, 2, 3):
        heading, frequency = rng.uniform(0, 2 * math.pi), 2**octave / length_m * rng.uniform(0.7, 1.3)
        terms.append(
            (frequency * math.cos(heading), frequency * math.sin(heading), rng.uniform(0, 6.3), rise_m / 2.2**octave)
        )

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return sum(size * np.sin(kx * x + ky * y + phase) for kx, ky, phase, size in terms) / 2.5

    return height


def build_terrain(
    stage: Stage, rise_m: float, length_m: float, near: bpy.types.Material, far: bpy.types.Material, hills_m: float
) -> Ground:
    """The ground around the origin, and rings of hills out to the horizon; gives its height anywhere near."""
    height = rolling(stage, rise_m, length_m)
    steps = np.linspace(-NEAR_M, NEAR_M, 170)
    surface(steps, steps, height, near, "ground")
    distant = rolling(stage, hills_m, stage.rng.uniform(120, 260))
    angle = np.linspace(0, 2 * np.pi, 181)
    rings = []
    for number in range(27):
        radius = 0.97 * NEAR_M * 1.16**number
        x, y = radius * np.cos(angle), radius * np.sin(angle)
        share = np.clip((radius - NEAR_M) / (4 * NEAR_M), 0, 1)
        close = height(np.clip(x, -NEAR_M, NEAR_M), np.clip(y, -NEAR_M, NEAR_M)) * max(0, 1 - number / 5)
        rough = 0.07 * hills_m * np.sin(0.031 * x) * np.cos(0.027 * y)
        rings.append(np.stack([x, y, close - 0.3 + share * (np.abs(distant(x, y)) + rough)], -1))
    made = quads("hills", np.concatenate(rings), grid_faces(len(rings), len(angle)), [far])
    made.data.shade_smooth()
    return lambda x, y: float(height(np.float64(x), np.float64(y)))


def far_ground(stage: Stage, tones: tuple[str, str, str]) -> bpy.types.Material:
    """Fields, woods and rock seen from far: patches in three tones."""
    shader = Shader("far")
    place = shader.place(own=False)
    broad, fine = shader.noise(place, 0.02, 4), shader.noise(place, 0.35, 3)
    colour = shader.ramp(
        broad, [(position, palette.linear(tone)) for position, tone in zip((0.38, 0.5, 0.62), tones, strict=True)]
    )
    return shader.done(
        shader.mix(0.8, colour, shader.ramp(fine, [(0.35, (0.45,) * 3), (0.65, (1.1,) * 3)]), "MULTIPLY"), 0.95
    )


def grass_tuft(stage: Stage, height_m: float, *, flowers: bool = False, dry: float = 0.0) -> list[Object]:
    """A tuft of bent blades, hidden, to be copied."""
    rng = stage.rng
    chance = np.random.default_rng(rng.randrange(1 << 32))
    count = 130
    root = np.concatenate([chance.normal(0, 0.2, (count, 2)), np.zeros((count, 1))], 1)
    heading = chance.uniform(0, 2 * math.pi, count)
    way = np.stack([np.cos(heading), np.sin(heading), np.zeros(count)], -1)
    side = (
        np.stack([-np.sin(heading), np.cos(heading), np.zeros(count)], -1)
        * chance.uniform(0.002, 0.005, (count, 1))
        * (height_m / 0.2) ** 0.5
    )
    tall = height_m * chance.uniform(0.45, 1.25, (count, 1))
    bend = chance.uniform(0.1, 0.8, (count, 1)) * tall
    up = np.array([0, 0, 1.0])
    middle, tip = root + 0.35 * bend * way + 0.6 * tall * up, root + bend * way + tall * up
    points = np.stack(
        [root - side, root + side, middle + 0.8 * side, middle - 0.8 * side, tip + 0.1 * side, tip - 0.1 * side], 1
    )
    first = 6 * np.arange(count)[:, None]
    faces = np.concatenate([first + (0, 1, 2, 3), first + (3, 2, 4, 5)])
    tone = (
        palette.pick(rng, ("a39a5c", "b3a468", "8f8a4a"))
        if rng.random() < dry
        else palette.pick(rng, palette.LEAVES, 0.25)
    )
    objects = [quads("grass", points.reshape(-1, 3), faces, [materials.leaf(rng, tone)])]
    if flowers:
        objects.append(_blossoms(stage, chance, height_m))
    return list(put_aside(objects))


def _blossoms(stage: Stage, chance: np.random.Generator, height_m: float) -> Object:
    middle = np.concatenate([chance.normal(0, 0.25, (12, 2)), height_m * chance.uniform(0.8, 1.3, (12, 1))], 1)
    angle = np.arange(6) * np.pi / 3
    petals = []
    for place in middle:
        for turn in angle:
            way, side = np.array([math.cos(turn), math.sin(turn), 0.3]), np.array([-math.sin(turn), math.cos(turn), 0])
            petals.append(
                [place, place + 0.012 * way + 0.007 * side, place + 0.026 * way, place + 0.012 * way - 0.007 * side]
            )
    colour = palette.pick(stage.rng, ("e8e6dc", "e3c23a", "d9a52e", "c94a3d", "8a7ab8", "d98aa0"))
    return quads(
        "grass",
        np.array(petals).reshape(-1, 3),
        np.arange(4 * len(petals)).reshape(-1, 4),
        [materials.plain(colour, 0.6)],
    )


def scatter(
    stage: Stage,
    prototypes: Sequence[list[Object]],
    ground: Ground,
    middle: tuple[float, float],
    radius_m: float,
    count: int,
) -> None:
    """Copies over a disc, denser in its middle."""
    rng = stage.rng
    for _ in range(count):
        heading, away = rng.uniform(0, 2 * math.pi), radius_m * rng.random() ** 1.1
        x, y = middle[0] + away * math.cos(heading), middle[1] + away * math.sin(heading)
        matrix = (
            Matrix.Translation((x, y, ground(x, y) - 0.01))
            @ Matrix.Rotation(rng.uniform(0, 6.3), 4, "Z")
            @ Matrix.Scale(rng.uniform(0.7, 1.5), 4)
        )
        copies(rng.choice(prototypes), matrix)


def rock(stage: Stage) -> list[Object]:
    """A stone about a metre long, hidden, to be copied."""
    if stage.library.has("rock") and stage.chance(0.55):
        made = place_asset(stage, "rock")
        scale = 1 / max(made["size_m"])
        made.scale = (scale,) * 3
        return list(put_aside([made]))
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=5, radius=0.5)
    made = bpy.context.object
    made.name = "rock"
    points = np.empty(3 * len(made.data.vertices))
    made.data.vertices.foreach_get("co", points)
    points = _hewn(points.reshape(-1, 3), np.random.default_rng(stage.rng.randrange(1 << 32)))
    made.data.vertices.foreach_set("co", points.ravel())
    made.data.update()
    made.data.materials.append(materials.textured(stage, "rock"))
    smooth_below(made, 40)
    return list(put_aside([made]))


def _hewn(points: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    for _ in range(16):  # planes cut the ball into facets
        normal = chance.normal(size=3)
        normal /= np.linalg.norm(normal)
        beyond = np.maximum(points @ normal - chance.uniform(0.26, 0.44), 0)
        points = points - 0.9 * beyond[:, None] * normal
    for frequency, depth in ((4, 0.03), (9, 0.014), (20, 0.007), (45, 0.003)):
        waves = chance.normal(size=(5, 3)) * frequency
        points = points * (1 + depth * np.sin(points @ waves.T + chance.uniform(0, 6, 5)).sum(axis=1))[:, None]
    return points * chance.uniform(0.6, 1.2, 3)


def put_rock(stage: Stage, stone: list[Object], ground: Ground, place: tuple[float, float], size_m: float) -> None:
    """A copy of a stone, sunk a little into the ground."""
    rng = stage.rng
    turn = Euler((rng.gauss(0, 0.2), rng.gauss(0, 0.2), rng.uniform(0, 6.3))).to_matrix().to_4x4()
    shape = Matrix.Diagonal((size_m, size_m, size_m * rng.uniform(0.6, 1), 1))
    copies(stone, Matrix.Translation((*place, ground(*place) - 0.13 * size_m)) @ turn @ shape)
