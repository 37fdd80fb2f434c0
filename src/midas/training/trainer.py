"""The training loop: mixed batches, one loss, two learning rates, an average of weights that is validated and kept."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from midas.datasets.mixture import Augmentation, Source, TrainingMixture
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.transforms import PhotometricJitter
from midas.errors import TrainingError
from midas.losses import LossTerms, total_loss
from midas.models.factory import create_model, create_untrained
from midas.models.network import DepthNetwork
from midas.models.zoo import find_model
from midas.training.config import DataSettings, ModelSettings, TrainingConfig
from midas.training.optimizer import build_optimizer, build_schedule, clip_gradient
from midas.training.state import BEST_WEIGHTS, LAST_WEIGHTS, load_checkpoint, save_checkpoint, save_weights
from midas.training.validation import validate, validation_figure

LOG = "log.csv"


@dataclass(frozen=True)
class EpochReport:
    """One line of the log.

    Attributes:
        epoch: counted from 1.
        loss, data_loss, gradient_loss: means over the epoch's steps.
        pictures_per_s: training throughput without validation.
        figure: the validation figure, percent; NaN without validation scenes.
        best: the smallest figure so far.
    """

    epoch: int
    loss: float
    data_loss: float
    gradient_loss: float
    pictures_per_s: float
    figure: float
    best: float


class Trainer:
    """A training run in a folder: ``checkpoint.pt``, ``log.csv``, ``best.safetensors`` and ``last.safetensors``.

    Args:
        config: all settings.
        folder: where the run writes.

    Raises:
        MidasError: data, weights or settings don't fit.
    """

    def __init__(self, config: TrainingConfig, folder: Path) -> None:
        torch.manual_seed(config.run.seed)
        if config.run.threads:
            torch.set_num_threads(config.run.threads)
        self.config = config
        self.folder = folder
        self.spec = find_model(config.model.name)
        self.sources, self.validation_sets = open_sets(config.data)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        network = start_network(config.model, config.run.seed)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.average = AveragedModel(
            self.network,
            multi_avg_fn=get_ema_multi_avg_fn(config.run.ema_decay),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        self.optimizer = build_optimizer(self.network, config.optimizer)
        steps_per_epoch = config.run.pictures_per_epoch // config.run.batch_size
        self.schedule = build_schedule(self.optimizer, config.optimizer, config.run.epochs * steps_per_epoch)
        self.epoch = 0
        self.best = float("inf")

    def run(self) -> None:
        """Train from the current epoch to the last; validate, log and save after each."""
        while self.epoch < self.config.run.epochs:
            terms, rate = self._train_epoch()
            self.epoch += 1
            figure = self._validate()
            report = EpochReport(self.epoch, *terms, rate, figure, min(self.best, figure))
            self._keep(report)
            self._log(report)

    def resume(self) -> None:
        """Take up the run in this folder after its last finished epoch.

        Raises:
            TrainingError: there is no checkpoint, or it is of a run with other settings.
        """
        state = load_checkpoint(self.folder)
        if state["config"] != repr(self.config):
            raise TrainingError(f"{self.folder} holds a run with other settings; choose another folder to start anew")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.epoch, self.best = state["epoch"], state["best"]

    def _train_epoch(self) -> tuple[tuple[float, float, float], float]:
        self.network.train()
        loader = self._loader()
        sums = torch.zeros(3)
        started = time.perf_counter()
        with progress_bar() as progress:
            task = progress.add_task(f"epoch {self.epoch + 1}/{self.config.run.epochs}", total=len(loader), note="")
            for step, (pixels, target, mask) in enumerate(loader, start=1):
                terms = self._step(pixels.to(self.device), target.to(self.device), mask.to(self.device))
                sums += torch.stack([terms.total, terms.data, terms.gradient]).detach().cpu()
                rate = step * self.config.run.batch_size / (time.perf_counter() - started)
                note = f"loss {float(sums[0]) / step:.4f}  {rate:.1f} pictures/s"
                progress.update(task, advance=1, note=note)
        total, data, gradient = (float(value) / len(loader) for value in sums)
        return (total, data, gradient), rate

    def _step(self, pixels: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> LossTerms:
        settings = self.config.loss
        half = self.config.run.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            prediction = self.network(pixels.contiguous(memory_format=torch.channels_last))
        terms = total_loss(
            prediction, target, mask,
            trim=settings.trim, gradient_weight=settings.gradient_weight, scales=settings.gradient_scales,
        )  # fmt: skip
        if not torch.isfinite(terms.total):
            raise TrainingError(f"the loss is {float(terms.total)} in epoch {self.epoch + 1}; lower the learning rates")
        self.optimizer.zero_grad(set_to_none=True)
        terms.total.backward()  # type: ignore[no-untyped-call]
        clip_gradient(self.network, self.config.optimizer.clip_norm)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.network)
        return terms

    def _loader(self) -> DataLoader[Any]:
        run, data = self.config.run, self.config.data
        late = self.epoch >= run.late_from * run.epochs
        mixture = TrainingMixture(
            [source.late() for source in self.sources] if late else self.sources,
            Augmentation(data.sizes, data.min_crop_share, PhotometricJitter().scaled(data.colour_strength)),
            self.spec.input,
            batch_size=run.batch_size,
            pictures=run.pictures_per_epoch // run.batch_size * run.batch_size,
            seed=run.seed,
            epoch=self.epoch,
        )
        return DataLoader(mixture, batch_size=run.batch_size, num_workers=run.workers, shuffle=False)

    def _validate(self) -> float:
        if not self.validation_sets:
            return float("nan")
        results = validate(self._averaged(), self.validation_sets, self.spec.input)
        return validation_figure(results)

    def _averaged(self) -> DepthNetwork:
        return cast(DepthNetwork, self.average.module)

    def _keep(self, report: EpochReport) -> None:
        metadata = {"model": self.spec.name, "epoch": str(report.epoch), "validation": f"{report.figure:.4f}"}
        # Without validation scenes every epoch counts as the best yet.
        if not report.figure >= self.best:
            save_weights(self.folder / BEST_WEIGHTS, self._averaged(), metadata)
        save_weights(self.folder / LAST_WEIGHTS, self._averaged(), metadata)
        self.best = report.best
        save_checkpoint(
            self.folder,
            {
                "config": repr(self.config),
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "epoch": self.epoch,
                "best": self.best,
            },
        )

    def _log(self, report: EpochReport) -> None:
        path = self.folder / LOG
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(vars(report))
            writer.writerow(f"{value:.5g}" if isinstance(value, float) else value for value in vars(report).values())


def open_sets(settings: DataSettings) -> tuple[list[Source], list[CorpusDataset]]:
    """The training sources and the validation sets, which share no scene.

    Raises:
        TrainingError: a set is for evaluation only.
        DatasetError: a set isn't there.
    """
    sources, validation = [], []
    for entry in settings.sets:
        folder = settings.root / entry.name
        dataset = CorpusDataset(folder, excluded=entry.validation_scenes)
        if dataset.info.split != "train":
            raise TrainingError(f"{folder} is for evaluation only: its split is {dataset.info.split!r}")
        sources.append(Source(dataset, entry.weight, entry.sky, entry.late_weight))
        if entry.validation_scenes:
            validation.append(CorpusDataset(folder, scenes=entry.validation_scenes))
    return sources, validation


def start_network(settings: ModelSettings, seed: int) -> DepthNetwork:
    """The network with the weights that the run starts from."""
    if settings.weights is not None:
        return create_model(settings.name, weights=settings.weights)
    return create_untrained(settings.name, settings.encoder_weights, seed=seed)


def progress_bar() -> Progress:
    """A bar with throughput and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
