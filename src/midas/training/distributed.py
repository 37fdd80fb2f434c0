"""One process or many: Lightning Fabric starts them, and each takes its part of every batch."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from torch.utils.data import Sampler

from midas.backends.exactness import bfloat16_is_faster
from midas.errors import ConfigError, MidasError, TrainingError, net
from midas.training.config import RunSettings
from midas.training.meeting import join_restarted

Batch = TypeVar("Batch")

# In messages of exceptions that come from a worker.
_TRACEBACK = "Original Traceback"

# What torchrun, and Ray after its example, tells a process of its place.
_RANKS = {"RANK", "LOCAL_RANK", "WORLD_SIZE"}

_PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed", "float16": "16-mixed"}

log = logging.getLogger(__name__)


def launch(settings: RunSettings) -> Fabric:
    """Start the run's processes, or join those that ``torchrun`` or Ray has started.

    Args:
        settings: devices, nodes, strategy and precision.

    Raises:
        ConfigError: these have started more processes on one machine than on another.
        TrainingError: some of them don't come.
    """
    # They have decided how many there are.
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", settings.devices))
    processes = int(os.environ.get("WORLD_SIZE", devices * settings.nodes))
    nodes, over = divmod(processes, devices)
    if over:
        raise ConfigError(f"{processes} processes, {devices} of them on this machine; expected as many on each")
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces what the settings say
    alone = devices * nodes == 1
    # Fabric's own strategy for sharding is for GPUs only: `midas.training.sharding` takes its place.
    strategy = "auto" if alone else "ddp"
    fabric = Fabric(
        accelerator="auto",
        devices=devices,
        num_nodes=nodes,
        strategy=strategy,
        precision=_PRECISIONS[precision_here(settings)],  # type: ignore[arg-type]
        # Of itself it knows torchrun alone, and numbers the processes of others as if each machine had as many.
        plugins=[TorchElasticEnvironment()] if os.environ.keys() >= _RANKS else [],
    )
    if not alone:
        join_restarted(fabric)
    fabric.launch()
    return fabric


def precision_here(settings: RunSettings) -> str:
    """The precision that a run's network computes in on this machine, a key of `RunSettings.precision` but ``auto``.

    ``auto`` takes bfloat16 where the device is faster in it: where it must be imitated, a step takes twice as long as
    in float32 and gains nothing.
    """
    if settings.precision != "auto":
        return settings.precision
    card = torch.cuda.is_available()
    if torch.cuda.is_bf16_supported(including_emulation=False) if card else bfloat16_is_faster():
        return "bfloat16"
    log.info("this machine is no faster in bfloat16: the network computes in float32")
    return "float32"


def batches(loader: Iterable[Batch]) -> Iterator[Batch]:
    """What a loader gives, with errors of its workers as they were raised there.

    PyTorch raises them again with the worker's traceback for a message.

    Raises:
        MidasError: of samples that can't be read; a ``TrainingError`` for a worker that fails or is killed.
    """
    with net("the processes that read samples fail", TrainingError, "set run.workers = 0 to see more of it"):
        try:
            yield from loader
        except MidasError as error:
            if _TRACEBACK not in error.message:
                raise
            last = error.message.strip().splitlines()[-1]
            raise type(error)(last.partition(": ")[2] or last) from error


class StepSampler(Sampler[list[int]]):
    """Indices of one process: its part of each step's batch, in as many pieces as gradients are accumulated over.

    Step s is over the indices from s times the batch size on, however many processes there are, so that the number of
    processes doesn't change what is learnt from. Where a batch can't be divided evenly, pieces differ by one sample,
    and ``weight`` says what each counts: an epoch's last batch is what is left, if that is one sample per piece at
    least.

    Args:
        pictures: number of samples in the epoch.
        batch_size: samples per step, over all processes; the last step may have fewer.
        accumulate: pieces of a process's part.
        first: step to begin with.
        rank, processes: which process this is, of how many.

    Raises:
        ConfigError: there are more pieces than samples in a batch.
    """

    def __init__(
        self, pictures: int, batch_size: int, *, accumulate: int = 1, first: int = 0, rank: int = 0, processes: int = 1
    ) -> None:
        self.pieces_per_step = processes * accumulate
        if batch_size < self.pieces_per_step:
            raise ConfigError(
                f"a batch of {batch_size} can't be divided among {processes} processes in {accumulate} parts each; "
                "run.batch_size counts over all of them"
            )
        self.pictures = pictures
        self.batch_size = batch_size
        self.steps = range(first, steps_in(pictures, batch_size, self.pieces_per_step))
        self.pieces = range(rank * accumulate, (rank + 1) * accumulate)

    def __len__(self) -> int:
        return len(self.steps) * len(self.pieces)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            begin, count = step * self.batch_size, self.samples(step)
            for piece in self.pieces:
                first, end = (count * bound // self.pieces_per_step for bound in (piece, piece + 1))
                yield list(range(begin + first, begin + end))

    def samples(self, step: int) -> int:
        """Samples of a step, over all processes."""
        return min(self.batch_size, self.pictures - step * self.batch_size)

    def weight(self, step: int, samples: int) -> float:
        """What a piece's mean counts in the mean over pieces, so that each sample of the step counts the same."""
        return samples * self.pieces_per_step / self.samples(step)


def steps_of(run: RunSettings, processes: int) -> int:
    """Steps of an epoch of a run, by so many processes."""
    return steps_in(run.pictures_per_epoch, run.batch_size, processes * run.accumulate)


def steps_in(pictures: int, batch_size: int, pieces: int = 1) -> int:
    """Steps of an epoch; a rest of fewer samples than pieces is left out."""
    whole, rest = divmod(pictures, batch_size)
    return whole + (rest >= pieces)
