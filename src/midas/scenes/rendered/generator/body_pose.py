"""How bodies stand, walk, sit: a turn of each bone, about the world's axes, in the frame of the body at rest.

The body looks along -Y, its left is +X, up is +Z.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Pose = dict[str, np.ndarray]

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)

POSES = (
    "stand",
    "walk",
    "sit",
    "arms",
    "stand",
    "walk",
    "sit",
    "arms",
    "bend",
    "stand",
    "walk",
    "sit",
    "crouch",
    "arms",
)


def turn(axis: tuple[float, float, float], angle_deg: float) -> np.ndarray:
    """Rotation matrix about an axis (Rodrigues)."""
    unit = np.asarray(axis, float) / np.linalg.norm(axis)
    angle = np.radians(angle_deg)
    cross = np.array([[0, -unit[2], unit[1]], [unit[2], 0, -unit[0]], [-unit[1], unit[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def draw_pose(kind: str, chance: np.random.Generator) -> Pose:
    """Turns by bone for a pose of one of the ``POSES``."""
    pose: Pose = {}
    for side in "LR":
        _arm(
            pose, side, down=45 + chance.normal(0, 4), forward=chance.normal(-3, 6), elbow=4 + abs(chance.normal(0, 12))
        )
        _leg(pose, side, forward=chance.normal(0, 2), knee=abs(chance.normal(0, 3)), out=-3 + chance.normal(0, 2))
    _VARIANTS[kind](pose, chance)
    pose["neck01"] = turn(Z, chance.normal(0, 10)) @ turn(X, chance.normal(0, 6))
    pose["head"] = turn(Z, chance.normal(0, 11)) @ turn(X, chance.normal(0, 5)) @ turn(Y, chance.normal(0, 5))
    pose["spine02"] = turn(Z, chance.normal(0, 6)) @ turn(Y, chance.normal(0, 3))
    _curl_fingers(pose, chance)
    return pose


def _arm(pose: Pose, side: str, down: float, forward: float, elbow: float) -> None:
    sign = 1 if side == "L" else -1
    pose[f"upperarm01.{side}"] = turn(X, -forward) @ turn(Y, sign * down)
    pose[f"lowerarm01.{side}"] = turn((-0.73, 0, -0.68 * sign), elbow)


def _leg(pose: Pose, side: str, forward: float, knee: float, out: float, ankle: float | None = 0.0) -> None:
    sign = 1 if side == "L" else -1
    pose[f"upperleg01.{side}"] = turn(X, -forward) @ turn(Y, -sign * out)
    pose[f"lowerleg01.{side}"] = turn(X, knee)
    pose[f"foot.{side}"] = turn(X, forward - knee if ankle is None else ankle)


def _stand(pose: Pose, chance: np.random.Generator) -> None:
    if chance.random() < 0.5:  # weight on one leg
        side = "LR"[chance.integers(2)]
        _leg(pose, side, forward=chance.uniform(2, 10), knee=chance.uniform(6, 18), out=chance.uniform(0, 6))


def _walk(pose: Pose, chance: np.random.Generator) -> None:
    stride, sign = chance.uniform(13, 28), chance.choice((-1, 1))
    _leg(pose, "L", sign * stride, 8 if sign > 0 else 0.9 * stride, -3, 4)
    _leg(pose, "R", -sign * stride, 0.9 * stride if sign > 0 else 8, -3, 4)
    _arm(pose, "L", 42, -1.1 * sign * stride, 20 + chance.normal(0, 8))
    _arm(pose, "R", 42, 1.1 * sign * stride, 20 + chance.normal(0, 8))


def _sit(pose: Pose, chance: np.random.Generator) -> None:
    for side in "LR":
        _leg(pose, side, 83 + chance.normal(0, 3), 80 + chance.normal(0, 9), chance.uniform(2, 13))
        _arm(pose, side, 39 + chance.normal(0, 4), chance.uniform(15, 40), chance.uniform(30, 75))
    pose["spine04"] = turn(X, chance.uniform(-4, 10))


def _arms(pose: Pose, chance: np.random.Generator) -> None:
    one = "LR"[chance.integers(2)]
    gesture = chance.integers(6)
    if gesture == 0:  # hands on the hips
        for side in "LR":
            _arm(pose, side, 22, -12, 75)
    elif gesture == 1:  # waving
        _arm(pose, one, -35 + chance.normal(0, 10), 10, 60 + chance.normal(0, 20))
    elif gesture == 2:  # pointing, reaching
        _arm(pose, one, 40, 75 + chance.normal(0, 12), 10)
    elif gesture == 3:  # holding something
        for side in "LR":
            _arm(pose, side, 42, 25 + chance.normal(0, 8), 80 + chance.normal(0, 8))
    elif gesture == 4:  # spread
        for side in "LR":
            _arm(pose, side, -4 + chance.normal(0, 12), chance.normal(0, 10), 12)
    else:  # a telephone at hand
        _arm(pose, one, 40, 35, 95)


def _crouch(pose: Pose, chance: np.random.Generator) -> None:
    for side in "LR":
        _leg(pose, side, 95 + chance.normal(0, 6), 120 + chance.normal(0, 6), 10, 25)
        _arm(pose, side, 35, 50 + chance.normal(0, 8), 40 + chance.normal(0, 10))
    pose["spine04"] = turn(X, 15)


def _bend(pose: Pose, chance: np.random.Generator) -> None:
    pose["spine05"], pose["spine03"] = turn(X, chance.uniform(8, 25)), turn(X, chance.uniform(4, 20))
    for side in "LR":
        _arm(pose, side, 40, chance.uniform(10, 50), chance.uniform(5, 40))


_VARIANTS: dict[str, Callable[[Pose, np.random.Generator], None]] = {
    "stand": _stand,
    "walk": _walk,
    "sit": _sit,
    "arms": _arms,
    "crouch": _crouch,
    "bend": _bend,
}


def _curl_fingers(pose: Pose, chance: np.random.Generator) -> None:
    for side, sign in (("L", 1), ("R", -1)):
        curl = chance.uniform(6, 35)
        for finger in "2345":
            for joint in "123":
                pose[f"finger{finger}-{joint}.{side}"] = turn(Y, sign * curl)
