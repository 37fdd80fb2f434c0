"""Make a body: its shape, pose, clothes, hair and the paint of its skin, in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from generator.body_clothes import Body, Outfit, cut_outfit, stand_off, waves
from generator.body_hair import CUTS, grow, scalp_mask
from generator.body_model import BODY, posed, template
from generator.body_pose import POSES, draw_pose
from generator.people_parts import PARTS

# Linear RGB, light to dark.
SKINS = np.array(
    [
        (0.66, 0.42, 0.31),
        (0.58, 0.35, 0.25),
        (0.48, 0.28, 0.19),
        (0.34, 0.19, 0.12),
        (0.20, 0.105, 0.062),
        (0.11, 0.055, 0.033),
        (0.06, 0.03, 0.019),
    ]
)
HAIRS = np.array(
    [
        (0.012, 0.009, 0.007),
        (0.025, 0.015, 0.010),
        (0.055, 0.028, 0.014),
        (0.13, 0.065, 0.028),
        (0.28, 0.17, 0.075),
        (0.18, 0.05, 0.018),
        (0.24, 0.23, 0.22),
        (0.45, 0.44, 0.43),
    ]
)
IRISES = np.array([(0.05, 0.022, 0.010), (0.03, 0.017, 0.010), (0.06, 0.11, 0.17), (0.05, 0.09, 0.05)])


def build_body(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job of the kind ``body``: ``{"seed", "file"}``; gives pose, height and heights to sit and look at."""
    chance = np.random.default_rng(70_000 + job["seed"])
    kind = POSES[job["seed"] % len(POSES)]
    female = bool(chance.random() < 0.5)
    shape, race = _draw_shape(chance, female)
    rest, points = posed(shape, draw_pose(kind, chance))
    body = Body.at_rest(template(), rest)
    outfit = cut_outfit(body, chance, female=female, skirts=kind in ("stand", "walk", "arms"))
    normals = _normals(points, body.template.quads)
    clothed = points + normals * stand_off(body, outfit, chance)[:, None]
    eyes = {side: np.unique(body.template.quads[body.template.group == f"helper-{side}-eye"]) for side in "lr"}
    eyes_middle = np.mean([rest[points_].mean(axis=0) for points_ in eyes.values()], axis=0)
    scalp = scalp_mask(body, eyes_middle)
    cut = _draw_cut(chance, female)
    hair_colour = _hair_colour(chance, race, shape["age"])
    paint = _paint(body, eyes, eyes_middle, (race, hair_colour, female, chance))
    if cut != "bald":
        paint[scalp] = hair_colour * 0.8
    hair = grow(body, scalp, _normals(rest, body.template.quads), cut, chance)
    turn, shift = _rigid(rest[scalp], points[scalp])
    facts = _write(
        Path(job["file"]), (clothed, paint, outfit), (hair.points @ turn.T + shift, hair.quads), (body, chance, female)
    )
    facts |= {
        "pose": kind,
        "hair": cut,
        "hair_colour": [round(float(value), 4) for value in hair_colour],
        **outfit.names,
    }
    _add_facts(Path(job["file"]), facts)
    return {key: facts[key] for key in ("pose", "height_m", "seat_m")}


def _draw_shape(chance: np.random.Generator, female: bool) -> tuple[dict[str, float], np.ndarray]:
    race = chance.dirichlet([0.5, 0.5, 0.5])
    shape = {
        "gender": chance.uniform(0.85, 1) if female else chance.uniform(0, 0.15),
        "age": chance.uniform(0.64, 1.0),
        "muscle": chance.uniform(0.3, 0.75),
        "weight": float(np.clip(chance.normal(0.48, 0.16), 0.2, 0.95)),
        "height": float(np.clip(chance.normal(0.55, 0.14), 0.25, 0.9)),
        "proportions": chance.uniform(0.2, 0.8),
        "cupsize": chance.uniform(0.3, 0.7),
        "firmness": chance.uniform(0.4, 0.8),
        "african": race[0],
        "asian": race[1],
        "caucasian": race[2],
    }
    return shape, race


def _draw_cut(chance: np.random.Generator, female: bool) -> str:
    weights = (1, 0, 1, 3, 4, 1.5, 0) if female else (4, 3, 3, 1, 0.3, 1, 1.5)
    return str(chance.choice(CUTS, p=np.array(weights) / sum(weights)))


def _hair_colour(chance: np.random.Generator, race: np.ndarray, age: float) -> np.ndarray:
    if age > 0.9 and chance.random() < 0.6:
        return HAIRS[chance.integers(6, 8)]
    return HAIRS[chance.integers(0, 6 if race[2] > 0.5 else 3)]


def _paint(
    body: Body,
    eyes: dict[str, np.ndarray],
    eyes_middle: np.ndarray,
    person: tuple[np.ndarray, np.ndarray, bool, np.random.Generator],
) -> np.ndarray:
    """Colour of each point: skin, lips, brows, beard, eyes."""
    race, hair_colour, female, chance = person
    tone = SKINS[np.clip(int(chance.normal(race @ [5.2, 1.6, 0.7], 0.8)), 0, 6)] * chance.uniform(0.9, 1.1)
    paint = tone * (1 + 0.05 * waves(body.rest, chance, 30))[:, None]
    from_eyes = body.rest - eyes_middle
    mouth = body.template.weight("oris")
    lips = np.clip(1.5 * mouth, 0, 1)[:, None] * (0.7 if female else 0.35)
    paint = paint * (1 - lips) + lips * tone * (1.0, 0.58, 0.58)
    cheeks = np.exp(-((np.abs(from_eyes[:, 0]) - 0.04) ** 2 + (from_eyes[:, 2] + 0.04) ** 2) / 0.0006) * (
        from_eyes[:, 1] < 0.06
    )
    paint *= 1 - cheeks[:, None] * (0.0, 0.14, 0.12)
    if not female and chance.random() < 0.5:
        jaw = (from_eyes[:, 2] < -0.055) & (from_eyes[:, 2] > -0.135) & (from_eyes[:, 1] < 0.06)
        lip = (np.abs(from_eyes[:, 0]) < 0.03) & (from_eyes[:, 2] < -0.046) & (from_eyes[:, 2] > -0.058)
        beard = (jaw | lip) & (mouth < 0.3) & (body.template.weight("head", "jaw") > 0.5)
        strength = chance.uniform(0.2, 0.85)
        paint[beard] = paint[beard] * (1 - strength) + hair_colour * strength
    iris = IRISES[chance.integers(len(IRISES))]
    for side, points in (("l", eyes["l"]), ("r", eyes["r"])):
        _paint_eye(body, paint, points, (1 if side == "l" else -1, iris, hair_colour))
    return np.clip(paint, 0, 1)


def _paint_eye(body: Body, paint: np.ndarray, points: np.ndarray, look: tuple[int, np.ndarray, np.ndarray]) -> None:
    sign, iris, hair_colour = look
    middle = body.rest[points].mean(axis=0)
    away = body.rest - middle
    brow = (away[:, 0] * sign > -0.013) & (away[:, 0] * sign < 0.026) & (away[:, 1] < 0.02)
    brow &= (away[:, 2] > 0.014 + 0.1 * np.abs(away[:, 0])) & (away[:, 2] < 0.024 - 0.08 * np.abs(away[:, 0]))
    brow[BODY.stop :] = False
    paint[brow] = 0.35 * paint[brow] + 0.65 * hair_colour
    from_axis = np.hypot(away[points, 0], away[points, 2])
    front = away[points, 1] < 0
    paint[points] = (0.60, 0.57, 0.54)
    paint[points[front & (from_axis < 0.0068)]] = iris
    paint[points[front & (from_axis < 0.003)]] = (0.004, 0.004, 0.004)


def _normals(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    face = np.cross(points[quads[:, 2]] - points[quads[:, 0]], points[quads[:, 3]] - points[quads[:, 1]])
    normals = np.zeros_like(points)
    for corner in range(4):
        np.add.at(normals, quads[:, corner], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _rigid(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The turn and shift that take points to points best (Kabsch)."""
    u, _, vt = np.linalg.svd((before - before.mean(axis=0)).T @ (after - after.mean(axis=0)))
    sign = np.sign(np.linalg.det(vt.T @ u.T))
    turn = vt.T @ np.diag([1, 1, sign]) @ u.T
    return turn, after.mean(axis=0) - turn @ before.mean(axis=0)


def _write(
    file: Path,
    dressed: tuple[np.ndarray, np.ndarray, Outfit],
    hair: tuple[np.ndarray, np.ndarray],
    who: tuple[Body, np.random.Generator, bool],
) -> dict[str, Any]:
    """Write points and faces, the feet at z = 0 below the hips, scaled to a height that people have."""
    (points, paint, outfit), (hair_points, hair_quads), (body, chance, female) = dressed, hair, who
    weight, rest_z = body.template.weight, body.rest[BODY, 2]
    tall = float(np.clip(chance.normal(1.66 if female else 1.78, 0.075), 1.48, 1.98))
    scale = tall / (rest_z.max() - rest_z.min())
    points, hair_points = points * scale, hair_points * scale
    hips = points[BODY][weight("pelvis", "upperleg01")[BODY] > 0.5]
    soles = points[np.unique(body.template.quads[outfit.parts["shoes"]]), 2].min()
    shift = np.array([hips[:, 0].mean(), hips[:, 1].mean(), soles])
    points, hair_points, hips = points - shift, hair_points - shift, hips - shift
    used = np.unique(np.concatenate([body.template.quads[mask].ravel() for mask in outfit.parts.values()]))
    number = np.full(len(points), -1)
    number[used] = np.arange(len(used))
    faces = {f"faces_{part}": number[body.template.quads[outfit.parts[part]]].astype(np.int32) for part in PARTS}
    faces["faces_hair"] = (hair_quads + len(used)).astype(np.int32)
    hair_paint = np.zeros_like(hair_points)
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "points": np.concatenate([points[used], hair_points]).astype(np.float32),
        "paint": np.concatenate([paint[used], hair_paint]).astype(np.float32),
    }
    np.savez_compressed(file, **arrays, **faces)
    head = points[BODY][weight("head", "jaw")[BODY] > 0.8].mean(axis=0)
    top = float(points[BODY, 2].max())
    return {
        "height_m": round(top, 3),
        "seat_m": round(float(np.percentile(hips[:, 2], 3)), 3),
        "face": [round(float(value), 3) for value in head],
    }


def _add_facts(file: Path, facts: dict[str, Any]) -> None:
    with np.load(file) as arrays:
        everything = dict(arrays)
    np.savez_compressed(file, facts=json.dumps(facts), **everything)
