"""Make a texture: colour and height in one picture, repeating without a seam, with its size in metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
from generator import textures_art, textures_cloth, textures_ground, textures_wall

Maker = Callable[[Random, np.random.Generator], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class TextureKind:
    """How a kind is made and how large it is.

    Attributes:
        make: gives colour (H, W, 3), linear, and height (H, W), 0 to 1.
        size_m: least and greatest length that the picture's side stands for.
        bump_m: difference between height 0 and 1.
        roughness: least and greatest.
    """

    make: Maker
    size_m: tuple[float, float]
    bump_m: float
    roughness: tuple[float, float]


KINDS = {
    "grass": TextureKind(textures_ground.grass, (0.9, 1.6), 0.03, (0.8, 0.95)),
    "litter": TextureKind(textures_ground.litter, (1.0, 1.8), 0.02, (0.7, 0.95)),
    "soil": TextureKind(textures_ground.soil, (1.0, 2.0), 0.02, (0.85, 1.0)),
    "gravel": TextureKind(textures_ground.gravel, (0.5, 1.1), 0.015, (0.7, 0.95)),
    "sand": TextureKind(textures_ground.sand, (1.2, 2.5), 0.02, (0.85, 1.0)),
    "asphalt": TextureKind(textures_ground.asphalt, (2.0, 3.5), 0.004, (0.6, 0.9)),
    "snow": TextureKind(textures_ground.snow, (1.5, 3.0), 0.03, (0.5, 0.8)),
    "rock": TextureKind(textures_ground.rock, (1.0, 2.4), 0.05, (0.7, 0.95)),
    "bark": TextureKind(textures_ground.bark, (0.5, 0.9), 0.03, (0.85, 1.0)),
    "brick": TextureKind(textures_wall.brick, (1.6, 2.0), 0.008, (0.8, 0.95)),
    "blocks": TextureKind(textures_wall.blocks, (2.0, 3.2), 0.015, (0.75, 0.95)),
    "cobbles": TextureKind(textures_wall.cobbles, (1.0, 1.6), 0.015, (0.5, 0.85)),
    "slabs": TextureKind(textures_wall.slabs, (1.6, 2.8), 0.004, (0.6, 0.9)),
    "plaster": TextureKind(textures_wall.plaster, (2.0, 4.0), 0.003, (0.85, 1.0)),
    "concrete": TextureKind(textures_wall.concrete, (2.0, 4.0), 0.004, (0.6, 0.9)),
    "tiles": TextureKind(textures_wall.tiles, (1.0, 2.4), 0.002, (0.1, 0.35)),
    "wood": TextureKind(textures_wall.wood, (0.8, 1.4), 0.001, (0.3, 0.6)),
    "planks": TextureKind(textures_wall.planks, (1.4, 2.2), 0.0015, (0.25, 0.6)),
    "parquet": TextureKind(textures_wall.parquet, (1.2, 2.0), 0.001, (0.2, 0.5)),
    "rooftiles": TextureKind(textures_wall.rooftiles, (2.0, 2.6), 0.03, (0.7, 0.95)),
    "carpet": TextureKind(textures_cloth.carpet, (0.7, 1.2), 0.006, (0.95, 1.0)),
    "weave": TextureKind(textures_cloth.weave, (0.25, 0.5), 0.001, (0.8, 1.0)),
    "plaid": TextureKind(textures_cloth.plaid, (0.3, 0.7), 0.0005, (0.8, 1.0)),
    "stripes": TextureKind(textures_cloth.stripes, (0.3, 0.8), 0.0005, (0.8, 1.0)),
    "print": TextureKind(textures_cloth.printed, (0.4, 0.9), 0.0005, (0.8, 1.0)),
    "knit": TextureKind(textures_cloth.knit, (0.25, 0.4), 0.003, (0.9, 1.0)),
    "art": TextureKind(textures_art.art, (1.0, 1.0), 0.0, (0.3, 0.8)),
    "paper": TextureKind(textures_art.paper, (1.0, 1.0), 0.0, (0.3, 0.7)),
}


def build_texture(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job of the kind ``texture``: ``{"texture", "seed", "file"}``."""
    kind = KINDS[job["texture"]]
    rng = Random(f"{job['texture']}-{job['seed']}")
    colour, height = kind.make(rng, np.random.default_rng(rng.randrange(1 << 32)))
    write_image(Path(job["file"]), colour, height)
    return {
        "size_m": round(rng.uniform(*kind.size_m), 3),
        "bump_m": kind.bump_m,
        "roughness": round(rng.uniform(*kind.roughness), 3),
    }


def write_image(file: Path, colour: np.ndarray, height: np.ndarray) -> None:
    """Write colour as sRGB and height as alpha."""
    linear = np.clip(colour, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-8) ** (1 / 2.4) - 0.055)
    pixels = np.concatenate([coded[..., ::-1], np.clip(height, 0, 1)[..., None]], -1)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.png")
    cv2.imwrite(str(partial), (pixels * 255 + 0.5).astype(np.uint8))
    partial.rename(file)
