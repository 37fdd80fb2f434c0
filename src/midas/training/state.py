"""What a run needs to go on where it stopped, written so that a killed run never leaves half a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from midas.errors import TrainingError
from midas.models.weights import write_safetensors
from midas.storage.atomic import atomic_file

CHECKPOINT = "checkpoint.pt"
BEST_WEIGHTS = "best.safetensors"
LAST_WEIGHTS = "last.safetensors"
NAN_BATCH = "nan_batch.pt"


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


def save_weights(path: Path, weights: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write weights as safetensors, at once or not at all."""
    write_safetensors(weights, path, metadata, overwrite=True)


def save_nan_batch(folder: Path, item: Any, prediction: torch.Tensor) -> Path:
    """Write the batch whose loss is no number, for inspection; its path."""
    path = folder / NAN_BATCH
    tensors = {name: value.cpu() for name, value in item._asdict().items() if isinstance(value, torch.Tensor)}
    with atomic_file(path, overwrite=True) as file:
        torch.save(tensors | {"prediction": prediction.detach().cpu()}, file)
    return path


class BestEpochs:
    """Keeps ``best.safetensors``, and the weights of the best few epochs beside it.

    Args:
        folder: of the run.
        count: how many epochs are kept beside the best.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self._figures: dict[int, float] = {}

    def offer(
        self, weights: dict[str, torch.Tensor], epoch: int, figure: float, metadata: dict[str, str], *, best: bool
    ) -> None:
        """Write an epoch's weights if they are among the best, and remove those that no longer are."""
        if best:
            save_weights(self.folder / BEST_WEIGHTS, weights, metadata)
        if not self.count or figure != figure:
            return
        ranked = sorted(self._figures.items() | {(epoch, figure)}, key=lambda entry: entry[1])[: self.count]
        if epoch in dict(ranked):
            save_weights(self._path(epoch), weights, metadata)
        for dropped in set(self._figures) - set(dict(ranked)):
            self._path(dropped).unlink(missing_ok=True)
        self._figures = dict(ranked)

    def state(self) -> dict[int, float]:
        """What a checkpoint holds of it: the figures of the kept epochs."""
        return dict(self._figures)

    def restore(self, state: dict[int, float]) -> None:
        """The inverse of ``state``."""
        self._figures = dict(state)

    def _path(self, epoch: int) -> Path:
        return self.folder / f"epoch_{epoch:03d}.safetensors"
