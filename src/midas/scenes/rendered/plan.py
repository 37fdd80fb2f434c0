"""Which scenes are rendered, in which order, from which seeds: the same for any number of workers and pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from midas.scenes.rendered.worlds import World

VIEWS_PER_SCENE = 4


@dataclass(frozen=True)
class ScenePlan:
    """One scene to build and take pictures of.

    Attributes:
        world: what it shows.
        index: of the scene in its world, from 0.
        seed: of everything in it.
    """

    world: World
    index: int
    seed: int

    @property
    def name(self) -> str:
        """The scene's folder in the set."""
        return f"s{self.index:05d}"


def scene_seed(seed: int, world: str, index: int) -> int:
    """The seed of a scene: a hash, so that scenes of neighbouring numbers and worlds have nothing in common."""
    text = f"{seed}/{world}/{index}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")


def scenes(worlds: tuple[World, ...], seed: int) -> Iterator[ScenePlan]:
    """Scenes without end, such that at any time each world has its share of them.

    The next scene is of the world that is furthest behind its share; so a longer run begins as a shorter one did.
    """
    counts = dict.fromkeys(worlds, 0)
    while True:
        world = min(worlds, key=lambda each: (counts[each] + 0.5) / each.share)
        index = counts[world]
        counts[world] += 1
        yield ScenePlan(world, index, scene_seed(seed, world.name, index))
