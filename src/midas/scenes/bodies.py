"""Bodies: people and animals made of ellipsoids."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from midas.scenes.camera import Vector
from midas.scenes.furniture import draw_cloth
from midas.scenes.palette import draw_color, shade
from midas.scenes.scene import Material, Scene, turned, upright_frame


@dataclass(frozen=True)
class Body:
    """Adds parts given in a body's own coordinates: it stands at the origin and looks along -y.

    Attributes:
        scene: gets the parts.
        origin: where it stands.
        turn_deg: to the left.
        scale: size of the body over the size that the coordinates are for.
        ragged: of its outline, for fur.
    """

    scene: Scene
    origin: Vector
    turn_deg: float
    scale: float
    ragged: float = 0.0

    def at(self, place: Vector) -> Vector:
        """A place in the world."""
        x, y, z = place
        return turned((x * self.scale, y * self.scale, z * self.scale), self.turn_deg, self.origin)

    def limb(self, start: Vector, end: Vector, radius: float, material: Material) -> None:
        """An ellipsoid from joint to joint."""
        self.scene.limb(self.at(start), self.at(end), radius * self.scale, material, self.ragged)

    def lump(self, centre: Vector, radii: Vector, material: Material) -> None:
        """An ellipsoid along the body's own axes."""
        x, y, z = radii
        sides = (x * self.scale, y * self.scale, z * self.scale)
        self.scene.solid("ellipsoid", self.at(centre), sides, material, upright_frame(self.turn_deg), self.ragged)


def add_person(scene: Scene, rng: np.random.Generator, foot: Vector, turn_deg: float) -> None:
    """A person of 1.1 to 1.9 m, standing or walking."""
    body = Body(scene, foot, turn_deg, float(rng.uniform(0.62, 1.1) if rng.random() < 0.2 else rng.uniform(0.93, 1.08)))
    skin_color = draw_color(rng, "skin")
    skin = Material(skin_color, shade(skin_color, 0.8), "clouded", 0.3, gloss=0.08)
    shirt, trousers = draw_cloth(rng), draw_cloth(rng)
    stride, lean = float(rng.uniform(0, 0.28)), float(rng.uniform(-0.05, 0.05))
    for side in (-1.0, 1.0):
        step, bend = side * stride, 0.05 * stride
        knee, ankle = (0.1 * side, -0.6 * step - bend, 0.5), (0.1 * side, -step + bend, 0.09)
        body.limb((0.09 * side, 0, 0.9), knee, 0.095, trousers)
        body.limb(knee, ankle, 0.07, trousers)
        body.lump(
            (0.1 * side, -step - 0.05, 0.05), (0.055, 0.13, 0.055), Material((0.03, 0.03, 0.03), (0.1, 0.08, 0.06))
        )
    body.lump((0, 0, 0.93), (0.16, 0.115, 0.15), trousers)
    body.lump((0, lean, 1.2), (0.165, 0.115, 0.3), shirt)
    body.lump((0, lean, 1.37), (0.205, 0.1, 0.12), shirt)
    for side in (-1.0, 1.0):
        _add_arm(body, rng, side, shirt, skin)
    _add_head(body, rng, lean, skin)


def _add_arm(body: Body, rng: np.random.Generator, side: float, shirt: Material, skin: Material) -> None:
    raised, forward = float(rng.uniform(-1.4, -0.9)), float(rng.uniform(-0.6, 0.3))
    if rng.random() < 0.15:
        raised = float(rng.uniform(-0.3, 1.2))
    out = math.cos(raised)
    elbow = (side * (0.2 + 0.28 * out), 0.28 * forward * 0.4, 1.4 + 0.28 * math.sin(raised))
    bend = float(rng.uniform(0, 1.0))
    hand = (
        elbow[0] + side * 0.2 * out * (1 - bend),
        elbow[1] - 0.24 * bend,
        elbow[2] + 0.25 * math.sin(raised) * (1 - 0.6 * bend),
    )
    body.limb((side * 0.19, 0, 1.4), elbow, 0.055, shirt)
    body.limb(elbow, hand, 0.045, shirt if rng.random() < 0.6 else skin)
    body.lump(hand, (0.045, 0.05, 0.06), skin)


def _add_head(body: Body, rng: np.random.Generator, lean: float, skin: Material) -> None:
    body.limb((0, lean, 1.42), (0, lean, 1.55), 0.055, skin)
    body.lump((0, lean, 1.64), (0.075, 0.095, 0.12), skin)
    body.lump((0, lean - 0.095, 1.63), (0.014, 0.022, 0.026), skin)
    white, dark = (
        Material((0.8, 0.8, 0.8), (0.8, 0.8, 0.8), gloss=0.4),
        Material((0.02, 0.015, 0.01), (0.04, 0.03, 0.02)),
    )
    lips = Material(shade(skin.first, 0.55), shade(skin.first, 0.5))
    for side in (-1.0, 1.0):
        body.lump((0.03 * side, lean - 0.077, 1.665), (0.016, 0.012, 0.009), white)
        body.lump((0.03 * side, lean - 0.085, 1.665), (0.007, 0.006, 0.007), dark)
        body.lump((0.032 * side, lean - 0.08, 1.69), (0.02, 0.01, 0.005), dark)
        body.lump((0.078 * side, lean + 0.005, 1.64), (0.012, 0.02, 0.03), skin)
    body.lump((0, lean - 0.083, 1.583), (0.026, 0.01, 0.008), lips)
    color = draw_color(rng, "hair")
    hair = Material(color, shade(color, 0.4), "blades", 0.08, gloss=0.1)
    body.lump((0, lean + 0.025, 1.69), (0.086, 0.1, 0.09), hair)
    if rng.random() < 0.4:
        body.lump((0, lean + 0.065, 1.6), (0.095, 0.06, float(rng.uniform(0.12, 0.22))), hair)
    if rng.random() < 0.2:
        hat = draw_cloth(rng)
        body.lump((0, lean, 1.74), (0.095, 0.105, 0.06), hat)
        body.lump((0, lean - 0.05, 1.72), (0.13, 0.15, 0.012), hat)


def add_animal(scene: Scene, rng: np.random.Generator, foot: Vector, turn_deg: float, height_m: float) -> None:
    """A four-legged animal between cat and cow; coordinates are for one of 1 m at the shoulder."""
    body = Body(scene, foot, turn_deg, height_m, ragged=float(rng.choice([0.0, 0.08, 0.2])))
    color = draw_color(rng, "fur")
    other = draw_color(rng, "fur") if rng.random() < 0.5 else shade(color, 0.55)
    fur = Material(color, other, str(rng.choice(["blades", "spots", "clouded", "rough"])), float(rng.uniform(0.3, 0.9)))
    dark = Material((0.015, 0.012, 0.01), (0.03, 0.02, 0.02), gloss=0.3)
    half, thick = float(rng.uniform(0.4, 0.62)), float(rng.uniform(0.19, 0.3))
    body.lump((0, 0, 0.78), (thick, half + 0.12, 1.1 * thick), fur)
    body.lump((0, -half * 0.7, 0.8), (1.05 * thick, 0.28, 1.2 * thick), fur)
    leg = float(rng.uniform(0.06, 0.1))
    for y in (-0.75 * half, 0.8 * half):
        for x in (-0.65 * thick, 0.65 * thick):
            swing = float(rng.uniform(-0.15, 0.15))
            body.limb((x, y, 0.72), (x, y + swing, 0.38), 1.3 * leg, fur)
            body.limb((x, y + swing, 0.4), (x, y + swing * 0.5, 0.07), 0.8 * leg, fur)
            body.lump((x, y + swing * 0.5 - 0.03, 0.04), (leg, 1.4 * leg, 0.05), dark if leg > 0.08 else fur)
    rise, reach = float(rng.uniform(-0.05, 0.45)), float(rng.uniform(0.2, 0.4))
    y, z = -half - reach, 0.92 + rise
    body.limb((0, -0.8 * half, 0.88), (0, y, z), 0.65 * thick, fur)
    body.lump((0, y - 0.05, z + 0.03), (0.13, 0.16, 0.14), fur)
    snout = float(rng.uniform(0.1, 0.26))
    body.lump((0, y - 0.12 - 0.6 * snout, z - 0.03), (0.075, snout, 0.075), fur)
    body.lump((0, y - 0.13 - 1.55 * snout, z - 0.01), (0.03, 0.03, 0.025), dark)
    ear = float(rng.uniform(0.07, 0.16))
    for side in (-1.0, 1.0):
        body.lump((0.07 * side, y - 0.16, z + 0.07), (0.02, 0.02, 0.022), dark)
        body.limb((0.08 * side, y, z + 0.12), (0.13 * side, y + 0.02, z + 0.12 + ear), 0.045, fur)
    body.limb((0, half + 0.08, 0.85), (0, half + 0.35, float(rng.uniform(0.4, 1.15))), 0.04, fur)
