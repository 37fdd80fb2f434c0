"""Clothes cut from the forms about the body: which faces are shirt, trousers, skirt, shoes, and how loose they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from generator.body_model import BODY, HAIR, SKIRT, TIGHTS, Template


@dataclass(frozen=True)
class Outfit:
    """Which faces are what.

    Attributes:
        parts: face masks by name: skin, eyes, shirt, trousers, shoes, skirt, hair (the latter is empty here).
        names: what was cut, for the record.
    """

    parts: dict[str, np.ndarray]
    names: dict[str, str]


@dataclass(frozen=True)
class Body:
    """A body at rest and what is known of its points.

    Attributes:
        template: the model.
        rest: points, metres.
        height: of each point, 0 at the soles and 1 at the crown.
    """

    template: Template
    rest: np.ndarray
    height: np.ndarray

    @staticmethod
    def at_rest(template: Template, rest: np.ndarray) -> Body:
        """From the model's points."""
        z = rest[BODY, 2]
        return Body(template, rest, (rest[:, 2] - z.min()) / (z.max() - z.min()))


def cut_outfit(body: Body, chance: np.random.Generator, *, female: bool, skirts: bool) -> Outfit:
    """Cut clothes."""
    parts = body.template
    face = parts.on_faces
    group, height = parts.group, face(body.height)
    tight = group == "helper-tights"
    waist = chance.uniform(0.56, 0.60)
    arm, hand = (
        face(parts.weight("shoulder", "upperarm", "lowerarm", "wrist", "finger", "metacarpal")),
        face(parts.weight("wrist", "finger", "metacarpal")),
    )
    foot, lower_leg = face(parts.weight("foot", "toe")), face(parts.weight("lowerleg", "foot", "toe"))
    leg, neck = face(parts.weight("upperleg", "lowerleg", "foot", "toe")), face(parts.weight("neck", "head"))
    sleeve = chance.choice(["long", "long", "short", "short", "none"], p=[0.3, 0.2, 0.2, 0.22, 0.08])
    shirt = tight & ((height > waist - chance.uniform(0.02, 0.08)) | (arm > 0.5)) & (hand < 0.5) & (foot < 0.5)
    shirt &= ~((leg > 0.8) & (arm < 0.5)) | (height > waist - 0.05)
    bare = {"long": hand >= 0.5, "short": face(parts.weight("lowerarm", "wrist", "finger", "metacarpal")) >= 0.4}
    shirt &= ~bare.get(sleeve, face(parts.weight("upperarm02", "lowerarm", "wrist", "finger", "metacarpal")) >= 0.1)
    shirt &= ~(neck > (chance.uniform(0.08, 0.5) if chance.random() < 0.75 else 9.0))
    skirt_on = bool(female and skirts and chance.random() < 0.35)
    long_legs = bool(chance.random() < 0.78)
    trousers = tight & (height <= waist) & (arm < 0.5) & (foot < 0.5)
    if not long_legs:
        trousers &= lower_leg < chance.choice([0.05, 0.4])
    if skirt_on:
        trousers &= height > 0.46
    skirt = (group == "helper-skirt") & (height > chance.uniform(0.2, 0.42)) & skirt_on
    shoes = tight & (foot >= 0.5)
    skin = (group == "body") & ~(foot > 0.6)
    covered = (height > waist) & (height < 0.78) & (arm < 0.05) & (neck < 0.05)
    if not skirt_on:
        covered |= (leg > 0.7) & (lower_leg < (2 if long_legs else 0.3)) & (height < waist - 0.03)
    none = np.zeros_like(skin)
    eyes = (group == "helper-l-eye") | (group == "helper-r-eye")
    masks = {
        "skin": skin & ~covered,
        "eyes": eyes,
        "shirt": shirt,
        "trousers": trousers,
        "shoes": shoes,
        "skirt": skirt,
        "hair": none,
    }
    return Outfit(masks, {"sleeve": str(sleeve), "legs": "skirt" if skirt_on else "long" if long_legs else "short"})


def stand_off(body: Body, outfit: Outfit, chance: np.random.Generator) -> np.ndarray:
    """How far each point moves out along its normal: clothes are looser than the forms that they are cut from."""
    quads = body.template.quads
    distance = np.zeros(len(body.rest))
    folds = (
        0.5 * waves(body.rest, chance, 38) + 0.35 * waves(body.rest, chance, 70) + 0.25 * waves(body.rest, chance, 120)
    )
    shirt_loose, leg_loose = chance.uniform(0.008, 0.026), chance.uniform(0.006, 0.016)
    clothes = np.zeros(len(body.rest), bool)
    clothes[TIGHTS] = True
    distance[clothes] = 0.006

    def of(part: str) -> np.ndarray:
        points = np.unique(quads[outfit.parts[part]])
        return points[clothes[points]] if part != "skirt" else points

    legs, shirt = of("trousers"), of("shirt")
    ends = np.clip(body.template.weight("lowerleg02", "foot", "toe"), 0, 1)
    distance[legs] = leg_loose * (1 + 0.35 * folds[legs]) + 0.010 * ends[legs]
    distance[shirt] = shirt_loose * (1 + 0.5 * folds[shirt])
    hem = shirt[body.height[shirt] < 0.60]
    distance[hem] = leg_loose + 0.013 + 0.007 * folds[hem]
    distance[of("shoes")] = 0.012
    distance[SKIRT] = 0.012 + 0.014 * folds[SKIRT]
    distance[HAIR] = 0
    return distance


def waves(points: np.ndarray, chance: np.random.Generator, per_metre: float) -> np.ndarray:
    """Smooth unrest from -1 to 1 over space."""
    total = np.zeros(len(points))
    for _ in range(4):
        total += np.sin(points @ (chance.normal(size=3) * per_metre) + chance.uniform(0, 2 * np.pi))
    return total / 4
