"""A room's floor: which parts are taken, where along the walls there is place."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

import numpy as np
from generator.meshes import Hole

Rectangle = tuple[float, float, float, float]


@dataclass
class Side:
    """One wall, seen from inside: it runs from start to end with the room on its left.

    Attributes:
        start, end: of the wall on the floor.
        holes: windows and doors in it.
    """

    start: np.ndarray
    end: np.ndarray
    holes: list[Hole] = field(default_factory=list)

    @property
    def length(self) -> float:
        """In metres."""
        return float(np.linalg.norm(self.end - self.start))

    @property
    def along(self) -> np.ndarray:
        """Unit vector from start to end."""
        return (self.end - self.start) / self.length

    @property
    def inward(self) -> np.ndarray:
        """Unit vector into the room."""
        return np.array([-self.along[1], self.along[0]])

    @property
    def facing(self) -> float:
        """Angle of a thing that stands with its back to this wall, its front at +X."""
        return math.atan2(self.inward[1], self.inward[0])

    def at(self, along_m: float, from_wall_m: float = 0.0) -> np.ndarray:
        """A point on the floor."""
        return self.start + self.along * along_m + self.inward * from_wall_m


@dataclass(frozen=True)
class Spot:
    """A place for a thing.

    Attributes:
        x, y: its middle.
        turn: angle of its front.
        side: the wall behind it; None for a place amid the room.
        along_m: place along that wall.
    """

    x: float
    y: float
    turn: float
    side: Side | None = None
    along_m: float = 0.0

    def ahead(self, forward: float, sideways: float = 0.0) -> tuple[float, float]:
        """A point before the thing, as the thing sees it."""
        c, s = math.cos(self.turn), math.sin(self.turn)
        return (self.x + c * forward - s * sideways, self.y + s * forward + c * sideways)


class FloorPlan:
    """A rectangular floor from (0, 0) to (width, depth)."""

    def __init__(self, rng: Random, width: float, depth: float):
        self.rng, self.width, self.depth = rng, width, depth
        corners = [np.array(corner, float) for corner in ((0, 0), (width, 0), (width, depth), (0, depth))]
        self.sides = [Side(corners[k], corners[(k + 1) % 4]) for k in range(4)]
        self.taken: list[Rectangle] = []
        self.middle_reserved = False

    def is_free(self, rectangle: Rectangle, gap: float = 0.06) -> bool:
        """Inside the room, and nothing there."""
        x0, x1, y0, y1 = rectangle
        if x0 < -0.02 or y0 < -0.02 or x1 > self.width + 0.02 or y1 > self.depth + 0.02:
            return False
        return all(x1 + gap <= a or x0 - gap >= b or y1 + gap <= c or y0 - gap >= d for a, b, c, d in self.taken)

    def take(self, x: float, y: float, width: float, depth: float) -> None:
        """Occupy a rectangle around a point."""
        self.taken.append((x - width / 2, x + width / 2, y - depth / 2, y + depth / 2))

    def reserve_middle(self, length: float) -> None:
        """Keep a square in the middle free, up to the ceiling, for what comes later."""
        self.take(self.width / 2, self.depth / 2, length, length)
        self.middle_reserved = True

    def take_doorways(self) -> None:
        """Keep free what a door needs to open."""
        for side in self.sides:
            for a, b, low, _ in side.holes:
                if low == 0:
                    middle = side.at((a + b) / 2, 0.45)
                    self.take(middle[0], middle[1], 0.9, 0.9)

    def amid(self, width: float, depth: float, margin: float = 0.15, tries: int = 40) -> Spot | None:
        """A free place anywhere, taken from then on; None if there is none."""
        for _ in range(tries):
            if self.width < width + 2 * margin or self.depth < depth + 2 * margin:
                return None
            x = self.rng.uniform(width / 2 + margin, self.width - width / 2 - margin)
            y = self.rng.uniform(depth / 2 + margin, self.depth - depth / 2 - margin)
            if self.is_free((x - width / 2, x + width / 2, y - depth / 2, y + depth / 2)):
                self.take(x, y, width, depth)
                return Spot(x, y, self.rng.uniform(0, 2 * math.pi))
        return None

    def by_wall(
        self, width: float, depth: float, height: float, *, sides: list[Side] | None = None, tries: int = 50
    ) -> Spot | None:
        """A free place with its back to a wall, below or beside the windows; taken from then on."""
        for _ in range(tries):
            side = self.rng.choice(sides or self.sides)
            if side.length < width + 0.1:
                continue
            along = self.rng.uniform(width / 2 + 0.03, side.length - width / 2 - 0.03)
            if any(
                a - 0.08 < along + width / 2 and b + 0.08 > along - width / 2 and low < height
                for a, b, low, _ in side.holes
            ):
                continue
            middle = side.at(along, depth / 2 + 0.02)
            half = np.abs(side.along) * width / 2 + np.abs(side.inward) * depth / 2
            if self.is_free((middle[0] - half[0], middle[0] + half[0], middle[1] - half[1], middle[1] + half[1])):
                self.take(middle[0], middle[1], 2 * half[0], 2 * half[1])
                return Spot(middle[0], middle[1], side.facing, side, along)
        return None
