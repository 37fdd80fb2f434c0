"""The sets that a run learns from and is validated on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midas.datasets.catalogue import open_reader
from midas.datasets.domain import Domain
from midas.datasets.memory import InMemory
from midas.datasets.mixture import Source
from midas.datasets.reader import Reader
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.weighted import Weighted
from midas.errors import ConfigError, DatasetError, TrainingError, net
from midas.evaluation.runs import Benchmark, rules_for
from midas.training.config import DataSettings, SetSettings

CORPUS = "corpus"
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class ValidationSet:
    """A set that the validation figure is taken from.

    Attributes:
        benchmark: the set and the rules.
        limit: only so many pictures; None for all.
        weight: its share in the figure.
    """

    benchmark: Benchmark
    limit: int | None = None
    weight: float = 1.0

    @property
    def name(self) -> str:
        """Of the set."""
        return self.benchmark.reader.name


def open_sets(settings: DataSettings) -> tuple[list[Source], list[ValidationSet]]:
    """The training sources and the validation sets, which share no scene.

    Raises:
        TrainingError: a set is for evaluation only, or has validation scenes and no scenes.
        DatasetError: a set isn't there.
        ConfigError: no such reader or option, two validation sets of one name, rules that don't fit a set, or sky
            where disparity 0 isn't infinitely far.
    """
    sources, validation = [], []
    for entry in settings.sets:
        dataset = open_training_set(settings.root / entry.name, entry)
        kept = settings.in_memory and entry.reader != SYNTHETIC
        reader = InMemory(dataset, sky=entry.sky) if kept else dataset
        if entry.gradient_weight is not None:
            reader = Weighted(reader, entry.gradient_weight)
        sources.append(Source(reader, entry.weight, entry.sky and not kept, entry.late_weight))
        if entry.validation_scenes:
            with _naming(f"data.sets, {entry.name}, validation_scenes"):
                held_out = CorpusDataset(settings.root / entry.name, scenes=entry.validation_scenes)
            rules = rules_for(held_out, CORPUS, entry.validation_protocol or None)
            validation.append(ValidationSet(Benchmark(held_out, rules), weight=entry.validation_weight))
    for chosen in settings.validation:
        reader = _open(chosen.reader, settings.root / chosen.name, chosen.options)
        if not len(reader):
            raise DatasetError(f"data.validation, {chosen.name}: the set has no picture to validate on")
        rules = rules_for(reader, chosen.reader, chosen.protocol)
        validation.append(ValidationSet(Benchmark(reader, rules), chosen.limit, chosen.weight))
    names = [chosen.name for chosen in validation]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"two validation sets are called {twice}; the log has one column for each name")
    return by_domain(sources, [entry.domain for entry in settings.sets]), validation


def by_domain(sources: Sequence[Source], domains: Sequence[str]) -> list[Source]:
    """Sources in the order in which their domains first appear, those of one domain joined into one.

    Args:
        sources: the sets.
        domains: the domain of each; empty where it stands for itself.
    """
    members: dict[str, list[Source]] = {}
    for number, (source, domain) in enumerate(zip(sources, domains, strict=True)):
        members.setdefault(domain or f"\0{number}", []).append(source)
    return [group[0] if name.startswith("\0") else _joined(name, group) for name, group in members.items()]


def _joined(name: str, group: Sequence[Source]) -> Source:
    """One source for a domain; the shares of its sets within it stay as they are early in the run."""
    domain = Domain(
        name,
        [source.dataset for source in group],
        [source.weight for source in group],
        [source.sky for source in group],
    )
    late = sum(source.late().weight for source in group)
    return Source(domain, sum(source.weight for source in group), late_weight=late)


def open_training_set(folder: Path, entry: SetSettings) -> Reader:
    """One set of the mixture.

    Raises:
        TrainingError: it is for evaluation only, or has validation scenes and no scenes.
        DatasetError: it isn't there.
        ConfigError: no such reader or option.
    """
    if entry.reader == CORPUS:
        setting = f"data.sets, {entry.name}, validation_scenes" if entry.validation_scenes else ""
        with _naming(setting), net(f"the options of data.sets, {entry.name}, don't fit it", ConfigError):
            dataset = CorpusDataset(folder, excluded=entry.validation_scenes, **entry.options)
        if dataset.info.split != "train":
            raise TrainingError(f"{folder} is for evaluation only: its split is {dataset.info.split!r}")
        if entry.sky and not dataset.info.shift_known:
            raise ConfigError(
                f"{entry.name} has sky = true, and disparities of unknown shift, whose 0 is not infinitely far: leave "
                "out `sky` for this set"
            )
        return dataset
    if entry.validation_scenes:
        raise TrainingError(f"{entry.name} has validation_scenes; only sets in the corpus format have scenes to name")
    return _open(entry.reader, folder, entry.options)


@contextmanager
def _naming(setting: str) -> Iterator[None]:
    """Say to which setting an error of a set belongs."""
    try:
        yield
    except DatasetError as error:
        if not setting:
            raise
        raise DatasetError(f"{setting}: {error.message}", below=error.below) from error


def _open(reader: str, folder: Path, options: dict[str, Any]) -> Reader:
    with net(f"the options of the reader {reader} don't fit it", ConfigError):
        if reader == SYNTHETIC:
            from midas.datasets.readers.synthetic import SyntheticDataset

            return SyntheticDataset(**options)
        return open_reader(reader, folder, **options)
