"""Street world: road, pavements, rows of buildings, cars, poles, signs, trees, people, sky."""

from __future__ import annotations

import numpy as np

from midas.scenes.bodies import add_person
from midas.scenes.camera import Camera, Vector
from midas.scenes.furniture import Piece
from midas.scenes.outdoors import add_bush, add_daylight, add_ground, add_tree, leaf_material
from midas.scenes.palette import draw_color, shade
from midas.scenes.scene import Material, Scene

LENGTH_M = 260.0


def street(rng: np.random.Generator) -> Scene:
    """A street along +y, seen from the road or a pavement."""
    half_road, pavement = float(rng.uniform(3, 7)), float(rng.uniform(1.5, 4))
    side = float(rng.uniform(-1, 1)) * (half_road + 0.8 * pavement)
    eye = (side, 0.0, float(rng.choice([1.3, 1.6, 2.2, 5.0], p=[0.35, 0.4, 0.15, 0.1])))
    yaw_deg = float(rng.normal(0, 14)) if rng.random() < 0.8 else float(rng.uniform(-60, 60))
    camera = Camera(eye, yaw_deg, float(rng.normal(0, 4)), float(rng.normal(0, 1.5)), float(rng.uniform(40, 88)))
    scene = Scene(camera)
    add_daylight(scene, rng)
    add_ground(scene, rng, "grass" if rng.random() < 0.4 else "stone", "grain")
    _pave(scene, rng, half_road, pavement)
    open_country = rng.random() < 0.25
    for direction in (-1.0, 1.0):
        if not open_country or rng.random() < 0.3:
            _add_buildings(scene, rng, direction, half_road + pavement + float(rng.uniform(0, 5)))
        _line_with_things(scene, rng, direction, half_road, pavement)
    _add_cars(scene, rng, half_road)
    for _ in range(int(rng.integers(0, 5))):
        x = float(rng.choice([-1, 1])) * (half_road + float(rng.uniform(0.3, 1.0)) * pavement)
        if abs(x - side) > 0.7:
            add_person(scene, rng, (x, 3 + 30 * float(rng.random()) ** 1.5, 0.0), float(rng.uniform(-180, 180)))
    return scene


def _pave(scene: Scene, rng: np.random.Generator, half_road: float, pavement: float) -> None:
    start = -20.0
    asphalt, stone = draw_color(rng, "asphalt"), draw_color(rng, "stone")
    road = Material(asphalt, shade(asphalt, 0.6), "grain", float(rng.uniform(1, 3)))
    scene.quad((-half_road, start, 0), (2 * half_road, 0, 0), (0, 900, 0), road, decal=True, ground=True)
    slabs = Material(
        stone, shade(stone, 0.5), str(rng.choice(["tiles", "blocks", "grain"])), float(rng.uniform(1.5, 3))
    )
    for x in (-half_road - pavement, half_road):
        scene.quad((x, start, 0), (pavement, 0, 0), (0, 900, 0), slabs, decal=True, ground=True)
        kerb = x + pavement if x < 0 else x
        scene.quad((kerb - 0.08, start, 0), (0.16, 0, 0), (0, 900, 0), Material(stone, stone), decal=True, ground=True)
    paint = Material((0.75, 0.75, 0.72), asphalt, "rough", 2.0)
    if rng.random() < 0.75:
        gap = float(rng.uniform(3, 7))
        for number in range(22):
            scene.quad((-0.08, number * gap, 0), (0.16, 0, 0), (0, gap / 2, 0), paint, decal=True, ground=True)
    if rng.random() < 0.25:
        at = float(rng.uniform(4, 25))
        for x in np.arange(-half_road + 0.4, half_road - 0.4, 1.0).tolist():
            scene.quad((x, at, 0), (0.5, 0, 0), (0, 3.2, 0), paint, decal=True, ground=True)


def _add_buildings(scene: Scene, rng: np.random.Generator, direction: float, distance_m: float) -> None:
    y, tall = float(rng.uniform(-12, 3)), float(rng.choice([4, 9, 16, 35]))
    while y < LENGTH_M:
        front, depth = float(rng.uniform(7, 22)), float(rng.uniform(8, 16))
        height = tall * float(rng.uniform(0.7, 1.4))
        setback = distance_m + (float(rng.uniform(0, 4)) if rng.random() < 0.4 else 0.0)
        wall = _wall_material(rng)
        centre = (direction * (setback + depth / 2), y + front / 2, height / 2)
        scene.box(centre, (depth, front, height), wall, casts=y < 80)
        piece = Piece(scene, (direction * setback, y + front / 2, 0.0), -90.0 * direction)
        if y < 70:
            _add_front(piece, rng, (front, height), wall)
        if height < 14 and rng.random() < 0.7:
            _add_roof(scene, rng, centre, (depth, front, height))
        y += front + (float(rng.uniform(1, 12)) if rng.random() < 0.35 else 0.0)


def _wall_material(rng: np.random.Generator) -> Material:
    pattern = str(rng.choice(["facade", "facade", "facade", "offices", "ribbons"]))
    kind = str(rng.choice(["wall", "brick", "stone", "any"], p=[0.4, 0.25, 0.25, 0.1]))
    tile_m = {"facade": 6.0, "offices": 11.0, "ribbons": 9.0}[pattern] * float(rng.uniform(0.8, 1.3))
    return Material(draw_color(rng, kind), draw_color(rng, "glass"), pattern, tile_m, gloss=0.1)


def _add_front(piece: Piece, rng: np.random.Generator, sides: tuple[float, float], wall: Material) -> None:
    """A plinth with a door, a shop window, balconies: the piece's own y points into the house."""
    front, height = sides
    dark = Material(draw_color(rng, "dark"), draw_color(rng, "glass"), "panels", 0.0, gloss=0.2)
    stone = Material(shade(wall.first, 0.6), shade(wall.first, 0.5), "blocks", 1.5)
    piece.box((-front / 2, -0.12, 0), (front / 2, 0.1, float(rng.uniform(0.3, 0.8))), stone)
    at = float(rng.uniform(-0.35, 0.35)) * front
    piece.box((at - 0.6, -0.16, 0), (at + 0.6, 0.1, 2.2), dark)
    if rng.random() < 0.35:
        cloth = Material(draw_color(rng, "vivid"), draw_color(rng, "white"), "stripes", 1.0)
        piece.box((-0.4 * front, -1.2, 2.6), (0.4 * front, 0, 2.8), cloth)
    for storey in range(1, min(int(rng.integers(1, 5)), int(height / 3 - 0.3))):
        piece.box((-0.3 * front, -0.9, 3 * storey), (0.1 * front, 0, 3 * storey + 0.9), stone)


def _add_roof(scene: Scene, rng: np.random.Generator, centre: Vector, sides: Vector) -> None:
    """A ridge along the street."""
    x, y, top = centre[0], centre[1], centre[2] + sides[2] / 2
    half, front, rise = sides[0] / 2 + 0.4, sides[1], float(rng.uniform(1.5, 4))
    color = draw_color(rng, "brick")
    roof = Material(color, shade(color, 0.5), "bricks", 2.5)
    low, high = y - front / 2, y + front / 2
    scene.quad((x - half, high, top), (0, low - high, 0), (half, 0, rise), roof)
    scene.quad((x + half, low, top), (0, high - low, 0), (-half, 0, rise), roof)
    for end in (low, high):
        scene.quad((x - half, end, top), (2 * half, 0, 0), (0, 0, rise), Material(color, color), cutout="gable")


def _line_with_things(
    scene: Scene, rng: np.random.Generator, direction: float, half_road: float, pavement: float
) -> None:
    """Trees, lamp posts and signs along one kerb."""
    metal = Material(draw_color(rng, "metal"), draw_color(rng, "metal"), gloss=0.3)
    leaves, x = leaf_material(rng), direction * (half_road + 0.5)
    if rng.random() < 0.6:
        gap = float(rng.uniform(8, 16))
        for number in range(7):
            foot = (x + direction * 0.3 * pavement, 8 + gap * (number + float(rng.uniform(-0.2, 0.2))), 0.0)
            add_tree(scene, rng, foot, float(rng.uniform(4, 9)), leaves)
    gap, height = float(rng.uniform(18, 35)), float(rng.uniform(4, 8))
    for number in range(5):
        y = 4 + gap * (number + 0.5)
        scene.rod((x, y, 0), (x, y, height), 0.07, metal)
        scene.rod((x, y, height), (x - direction * 1.4, y, height + 0.2), 0.05, metal)
    for _ in range(int(rng.integers(0, 3))):
        y, color = float(rng.uniform(4, 40)), draw_color(rng, "vivid")
        scene.rod((x, y, 0), (x, y, 2.6), 0.035, metal)
        scene.box((x, y - 0.05, 2.4), (0.6, 0.03, 0.6), Material(color, (0.8, 0.8, 0.8), "checker", 0.0))
    for _ in range(int(rng.integers(0, 4))):
        place = (direction * (half_road + pavement + 0.6), float(rng.uniform(4, 40)), 0.0)
        add_bush(scene, rng, place, float(rng.uniform(0.5, 1.2)), leaves)


def _add_cars(scene: Scene, rng: np.random.Generator, half_road: float) -> None:
    for direction in (-1.0, 1.0):
        y = float(rng.uniform(4, 14))
        parked = rng.random() < 0.5
        x = direction * (half_road - 1.05 if parked else half_road / 2)
        while y < 75 and rng.random() < 0.75:
            if abs(x - scene.camera.position[0]) > 1.3 or y > 7:
                add_car(scene, rng, (x, y, 0.0), 0.0 if direction > 0 else 180.0)
            y += float(rng.uniform(5.2, 7) if parked else rng.uniform(9, 28))


def add_car(scene: Scene, rng: np.random.Generator, place: Vector, turn_deg: float) -> None:
    """A car, a van or a bus: body, cabin, wheels, lights."""
    piece, color = Piece(scene, place, turn_deg), draw_color(rng, "any")
    paint, tyre = Material(color, shade(color, 0.9), gloss=0.5), Material((0.01, 0.01, 0.01), (0.02, 0.02, 0.02))
    glass = Material(draw_color(rng, "dark"), draw_color(rng, "glass"), "clouded", 1.0, gloss=0.6)
    length, width = float(rng.uniform(1.8, 2.4)), float(rng.uniform(0.78, 0.9))
    waist, roof = float(rng.uniform(0.75, 0.95)), float(rng.uniform(1.4, 1.6))
    front, back = (0.4, 0.75) if rng.random() < 0.7 else (0.75, 0.97)
    if rng.random() < 0.12:
        length, roof, front, back = length * 1.4, 2.3, 0.93, 0.98
    piece.box((-width, -length, 0.28), (width, length, waist), paint)
    piece.box((-0.88 * width, -back * length, waist), (0.88 * width, front * length, roof - 0.08), glass)
    piece.box((-0.9 * width, -0.96 * back * length, roof - 0.08), (0.9 * width, 0.9 * front * length, roof), paint)
    for y in (-0.62 * length, 0.62 * length):
        for x in (-width - 0.02, width - 0.18):
            piece.rod((x, y, 0.32), (x + 0.2, y, 0.32), 0.32, tyre)
    for x in (-width + 0.08, width - 0.38):
        red = Material((0.6, 0.02, 0.02), (0.6, 0.02, 0.02), glow=0.3)
        white = Material((0.9, 0.9, 0.8), (0.9, 0.9, 0.8), glow=0.3)
        piece.box((x, -length - 0.02, 0.58), (x + 0.3, -length + 0.02, 0.72), red)
        piece.box((x, length - 0.02, 0.55), (x + 0.3, length + 0.02, 0.7), white)
