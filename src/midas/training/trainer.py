"""The training loop: mixed batches, one loss, two learning rates, an average of weights that is validated and kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from midas.datasets.mixture import Augmentation, EpochPlan, Item, TrainingMixture, collate
from midas.datasets.transforms import PhotometricJitter
from midas.errors import ConfigError, TrainingError
from midas.models.factory import create_model, create_untrained, load_encoder
from midas.models.network import DepthNetwork
from midas.training.config import ModelSettings, ParetoSettings, TrainingConfig
from midas.training.distributed import StepSampler, launch
from midas.training.journal import EpochReport, Journal
from midas.training.objective import Terms, loss_terms, terms_by_source
from midas.training.optimizer import build_optimizer, build_schedule
from midas.training.pareto import pareto_backward
from midas.training.sources import open_sets
from midas.training.state import (
    LAST_WEIGHTS,
    BestEpochs,
    load_checkpoint,
    save_checkpoint,
    save_nan_batch,
    save_weights,
)
from midas.training.validation import validate, validation_figure


@dataclass
class Position:
    """Where a run stands.

    Attributes:
        epoch: finished epochs.
        step: finished steps of the one under way.
        sums: of the loss terms over these steps.
        best: the smallest validation figure so far.
        waited: epochs since then.
        unreadable: samples that could not be read.
    """

    epoch: int = 0
    step: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * len(Terms._fields))
    best: float = float("inf")
    waited: int = 0
    unreadable: int = 0


class Trainer:
    """A training run in a folder: ``checkpoint.pt``, ``log.csv``, ``best.safetensors`` and ``last.safetensors``.

    Args:
        config: all settings.
        folder: where the run writes.

    Raises:
        MidasError: data, weights or settings don't fit.
    """

    def __init__(self, config: TrainingConfig, folder: Path) -> None:
        if config.pareto is not None and config.run.accumulate > 1:
            raise ConfigError("run.accumulate is 1 with [pareto]: a step is found from the gradients of one batch")
        torch.manual_seed(config.run.seed)
        if config.run.threads:
            torch.set_num_threads(config.run.threads)
        self.config = config
        self.folder = folder
        self.fabric = launch(config.run)
        self.sources, self.validation_sets = open_sets(config.data)
        network = start_network(config.model, config.run.seed).to(self.fabric.device)
        self.network = network.to(memory_format=torch.channels_last)
        self.average = AveragedModel(
            self.network,
            multi_avg_fn=get_ema_multi_avg_fn(config.run.ema_decay),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        optimizer = build_optimizer(self.network, config.optimizer)
        self.steps_per_epoch = config.run.pictures_per_epoch // config.run.batch_size
        self.schedule = build_schedule(optimizer, config.optimizer, config.run.epochs * self.steps_per_epoch)
        trained = torch.compile(self.network) if config.run.compile else self.network
        self.trained, self.optimizer = self.fabric.setup(cast(torch.nn.Module, trained), optimizer)
        self.position = Position()
        self.kept = BestEpochs(folder, config.run.keep_best)

    @property
    def best(self) -> float:
        """The smallest validation figure so far."""
        return self.position.best

    def run(self) -> None:
        """Train from where the run stands to the last epoch; validate, log and save after each."""
        journal = Journal(self.folder, tensorboard=self.config.run.tensorboard) if self._leads() else None
        while self.position.epoch < self.config.run.epochs and not self._stalled():
            item, rate = self._train_epoch()
            figure = self._validate()
            report = self._finish_epoch(figure, rate)
            self._save(report)
            if journal:
                journal.write(report)
                journal.draw(report.epoch, item, self._predict(item), self.network.input_spec)
            self.fabric.barrier()
        if journal:
            journal.close()

    def resume(self) -> None:
        """Take up the run in this folder where its last checkpoint was written.

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
        torch.set_rng_state(state["rng"])
        self.position = Position(**state["position"])
        self.kept.restore(state["kept"])

    def _train_epoch(self) -> tuple[Item, float]:
        """Run the rest of an epoch; its last batch, and the pictures per second."""
        position, run = self.position, self.config.run
        self.trained.train()
        if self.config.model.freeze_batch_norm:
            freeze_batch_norm(self.network)
        first, started = position.step, time.perf_counter()
        loader = iter(self._loader())
        with progress_bar(visible=self._leads()) as progress:
            task = progress.add_task(
                f"epoch {position.epoch + 1}/{run.epochs}", total=self.steps_per_epoch, completed=first, note=""
            )
            while position.step < self.steps_per_epoch:
                pieces = [next(loader).to(self.fabric.device) for _ in range(run.accumulate)]
                self._count_unreadable(pieces)
                terms = self._step(pieces)
                position.step += 1
                position.sums = [total + value for total, value in zip(position.sums, terms, strict=True)]
                rate = (position.step - first) * run.batch_size / (time.perf_counter() - started)
                note = f"loss {position.sums[0] / position.step:.4f}  {rate:.1f} pictures/s"
                progress.update(task, completed=position.step, note=note)
                # After the last step the epoch's own checkpoint is about to be written.
                at_rest = position.step < self.steps_per_epoch
                if run.checkpoint_steps and at_rest and position.step % run.checkpoint_steps == 0:
                    self._checkpoint()
        return pieces[-1], rate

    def _step(self, pieces: list[Item]) -> list[float]:
        """One step of the optimiser; the loss terms, averaged over pieces and processes."""
        sums = torch.zeros(len(Terms._fields), device=self.fabric.device)
        backward = self._backward if self.config.pareto is None else self._pareto_backward
        for number, item in enumerate(pieces, start=1):
            last = number == len(pieces)
            sums += torch.stack(list(backward(item, len(pieces), last=last))).detach() / len(pieces)
        self.fabric.clip_gradients(self.trained, self.optimizer, max_norm=self.config.optimizer.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step()
        self.average.update_parameters(self.network)
        reduced = cast(torch.Tensor, self.fabric.all_reduce(sums, reduce_op="mean"))
        return [float(value) for value in reduced]

    def _backward(self, item: Item, pieces: int, *, last: bool) -> Terms:
        """Add one piece's gradient; processes exchange theirs with the last."""
        with self.fabric.no_backward_sync(self.trained, enabled=not last):
            prediction = self._forward(item)
            terms = loss_terms(prediction, item, self.config.loss)
            self._check_finite(terms, item, prediction)
            self.fabric.backward(terms.total / pieces)
        return terms

    def _pareto_backward(self, item: Item, pieces: int, *, last: bool) -> Terms:
        """Leave the gradient along which the losses of all data sets fall."""
        settings = cast(ParetoSettings, self.config.pareto)
        # The combination is of gradients over all processes, which are exchanged here and not by DDP's wrapper.
        with self.fabric.autocast():
            prediction = self.network(item.pixels.contiguous(memory_format=torch.channels_last)).float()
        by_source = terms_by_source(prediction, item, self.config.loss, len(self.sources))
        for terms in by_source:
            self._check_finite(terms, item, prediction)
        pareto_backward(
            [terms.total for terms in by_source],
            list(self.network.parameters()),
            normalization=settings.normalization,
            method=settings.method,
            reduce=lambda tensor: cast(torch.Tensor, self.fabric.all_reduce(tensor, reduce_op="mean")),
            retain_graph=True,
        )
        return Terms(*(torch.stack(values).mean() for values in zip(*by_source, strict=True)))

    def _forward(self, item: Item) -> torch.Tensor:
        prediction: torch.Tensor = self.trained(item.pixels.contiguous(memory_format=torch.channels_last)).float()
        return prediction

    def _check_finite(self, terms: Terms, item: Item, prediction: torch.Tensor) -> None:
        if not torch.isfinite(terms.total):
            path = save_nan_batch(self.folder, item, prediction)
            raise TrainingError(
                f"the loss is {float(terms.total.detach())} in epoch {self.position.epoch + 1}, step "
                f"{self.position.step + 1}; its batch is in {path}; lower the learning rates"
            )

    def _loader(self) -> DataLoader[Item]:
        run, data = self.config.run, self.config.data
        late = self.position.epoch >= run.late_from * run.epochs
        mixture = TrainingMixture(
            [source.late() for source in self.sources] if late else self.sources,
            Augmentation(data.sizes, data.min_crop_share, PhotometricJitter().scaled(data.colour_strength)),
            self.network.input_spec,
            EpochPlan(self.steps_per_epoch * run.batch_size, run.batch_size, data.mixing, data.pairs),
            seed=run.seed,
            epoch=self.position.epoch,
        )
        sampler = StepSampler(
            self.steps_per_epoch,
            run.batch_size,
            accumulate=run.accumulate,
            first=self.position.step,
            rank=self.fabric.global_rank,
            processes=self.fabric.world_size,
        )
        return DataLoader(mixture, batch_sampler=sampler, num_workers=run.workers, collate_fn=collate)

    def _count_unreadable(self, pieces: list[Item]) -> None:
        names = [name for item in pieces for name in item.unreadable]
        self.position.unreadable += len(names)
        if self.position.unreadable > self.config.data.unreadable_limit:
            raise TrainingError(
                f"{self.position.unreadable} samples could not be read, more than data.unreadable_limit "
                f"{self.config.data.unreadable_limit}; the last: {names[-1]}"
            )

    def _validate(self) -> float:
        if not self.validation_sets:
            return float("nan")
        figure = float("nan")
        if self._leads():
            figure = validation_figure(validate(self._averaged(), self.validation_sets, self.network.input_spec))
        # All processes must agree on when to stop.
        return float(self.fabric.broadcast(figure))

    def _predict(self, item: Item) -> torch.Tensor:
        averaged = self._averaged().eval()
        with torch.inference_mode():
            prediction: torch.Tensor = averaged(item.pixels).float()
        return prediction

    def _finish_epoch(self, figure: float, rate: float) -> EpochReport:
        position = self.position
        total, data, gradient, ordinal = (value / max(position.step, 1) for value in position.sums)
        # Without validation scenes every epoch counts as the best yet.
        better = not figure >= position.best
        position.epoch, position.step, position.sums = position.epoch + 1, 0, [0.0] * len(Terms._fields)
        position.waited = 0 if better else position.waited + 1
        position.best = min(position.best, figure) if figure == figure else position.best
        return EpochReport(position.epoch, total, data, gradient, ordinal, rate, figure, position.best)

    def _save(self, report: EpochReport) -> None:
        if not self._leads():
            return
        metadata = {"midas.epoch": str(report.epoch), "midas.validation": f"{report.figure:.4f}"}
        if self.config.model.name:
            metadata["midas.name"] = self.config.model.name
        averaged = self._averaged()
        self.kept.offer(averaged, report.epoch, report.figure, metadata, best=self.position.waited == 0)
        save_weights(self.folder / LAST_WEIGHTS, averaged, metadata)
        self._checkpoint()

    def _checkpoint(self) -> None:
        if not self._leads():
            return
        state: dict[str, Any] = {
            "config": repr(self.config),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": torch.get_rng_state(),
            "position": vars(self.position),
            "kept": self.kept.state(),
        }
        save_checkpoint(self.folder, state)

    def _stalled(self) -> bool:
        patience = self.config.run.patience
        return bool(patience and self.position.waited >= patience)

    def _leads(self) -> bool:
        return bool(self.fabric.is_global_zero)

    def _averaged(self) -> DepthNetwork:
        return cast(DepthNetwork, self.average.module)


def start_network(settings: ModelSettings, seed: int) -> DepthNetwork:
    """The network with the weights that the run starts from.

    Raises:
        ConfigError: neither a name nor an encoder, or both.
    """
    if bool(settings.name) == (settings.encoder is not None):
        raise ConfigError("model: give name or encoder, one of them")
    weights = settings.weights
    if settings.encoder is None:
        if weights is not None:
            return create_model(settings.name, weights=str(weights))
        return create_untrained(settings.name, settings.encoder_weights, seed=seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        imagenet = str(settings.encoder_weights) == "imagenet"
        network = create_model(
            encoder=settings.encoder, weights=weights, encoder_weights=imagenet, features=settings.features
        )
    if settings.encoder_weights is not None and not imagenet:
        load_encoder(network, settings.encoder_weights)
    return network


def freeze_batch_norm(network: DepthNetwork) -> None:
    """Keep the statistics of every batch normalisation as they are; its scale and shift go on learning."""
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eval()


def progress_bar(*, visible: bool) -> Progress:
    """A bar with throughput and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        disable=not visible,
    )
