"""What a run needs to go on where it stopped, written so that a killed run never leaves half a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from midas.atomic import atomic_file
from midas.errors import TrainingError
from midas.models.weights import write_safetensors

CHECKPOINT = "checkpoint.pt"
BEST_WEIGHTS = "best.safetensors"
LAST_WEIGHTS = "last.safetensors"


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write the run's state over the one before, at once or not at all."""
    with atomic_file(folder / CHECKPOINT, overwrite=True) as file:
        torch.save(state, file)


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """Read the run's state back; tensors and plain values only, nothing in the file is executed.

    Raises:
        TrainingError: there is none, or it is damaged.
    """
    path = folder / CHECKPOINT
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError(f"nothing to resume: {path} doesn't exist") from error
    except (RuntimeError, EOFError, OSError) as error:
        raise TrainingError(f"{path} is damaged: {error}") from error
    return state


def save_weights(path: Path, network: nn.Module, metadata: dict[str, str]) -> None:
    """Write a network's weights as safetensors, at once or not at all."""
    write_safetensors(network.state_dict(), path, metadata, overwrite=True)
