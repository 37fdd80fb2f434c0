"""Potted plants."""

from __future__ import annotations

import math

import numpy as np
from generator import materials, palette
from generator.furniture import place_asset
from generator.meshes import Object, quads, turned
from generator.stage import Stage

HOUSE_PLANTS = ("fern", "houseplant", "succulent", "agave", "flower")


def potted_plant(stage: Stage, *, large: bool) -> list[Object]:
    """A pot with a plant, standing on the origin."""
    rng = stage.rng
    radius = rng.uniform(0.12, 0.2) if large else rng.uniform(0.045, 0.08)
    height = radius * rng.uniform(1.3, 2.1)
    codes = (*palette.CERAMICS, "8c4d3a", "a05a42", "b8653f")
    pot = turned(
        [
            (0, 0),
            (radius * 0.72, 0),
            (radius * rng.uniform(0.85, 1.1), height / 2),
            (radius, height),
            (radius * 0.9, height),
            (radius * 0.86, 0.92 * height),
            (0, 0.92 * height),
        ],
        materials.ceramic(rng, palette.pick(rng, codes)),
        28,
        "pot",
    )
    kinds = [kind for kind in HOUSE_PLANTS if stage.library.has(kind)]
    tall = rng.uniform(0.6, 1.4) if large else rng.uniform(0.14, 0.36)
    if kinds and rng.random() < 0.6:
        plant = place_asset(stage, rng.choice(kinds))
        size = plant["size_m"]
        scale = tall / max(0.8 * max(size[0], size[1]), size[2], 1e-3)
        plant.scale, plant.location = (scale,) * 3, (0, 0, 0.9 * height)
        return [pot, plant]
    return [pot, leaves_on_stems(stage, tall, 0.9 * height)]


def leaves_on_stems(stage: Stage, tall: float, base: float) -> Object:
    """Bent leaves from one root: broad ones few, narrow ones many."""
    rng = stage.rng
    chance = np.random.default_rng(rng.randrange(1 << 32))
    broad = rng.random() < 0.5
    count, width = (
        (int(chance.integers(9, 22)), rng.uniform(0.14, 0.26))
        if broad
        else (int(chance.integers(26, 60)), rng.uniform(0.03, 0.07))
    )
    heading, rise = chance.uniform(0, 2 * math.pi, count), chance.uniform(0.6, 1.5, count)
    length = tall * chance.uniform(0.55, 1.05, count)
    t = np.linspace(0, 1, 8)[None]
    out = length[:, None] * np.cos(rise)[:, None] * t * (1 + 0.4 * t)
    up = length[:, None] * (t * np.sin(rise)[:, None] - 0.4 * t**2 * np.cos(rise)[:, None] - 0.1 * t**3)
    # A bare stem, then the blade, widest beyond its middle.
    start = 0.35 if broad else 0.0
    blade = np.clip((t - start) / (1 - start), 0, 1)
    half = length[:, None] * width * np.maximum(np.sin(np.pi * blade**0.8) ** 0.9, 0.03)
    c, s = np.cos(heading)[:, None], np.sin(heading)[:, None]
    spine = np.stack([out * c, out * s, up + base], -1)
    across = np.stack([-s * half, c * half, np.zeros_like(half)], -1)
    fold = np.array([0, 0, 1.0]) * (0.25 * half)[..., None]
    points = np.stack([spine - across + fold, spine, spine + across + fold], 2)
    faces = [
        ((leaf * 8 + k) * 3 + j, (leaf * 8 + k) * 3 + j + 1, (leaf * 8 + k + 1) * 3 + j + 1, (leaf * 8 + k + 1) * 3 + j)
        for leaf in range(count)
        for k in range(7)
        for j in range(2)
    ]
    made = quads(
        "plant",
        points.reshape(-1, 3),
        np.array(faces),
        [materials.leaf(rng, palette.pick(rng, palette.LEAVES, 0.25), variation=0.2)],
    )
    made.data.shade_smooth()
    return made
