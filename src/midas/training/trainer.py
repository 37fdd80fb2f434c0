"""The training loop: mixed batches, one loss, two learning rates, an average of weights that is validated and kept."""

from __future__ import annotations

import time
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric.wrappers import _FabricModule
from torch.utils.data import DataLoader

from midas.datasets.mixture import EpochPlan, Item, TrainingMixture, collate
from midas.errors import DamageWarning, TrainingError
from midas.models.network import DepthNetwork
from midas.training.blending import Blend
from midas.training.combinations import check_combinations
from midas.training.config import ParetoSettings, TrainingConfig
from midas.training.distributed import StepSampler, batches, launch, steps_of
from midas.training.fast_layers import use_fast_layers
from midas.training.journal import EpochReport, Journal, figure_line
from midas.training.objective import Terms, loss_terms, terms_by_source
from midas.training.optimizer import build_optimizer, build_schedule
from midas.training.pareto import pareto_backward
from midas.training.progress import RunProgress
from midas.training.sharding import (
    average_of,
    exchange_gradients,
    load_whole_optimizer_state,
    load_whole_state,
    shard,
    whole_optimizer_state,
    whole_state,
)
from midas.training.shared_statistics import share_statistics
from midas.training.sources import augmentation_of, open_sets
from midas.training.standing import START, Position, gain_lines
from midas.training.start import start_network, training_mode
from midas.training.state import (
    BEST_WEIGHTS,
    LAST_WEIGHTS,
    BestEpochs,
    Standing,
    load_checkpoint,
    restoring,
    save_checkpoint,
    save_nan_batch,
    save_weights,
)
from midas.training.validation import Measured, validate, validation_figure


class Trainer:
    """A training run in a folder: ``checkpoint.pt``, ``log.csv``, ``best.safetensors`` and ``last.safetensors``.

    Args:
        config: all settings.
        folder: where the run writes.

    Raises:
        MidasError: data, weights or settings don't fit.
    """

    def __init__(self, config: TrainingConfig, folder: Path) -> None:
        check_combinations(config)
        torch.manual_seed(config.run.seed)
        if config.run.threads:
            torch.set_num_threads(config.run.threads)
        self.config = config
        self.folder = folder
        self.fabric = launch(config.run)
        self.sources, self.validation_sets = open_sets(config.data, config.run.seed)
        network = start_network(config.model, config.run.seed).to(self.fabric.device)
        self.network = network.to(memory_format=torch.channels_last)
        self.sharded = config.run.strategy == "fsdp" and self.fabric.world_size > 1
        self.average = average_of(self.network, config.run.ema_decay, sharded=self.sharded)
        self.blend = Blend(cast(DepthNetwork, self.average.module), config.run.start_share)
        training_mode(self.network, config.model)
        self.fast_layers = use_fast_layers(self.network, config.run)
        share_statistics(self.network, wanted=config.run.sync_batch_norm)
        if self.sharded:
            shard(self.network)
            shard(self.average.module)
        optimizer = build_optimizer(self.network, config.optimizer)
        self.steps_per_epoch = steps_of(config.run, self.fabric.world_size)
        self.schedule = build_schedule(optimizer, config.optimizer, config.run.epochs * self.steps_per_epoch)
        self.trained = cast(torch.nn.Module, torch.compile(self.network) if config.run.compile else self.network)
        if not self.sharded:
            self.trained = self.fabric.setup_module(self.trained)
        self.optimizer = cast(torch.optim.Optimizer, self.fabric.setup_optimizers(optimizer))
        self.position = Position()
        self.kept = BestEpochs(folder, config.run.keep_best)

    @property
    def best(self) -> float:
        """The smallest validation figure so far."""
        return self.position.best

    def run(self) -> None:
        """Train from where the run stands to the last epoch; validate, log and save after each."""
        journal = Journal(self.folder, tensorboard=self.config.run.tensorboard) if self._leads() else None
        with RunProgress(self.config.run.epochs, self.steps_per_epoch, visible=self._leads()) as progress:
            for note in (note for source in self.sources for note in source.notes):
                progress.say(note)
            self._measure_start(progress)
            while self.position.epoch < self.config.run.epochs and not self._stalled():
                item, rate = self._train_epoch(progress)
                report = self._finish_epoch(self._validate(), rate)
                self._save(report)
                progress.say(report.line(self.config.run.epochs))
                prediction = self._predict(item) if self._validates() else None
                if journal and prediction is not None:
                    journal.write(report)
                    journal.draw(report.epoch, item, prediction, self.network.input_spec)
                self.fabric.barrier()
            for line in gain_lines(self.position):
                progress.say(line)
        if journal:
            journal.close()

    def resume(self) -> None:
        """Take up the run in this folder where its last checkpoint was written.

        Raises:
            TrainingError: there is no checkpoint, or it is of a run with other settings.
        """
        state = load_checkpoint(self.folder, config=repr(self.config))
        with restoring(self.folder):
            load_whole_state(self.network, state["network"])
            load_whole_state(self.average.module, state["average"])
            self.average.n_averaged.fill_(state["averaged"])
            load_whole_optimizer_state(self.network, self.optimizer, state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            torch.set_rng_state(state["rng"])
            self.position = Position(**state["position"])
            self.kept.restore(state["kept"])

    def _measure_start(self, progress: RunProgress) -> None:
        """Measure the weights that the run starts from, which count as the best so far, and keep them as such."""
        position = self.position
        has_begun = position.epoch or position.step or position.start_values
        if has_begun or not (self.validation_sets and self.config.run.measure_start):
            return
        measured = self._validate()
        position.begin(self._agreed(measured), measured.values, opposed=self._opposed(measured))
        weights = whole_state(self._averaged())
        if self._leads():
            save_weights(self.folder / BEST_WEIGHTS, weights, self._metadata(START, position.best))
        progress.say(figure_line("start", position.best, position.best, measured.figures, opposed=measured.opposed))

    def _train_epoch(self, progress: RunProgress) -> tuple[Item, float]:
        """Run the rest of an epoch; its last batch, and the pictures per second."""
        position, run = self.position, self.config.run
        training_mode(self.network, self.config.model)
        first, started = position.step, time.perf_counter()
        sampler = self._sampler()
        loader = batches(self._loader(sampler))
        progress.begin_epoch(position.epoch, first)
        while position.step < self.steps_per_epoch:
            pieces = [next(loader).to(self.fabric.device) for _ in range(run.accumulate)]
            self._count_unreadable(pieces)
            terms = self._step(pieces, [sampler.weight(position.step, len(item.pixels)) for item in pieces])
            position.step += 1
            position.sums = [total + value for total, value in zip(position.sums, terms, strict=True)]
            rate = (position.step - first) * run.batch_size / (time.perf_counter() - started)
            progress.step(position.epoch, position.step, position.sums[0] / position.step, rate)
            # After the last step the epoch's own checkpoint is about to be written.
            at_rest = position.step < self.steps_per_epoch
            if run.checkpoint_steps and at_rest and position.step % run.checkpoint_steps == 0:
                self._checkpoint()
        return pieces[-1], rate

    def _step(self, pieces: list[Item], weights: list[float]) -> list[float]:
        """One step of the optimiser; the loss terms, averaged over the samples of all pieces and processes."""
        sums = torch.zeros(len(Terms._fields), device=self.fabric.device)
        backward = self._backward if self.config.pareto is None else self._pareto_backward
        for number, (item, weight) in enumerate(zip(pieces, weights, strict=True), start=1):
            share = weight / len(pieces)
            sums += torch.stack(list(backward(item, share, last=number == len(pieces)))).detach() * share
        self.fabric.clip_gradients(self.trained, self.optimizer, max_norm=self.config.optimizer.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step()
        self.average.update_parameters(self.network)
        reduced = cast(torch.Tensor, self.fabric.all_reduce(sums, reduce_op="mean"))
        return [float(value) for value in reduced]

    def _backward(self, item: Item, share: float, *, last: bool) -> Terms:
        """Add one piece's gradient, by its share of the step; processes exchange theirs with the last."""
        exchange_gradients(self.network, enabled=last)
        wrapped = cast(_FabricModule, self.trained)
        with nullcontext() if self.sharded else self.fabric.no_backward_sync(wrapped, enabled=not last):
            prediction = self._forward(item)
            terms = loss_terms(prediction, item, self.config.loss)
            self._check_finite(terms, item, prediction)
            self.fabric.backward(terms.total * share)
        return terms

    def _pareto_backward(self, item: Item, share: float, *, last: bool) -> Terms:
        """Leave the gradient along which the losses of all data sets fall."""
        settings = cast(ParetoSettings, self.config.pareto)
        # The combination is of gradients over all processes, which are exchanged here and not by DDP's wrapper.
        with self.fabric.autocast():
            prediction = self.network(item.pixels.contiguous(memory_format=torch.channels_last)).float()
        by_source = terms_by_source(prediction, item, self.config.loss, len(self.sources))
        for terms in by_source:
            self._check_finite(terms, item, prediction)
        pareto_backward(
            [terms.total * share for terms in by_source],
            [parameter for parameter in self.network.parameters() if parameter.requires_grad],
            normalization=settings.normalization,
            method=settings.method,
            reduce=lambda tensor: cast(torch.Tensor, self.fabric.all_reduce(tensor, reduce_op="mean")),
            retain_graph=True,
        )
        return Terms(*(torch.stack(values).mean() for values in zip(*by_source, strict=True)))

    def _forward(self, item: Item) -> torch.Tensor:
        with self.fabric.autocast():
            prediction: torch.Tensor = self.trained(item.pixels.contiguous(memory_format=torch.channels_last))
        return prediction.float()

    def _check_finite(self, terms: Terms, item: Item, prediction: torch.Tensor) -> None:
        if not torch.isfinite(terms.total):
            path = save_nan_batch(self.folder, item, prediction)
            raise TrainingError(
                f"the loss is {float(terms.total.detach())} in epoch {self.position.epoch + 1}, step "
                f"{self.position.step + 1}; its batch is in {path}; lower the learning rates"
            )

    def _sampler(self) -> StepSampler:
        run = self.config.run
        return StepSampler(
            run.pictures_per_epoch,
            run.batch_size,
            accumulate=run.accumulate,
            first=self.position.step,
            rank=self.fabric.global_rank,
            processes=self.fabric.world_size,
        )

    def _loader(self, sampler: StepSampler) -> DataLoader[Item]:
        run, data = self.config.run, self.config.data
        late = self.position.epoch >= run.late_from * run.epochs
        mixture = TrainingMixture(
            [source.late() for source in self.sources] if late else self.sources,
            augmentation_of(data, self.config.loss),
            self.network.input_spec,
            EpochPlan(run.pictures_per_epoch, run.batch_size, data.mixing, data.pairs),
            seed=run.seed,
            epoch=self.position.epoch,
        )
        return DataLoader(
            mixture,
            batch_sampler=sampler,
            num_workers=run.workers,
            collate_fn=collate,
            pin_memory=self.fabric.device.type == "cuda",
        )

    def _count_unreadable(self, pieces: list[Item]) -> None:
        names = [name for item in pieces for name in item.unreadable]
        self.position.unreadable += len(names)
        for name in names:  # Python shows the same one once
            warnings.warn(f"a sample is left out: {name}", DamageWarning, stacklevel=2)
        if self.position.unreadable > self.config.data.unreadable_limit:
            raise TrainingError(
                f"{self.position.unreadable} samples could not be read, more than data.unreadable_limit "
                f"{self.config.data.unreadable_limit}; the last: {names[-1]}"
            )

    def _validate(self) -> Measured:
        """What the averaged weights have on each validation set."""
        if not self.validation_sets or not self._validates():
            return Measured()
        return validate(self._averaged(), self.validation_sets, self.network.input_spec)

    def _agreed(self, measured: Measured) -> float:
        """The validation figure. All processes must agree on when to stop, and the first alone has validated."""
        return float(self.fabric.broadcast(validation_figure(measured.figures, self.validation_sets)))

    def _opposed(self, measured: Measured) -> bool:
        """Whether near and far are the wrong way round in any set; agreed on likewise."""
        return bool(self.fabric.broadcast(float(bool(measured.opposed))))

    def _predict(self, item: Item) -> torch.Tensor:
        averaged = self._averaged().eval()
        with torch.inference_mode():
            prediction: torch.Tensor = averaged(item.pixels).float()
        return prediction

    def _finish_epoch(self, measured: Measured, rate: float) -> EpochReport:
        position = self.position
        figure = self._agreed(measured)
        total, data, gradient, hierarchical, ordinal = (value / max(position.step, 1) for value in position.sums)
        position.finish_epoch(figure, measured.values, opposed=self._opposed(measured))
        losses = (total, data, gradient, hierarchical, ordinal)
        said = (measured.figures, tuple(measured.opposed), tuple(measured.unrelated))
        return EpochReport(position.epoch, *losses, rate, figure, position.best, *said)

    def _metadata(self, epoch: int, figure: float) -> dict[str, str]:
        metadata = {"midas.epoch": str(epoch), "midas.validation": f"{figure:.4f}"}
        return metadata | ({"midas.name": self.config.model.name} if self.config.model.name else {})

    def _save(self, report: EpochReport) -> None:
        weights = whole_state(self._averaged())
        if self._leads():
            metadata = self._metadata(report.epoch, report.figure)
            standing = Standing(bool(report.opposed), report.figure)
            self.kept.offer(weights, report.epoch, standing, metadata, best=self.position.waited == 0)
            save_weights(self.folder / LAST_WEIGHTS, weights, metadata)
        self._checkpoint()

    def _checkpoint(self) -> None:
        state: dict[str, Any] = {
            "config": repr(self.config),
            "network": whole_state(self.network),
            "average": whole_state(self.average.module),
            "averaged": int(self.average.n_averaged),
            "optimizer": whole_optimizer_state(self.network, self.optimizer),
            "schedule": self.schedule.state_dict(),
            "rng": torch.get_rng_state(),
            "position": vars(self.position),
            "kept": self.kept.state(),
        }
        if self._leads():
            save_checkpoint(self.folder, state)

    def _stalled(self) -> bool:
        patience = self.config.run.patience
        return bool(patience and self.position.waited >= patience)

    def _leads(self) -> bool:
        return bool(self.fabric.is_global_zero)

    def _validates(self) -> bool:
        """Whether this process runs the averaged network: of a sharded one each holds a piece that all need."""
        return self.sharded or self._leads()

    def _averaged(self) -> DepthNetwork:
        return self.blend(cast(DepthNetwork, self.average.module))
