"""Furniture: tables, chairs, shelves, beds, sofas, lamps, plants, made of boxes and cylinders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from midas.scenes.camera import Vector
from midas.scenes.palette import draw_color, shade
from midas.scenes.scene import Material, Scene, turned, upright_frame


def draw_wood(rng: np.random.Generator) -> Material:
    """Wood, sometimes painted."""
    if rng.random() < 0.3:
        color = draw_color(rng, "any")
        return Material(color, shade(color, 0.85), "wood", 0.6, gloss=0.15)
    color = draw_color(rng, "wood")
    return Material(
        color, shade(color, float(rng.uniform(0.45, 0.8))), "wood", float(rng.uniform(0.4, 0.9)), gloss=0.12
    )


def draw_cloth(rng: np.random.Generator) -> Material:
    """Cloth, plain or with a print."""
    color, pattern = draw_color(rng, "cloth"), str(rng.choice(["weave", "plain", "stripes", "plaid", "spots", "weave"]))
    other = draw_color(rng, "cloth") if pattern in {"stripes", "plaid", "spots"} else shade(color, 0.6)
    return Material(color, other, pattern, float(rng.uniform(0.25, 0.7)))


class Piece:
    """Adds parts given in a piece's own coordinates: it stands at the origin and faces -y.

    Args:
        scene: gets the parts.
        origin: where the piece stands.
        turn_deg: to the left.
    """

    def __init__(self, scene: Scene, origin: Vector, turn_deg: float) -> None:
        self.scene = scene
        self.origin = origin
        self.turn_deg = turn_deg

    def at(self, place: Vector) -> Vector:
        """A place in the world."""
        return turned(place, self.turn_deg, self.origin)

    def box(self, low: Vector, high: Vector, material: Material) -> None:
        """A box from its lower to its upper corner."""
        x, y, z = ((a + b) / 2 for a, b in zip(low, high, strict=True))
        width, depth, height = (b - a for a, b in zip(low, high, strict=True))
        self.scene.box(self.at((x, y, z)), (width, depth, height), material, self.turn_deg)

    def rod(self, start: Vector, end: Vector, radius: float, material: Material, kind: str = "cylinder") -> None:
        """A cylinder, or another solid, between two points."""
        self.scene.rod(self.at(start), self.at(end), radius, material, kind)

    def ball(self, centre: Vector, radius: float, material: Material) -> None:
        """A sphere."""
        self.scene.ball(self.at(centre), radius, material)

    def limb(self, start: Vector, end: Vector, radius: float, material: Material) -> None:
        """An ellipsoid that reaches a little beyond two points."""
        self.scene.limb(self.at(start), self.at(end), radius, material)

    def lump(self, centre: Vector, radii: Vector, material: Material) -> None:
        """An upright ellipsoid."""
        frame = upright_frame(self.turn_deg)
        self.scene.solid("ellipsoid", self.at(centre), radii, material, frame)


def table(piece: Piece, rng: np.random.Generator) -> None:
    """A table with four legs and a few things on it."""
    wood, half_x, half_y = draw_wood(rng), float(rng.uniform(0.4, 0.95)), float(rng.uniform(0.35, 0.5))
    top = float(rng.uniform(0.4, 0.78))
    piece.box((-half_x, -half_y, top - 0.04), (half_x, half_y, top), wood)
    for x in (-half_x + 0.06, half_x - 0.06):
        for y in (-half_y + 0.06, half_y - 0.06):
            piece.box((x - 0.03, y - 0.03, 0), (x + 0.03, y + 0.03, top - 0.04), wood)
    for _ in range(int(rng.integers(0, 4))):
        x, y = float(rng.uniform(-0.7, 0.7)) * half_x, float(rng.uniform(-0.7, 0.7)) * half_y
        material, height = replace(draw_cloth(rng), gloss=0.3), float(rng.uniform(0.05, 0.3))
        piece.rod((x, y, top), (x, y, top + height), float(rng.uniform(0.03, 0.09)), material)


def chair(piece: Piece, rng: np.random.Generator) -> None:
    """A chair with a back."""
    wood = draw_wood(rng)
    seat = draw_cloth(rng) if rng.random() < 0.5 else wood
    piece.box((-0.22, -0.22, 0.42), (0.22, 0.22, 0.47), seat)
    for x in (-0.2, 0.2):
        piece.rod((x, -0.2, 0), (x, -0.2, 0.42), 0.02, wood)
        piece.rod((x, 0.2, 0), (x, 0.2, 0.95), 0.02, wood)
    for height in (0.62, 0.78, 0.9) if rng.random() < 0.5 else (0.75,):
        piece.box((-0.22, 0.18, height - 0.05), (0.22, 0.21, height + 0.05), seat)


def sofa(piece: Piece, rng: np.random.Generator) -> None:
    """A sofa or an armchair with cushions."""
    cloth, half = draw_cloth(rng), float(rng.choice([0.45, 0.8, 1.05]))
    piece.box((-half, -0.42, 0.08), (half, 0.42, 0.42), cloth)
    piece.box((-half, 0.22, 0.42), (half, 0.44, 0.85), cloth)
    for x in (-half, half):
        piece.box((x - 0.1, -0.43, 0.06), (x + 0.1, 0.44, 0.62), cloth)
    cushion = draw_cloth(rng)
    for x in (-half + 0.3, half - 0.3)[: int(rng.integers(0, 3))]:
        piece.lump((x, 0.1, 0.6), (0.2, 0.14, 0.2), cushion)


def bed(piece: Piece, rng: np.random.Generator) -> None:
    """A bed with a headboard, a blanket and a pillow."""
    wood, half = draw_wood(rng), float(rng.choice([0.5, 0.8]))
    piece.box((-half, -1.0, 0.1), (half, 1.0, 0.32), wood)
    piece.box((-half, 0.98, 0.0), (half, 1.04, float(rng.uniform(0.7, 1.2))), wood)
    white = Material(draw_color(rng, "white"), draw_color(rng, "white"), "weave", 0.3)
    piece.box((-half + 0.03, -0.98, 0.32), (half - 0.03, 0.97, 0.48), white)
    piece.box((-half - 0.01, -1.01, 0.25), (half + 0.01, 0.4, 0.53), draw_cloth(rng))
    for x in (-half / 2, half / 2) if half > 0.6 else (0.0,):
        piece.lump((x, 0.72, 0.53), (0.28, 0.2, 0.1), white)


def shelf(piece: Piece, rng: np.random.Generator) -> None:
    """A bookshelf, open to the front."""
    wood, half, height = draw_wood(rng), float(rng.uniform(0.35, 0.7)), float(rng.uniform(0.9, 2.1))
    piece.box((-half, 0.12, 0), (half, 0.15, height), wood)
    for x in (-half, half):
        piece.box((x - 0.015, -0.15, 0), (x + 0.015, 0.15, height), wood)
    levels = max(2, round(height / 0.35))
    for level in range(levels + 1):
        z = height * level / levels
        piece.box((-half, -0.15, z), (half, 0.15, z + 0.02), wood)
        if level < levels and rng.random() < 0.75:
            books = Material(draw_color(rng, "any"), draw_color(rng, "any"), "spines", 0.0)
            left, right = sorted(rng.uniform(-half + 0.03, half - 0.03, 2).tolist())
            piece.box((left, -0.08, z + 0.02), (right, 0.1, z + height / levels * float(rng.uniform(0.6, 0.9))), books)


def cupboard(piece: Piece, rng: np.random.Generator) -> None:
    """A chest of drawers or a wardrobe with something on top."""
    wood, half = draw_wood(rng), float(rng.uniform(0.3, 0.7))
    height = float(rng.choice([0.5, 0.8, 1.9])) * float(rng.uniform(0.9, 1.15))
    piece.box((-half, -0.22, 0.03), (half, 0.22, height), replace(wood, pattern="panels", tile_m=0.0))
    if height < 1.2:
        piece.ball((half * 0.4, 0, height + 0.1), 0.1, draw_cloth(rng))
        piece.rod((-half * 0.5, 0, height), (-half * 0.5, 0, height + 0.3), 0.07, replace(draw_cloth(rng), gloss=0.4))


def lamp(piece: Piece, rng: np.random.Generator) -> None:
    """A standing lamp."""
    metal = Material(draw_color(rng, "metal"), draw_color(rng, "metal"), gloss=0.5)
    height = float(rng.uniform(1.2, 1.7))
    piece.rod((0, 0, 0), (0, 0, 0.03), 0.16, metal)
    piece.rod((0, 0, 0), (0, 0, height), 0.015, metal)
    color = draw_color(rng, "white")
    piece.rod((0, 0, height), (0, 0, height + 0.28), 0.19, Material(color, color, glow=0.9))


def potted_plant(piece: Piece, rng: np.random.Generator) -> None:
    """A plant with many leaves, each a quad."""
    pot, color = draw_color(rng, "brick"), draw_color(rng, "leaf")
    leaves = Material(color, shade(color, 0.5), "blades", 0.3)
    piece.rod((0, 0, 0), (0, 0, 0.3), 0.16, Material(pot, shade(pot, 0.8)))
    add_leaves(
        piece.scene, rng, turned((0, 0, 0.3), piece.turn_deg, piece.origin), float(rng.uniform(0.4, 0.9)), leaves
    )


def add_leaves(scene: Scene, rng: np.random.Generator, foot: Vector, length_m: float, material: Material) -> None:
    """Leaves that grow from one place, up and outwards."""
    shape = str(rng.choice(["leaf", "leaf", "fern", "twig"]))
    for _ in range(int(rng.integers(8, 20))):
        around, out, up = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.8), rng.uniform(0.4, 1.0)
        length = length_m * float(rng.uniform(0.6, 1.0))
        east, north, width = float(np.cos(around)), float(np.sin(around)), 0.4 * length
        v = (length * east * float(out), length * north * float(out), length * float(up))
        corner = (foot[0] + north * width / 2, foot[1] - east * width / 2, foot[2])
        scene.quad(corner, (-north * width, east * width, 0.0), v, material, cutout=shape)


# Each piece with the depth and the width of the floor that it takes.
PIECES: dict[str, tuple[Callable[[Piece, np.random.Generator], None], float, float]] = {
    "table": (table, 1.1, 1.9),
    "chair": (chair, 0.6, 0.6),
    "sofa": (sofa, 1.0, 2.2),
    "bed": (bed, 2.2, 1.7),
    "shelf": (shelf, 0.4, 1.4),
    "cupboard": (cupboard, 0.5, 1.4),
    "lamp": (lamp, 0.5, 0.5),
    "plant": (potted_plant, 0.9, 0.9),
}
AGAINST_WALL = ("sofa", "bed", "shelf", "shelf", "cupboard", "cupboard", "table", "lamp", "plant")
