"""What long commands need to run on: small sets, settings, pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from tests.corpus_miniature import write_miniature

from midas.training.config import TrainingConfig, read_config

_CONFIG = """
[model]
encoder = "mobilenetv3_small_050"
features = 8
[data]
root = {root}
sizes = [[32, 64]]
[[data.sets]]
name = "miniature"
validation_scenes = ["b"]
[optimizer]
decoder_rate = 1e-3
encoder_rate = 1e-3
[run]
epochs = {epochs}
pictures_per_epoch = 16
batch_size = 4
precision = "float32"
threads = 1
workers = 0
checkpoint_steps = 1
keep_best = 2
"""


def write_training(folder: Path, *, epochs: int = 1) -> Path:
    """Write a small set and the settings of a training on it; the settings' file."""
    if not (folder / "miniature").exists():
        write_miniature(folder / "miniature")
    path = folder / "training.toml"
    path.write_text(_CONFIG.format(root=json.dumps(str(folder)), epochs=epochs), encoding="utf-8")
    return path


def tiny_training(folder: Path) -> TrainingConfig:
    """The same as settings."""
    return read_config(write_training(folder))


def write_pictures(folder: Path, count: int, size: tuple[int, int] = (200, 300)) -> Path:
    """Write so many pictures into a new folder."""
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03d}.jpg")
    return folder
