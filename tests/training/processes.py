"""Runs of ``midas train`` in processes of their own, alone or two that learn together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from tests.corpus_miniature import write_miniature

from midas.models.weights import read_safetensors

ALONE = [sys.executable]
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def write_config(folder: Path, text: str) -> Path:
    """A miniature set, and the settings of a run on it: a text with a place for ``{root}``."""
    write_miniature(folder / "miniature")
    path = folder / "config.toml"
    path.write_text(text.format(root=folder), encoding="utf-8")
    return path


def quiet() -> dict[str, str]:
    """The environment of a run that leaves cores and cards to others."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def command(launcher: list[str], *arguments: object) -> list[str]:
    """``midas train`` by a launcher: ``ALONE`` or ``TWO``."""
    return [*launcher, "-m", "midas", "train", *map(str, arguments)]


def train(launcher: list[str], *arguments: object) -> str:
    """Run it to its end, which must be a good one; what it says at its end."""
    done = subprocess.run(command(launcher, *arguments), env=quiet(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def wait_for_checkpoint(run: Path, seconds: float) -> None:
    """Until a run has written its first checkpoint, or that time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not (run / "checkpoint.pt").exists():
        time.sleep(0.005)


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    """Those after its last epoch."""
    return read_safetensors(run / "last.safetensors")


def same_weights(one: Path, other: Path) -> bool:
    """Whether two runs ended with the same bits."""
    first, second = weights_of(one), weights_of(other)
    return all(torch.equal(first[name], second[name]) for name in first)
