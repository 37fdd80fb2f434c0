"""Hair: thousands of ribbons that start on the scalp, follow the head, and fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from generator.body_clothes import Body
from generator.body_model import BODY

STEPS = 5
FACE_HALF_M = 0.072
CUTS = ("short", "short", "side", "mid", "long", "curly", "bald")

# Length in metres (least, greatest), how much it stands up at the root, how much it curls, how many strands.
_STYLES = {
    "short": ((0.02, 0.04), 0.4, 0.08, 2600),
    "side": ((0.05, 0.08), 0.3, 0.06, 2600),
    "mid": ((0.14, 0.20), 0.15, 0.05, 3000),
    "long": ((0.26, 0.38), 0.12, 0.05, 3200),
    "curly": ((0.04, 0.09), 0.8, 0.8, 3400),
}


@dataclass(frozen=True)
class Hair:
    """Ribbons: points and quadrangles among them."""

    points: np.ndarray
    quads: np.ndarray


def scalp_mask(body: Body, eyes_middle: np.ndarray) -> np.ndarray:
    """Points of the body from which hair grows: above the forehead, behind the ears, down to the neck."""
    from_eyes = body.rest - eyes_middle
    head = body.template.weight("head", "jaw", "neck02", "neck03") > 0.6
    front = (from_eyes[:, 2] > 0.062 - 0.25 * np.clip(from_eyes[:, 1] - 0.02, 0, 0.1)) & (np.abs(from_eyes[:, 0]) < 0.2)
    back = (from_eyes[:, 1] > 0.095) & (from_eyes[:, 2] > -0.055)
    mask = head & (front | back)
    mask[BODY.stop :] = False
    return mask


def grow(body: Body, scalp: np.ndarray, normals: np.ndarray, cut: str, chance: np.random.Generator) -> Hair:
    """Grow the strands of one of the ``CUTS`` on the body at rest."""
    if cut == "bald":
        return Hair(np.zeros((0, 3)), np.zeros((0, 4), int))
    (shortest, longest), lift, curl, count = _STYLES[cut]
    roots = chance.choice(np.flatnonzero(scalp), count)
    start = body.rest[roots] + chance.normal(0, 0.004, (count, 3))
    length = chance.uniform(shortest, longest) * chance.uniform(0.75, 1.1, count)
    middle = body.rest[scalp].mean(axis=0) - (0, 0, 0.03)
    parting = chance.choice((-1, 0, 1)) * 0.03
    side = np.sign(start[:, 0] - middle[0] - parting)[:, None]
    comb = np.concatenate([0.8 * side, np.full((count, 1), 0.5), np.full((count, 1), -0.35)], axis=1)
    if cut in ("short", "side") and chance.random() < 0.6:
        comb = np.broadcast_to(np.array([chance.choice((-0.8, 0.8)), chance.uniform(-0.6, 0.9), 0.1]), (count, 3))
    way = lift * normals[roots] + (1 - lift) * comb + chance.normal(0, 0.05 + 0.45 * curl, (count, 3))
    radius = np.linalg.norm(start - middle, axis=1)
    spine, place = [start], start
    for step in range(1, STEPS + 1):
        way = way / np.linalg.norm(way, axis=1, keepdims=True)
        place = place + way * (length / STEPS)[:, None]
        place = _beside_the_face(_outside(place, middle, radius + 0.003 + 0.008 * step / STEPS), middle)
        spine.append(place)
        fall = 0.9 if cut in ("mid", "long") else 0.12
        way = way + (0, 0, -fall) + chance.normal(0, 0.03 + 0.7 * curl, (count, 3))
    return _ribbons(np.stack(spine, 1), middle, chance)


def _outside(place: np.ndarray, middle: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Push points out to the radius, as far down as the head reaches; hair that hangs below keeps its way."""
    away = place - middle
    distance = np.linalg.norm(away, axis=1)
    near = (distance < radius) & (away[:, 2] > -0.09)
    pushed = middle + away * (radius / np.maximum(distance, 1e-6))[:, None]
    return np.where(near[:, None], pushed, place)


def _beside_the_face(place: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Comb what would hang before the face to its sides."""
    away = place - middle
    before = (np.abs(away[:, 0]) < FACE_HALF_M) & (away[:, 1] < -0.03) & (away[:, 2] < 0.015)
    aside = np.where(away[:, 0] < 0, -FACE_HALF_M, FACE_HALF_M) * (1 + 0.2 * np.abs(np.sin(900 * place[:, 2])))
    combed = place.copy()
    combed[:, 0] = np.where(before, middle[0] + aside, place[:, 0])
    return combed


def _ribbons(spine: np.ndarray, middle: np.ndarray, chance: np.random.Generator) -> Hair:
    count, steps = spine.shape[:2]
    along = np.gradient(spine, axis=1)
    outward = spine - middle
    across = np.cross(along, outward)
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-9
    half = 0.0022 * chance.uniform(0.7, 1.4, (count, 1, 1)) * np.linspace(1, 0.35, steps)[None, :, None]
    points = np.stack([spine - across * half, spine + across * half], 2).reshape(-1, 3)
    strand, step = np.mgrid[:count, : steps - 1]
    first = 2 * (strand * steps + step).ravel()
    return Hair(points, np.stack([first, first + 1, first + 3, first + 2], -1))
