"""What a run needs to go on where it stopped, written so that a killed run never leaves half a file."""

from __future__ import annotations

import pickle
import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from midas.errors import OutputError, TrainingError, net
from midas.models.weights import write_safetensors
from midas.storage.atomic import atomic_file

CHECKPOINT = "checkpoint.pt"
BEST_WEIGHTS = "best.safetensors"
LAST_WEIGHTS = "last.safetensors"
NAN_BATCH = "nan_batch.pt"

KEYS = frozenset({"config", "network", "average", "averaged", "optimizer", "schedule", "rng", "position", "kept"})
"""What a checkpoint holds."""

ADVICE = "start the run anew, from its best.safetensors if that is whole"


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write the run's state over the one before, at once or not at all.

    Raises:
        OutputError: it can't be written.
    """
    _save(state, folder / CHECKPOINT)


def load_checkpoint(folder: Path, *, config: str) -> dict[str, Any]:
    """Read the run's state back; tensors and plain values only, nothing in the file is executed.

    Args:
        folder: of the run.
        config: the settings that the run must have had, as text.

    Raises:
        TrainingError: there is none, it is damaged, or it is of a run with other settings.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise TrainingError(f"nothing to resume: {path} doesn't exist")
    with net(f"{path} can't be read", TrainingError, ADVICE):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of old forms of pickle; what matters raises
                state = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:  # whose text advises to trust the file
            raise TrainingError(f"{path} is damaged, or holds more than a run's state; {ADVICE}") from error
    missing = KEYS - set(state) if isinstance(state, dict) else KEYS
    if missing:
        raise TrainingError(f"{path} is no checkpoint of a run: it lacks {', '.join(sorted(missing))}; {ADVICE}")
    if state["config"] != config:
        raise TrainingError(f"{folder} holds a run with other settings; choose another folder to start anew")
    return dict(state)


def restoring(folder: Path) -> AbstractContextManager[None]:
    """The net for what takes up a run from its checkpoint: parts of it may be damaged though the file can be read.

    Raises:
        TrainingError: in place of any other exception in the block.
    """
    return net(f"{folder / CHECKPOINT} is damaged", TrainingError, ADVICE)


def save_weights(path: Path, weights: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write weights as safetensors, at once or not at all."""
    write_safetensors(weights, path, metadata, overwrite=True)


def save_nan_batch(folder: Path, item: Any, prediction: torch.Tensor) -> Path:
    """Write the batch whose loss is no number, for inspection; its path."""
    path = folder / NAN_BATCH
    tensors = {name: value.cpu() for name, value in item._asdict().items() if isinstance(value, torch.Tensor)}
    _save(tensors | {"prediction": prediction.detach().cpu()}, path)
    return path


def _save(content: dict[str, Any], path: Path) -> None:
    with net(f"{path} can't be written", OutputError), atomic_file(path, overwrite=True) as file:
        torch.save(content, file)


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
