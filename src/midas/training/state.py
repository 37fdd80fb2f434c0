"""What a run needs to go on where it stopped, written so that a killed run never leaves half a file."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

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


class Standing(NamedTuple):
    """By what epochs are ranked: the smallest comes first.

    Attributes:
        opposed: near and far are the wrong way round; its figure, after an alignment whose scale is negative, says
            nothing, and any epoch of which that isn't so is better.
        figure: the validation figure.
    """

    opposed: bool
    figure: float


class BestEpochs:
    """Keeps ``best.safetensors``, and the weights of the best few epochs beside it.

    Args:
        folder: of the run.
        count: how many epochs are kept beside the best.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self._standings: dict[int, Standing] = {}

    def offer(
        self, weights: dict[str, torch.Tensor], epoch: int, standing: Standing, metadata: dict[str, str], *, best: bool
    ) -> None:
        """Write an epoch's weights if they are among the best, and remove those that no longer are.

        Args:
            weights, epoch, metadata: what may be kept.
            standing: by what it is ranked; an epoch without a figure isn't.
            best: whether it is the best so far.
        """
        if best:
            save_weights(self.folder / BEST_WEIGHTS, weights, metadata)
        if not self.count or standing.figure != standing.figure:
            return
        everything = {**self._standings, epoch: standing}
        ranked = sorted(everything.items(), key=lambda entry: entry[1])[: self.count]
        if epoch in dict(ranked):
            save_weights(self._path(epoch), weights, metadata)
        for dropped in set(self._standings) - set(dict(ranked)):
            self._path(dropped).unlink(missing_ok=True)
        self._standings = dict(ranked)

    def state(self) -> dict[int, tuple[bool, float]]:
        """What a checkpoint holds of it: by what the kept epochs are ranked."""
        return {epoch: (standing.opposed, standing.figure) for epoch, standing in self._standings.items()}

    def restore(self, state: Mapping[int, tuple[bool, float] | float]) -> None:
        """The inverse of ``state``; checkpoints of version 0.4 have the figures alone."""
        self._standings = {
            epoch: Standing(*kept) if isinstance(kept, tuple) else Standing(False, kept)
            for epoch, kept in state.items()
        }

    def _path(self, epoch: int) -> Path:
        return self.folder / f"epoch_{epoch:03d}.safetensors"
