"""The sets that a run learns from and is validated on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midas.datasets.catalogue import open_reader
from midas.datasets.mixture import Source
from midas.datasets.reader import Reader
from midas.datasets.readers.corpus import CorpusDataset
from midas.errors import TrainingError
from midas.evaluation.protocols import find_protocol, protocol_for
from midas.evaluation.runs import Benchmark
from midas.training.config import DataSettings, SetSettings

CORPUS = "corpus"
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class ValidationSet:
    """A set that the validation figure is taken from.

    Attributes:
        benchmark: the set and the rules.
        limit: only so many pictures; None for all.
    """

    benchmark: Benchmark
    limit: int | None = None


def open_sets(settings: DataSettings) -> tuple[list[Source], list[ValidationSet]]:
    """The training sources and the validation sets, which share no scene.

    Raises:
        TrainingError: a set is for evaluation only, or has validation scenes and no scenes.
        DatasetError: a set isn't there.
        ConfigError: no such reader or option.
    """
    sources, validation = [], []
    for entry in settings.sets:
        dataset = open_training_set(settings.root / entry.name, entry)
        sources.append(Source(dataset, entry.weight, entry.sky, entry.late_weight))
        if entry.validation_scenes:
            held_out = CorpusDataset(settings.root / entry.name, scenes=entry.validation_scenes)
            protocol = protocol_for(held_out.info.domain, metric=held_out.info.metric)
            validation.append(ValidationSet(Benchmark(held_out, protocol)))
    for chosen in settings.validation:
        reader = _open(chosen.reader, settings.root / chosen.name, chosen.options)
        validation.append(ValidationSet(Benchmark(reader, find_protocol(chosen.protocol)), chosen.limit))
    return sources, validation


def open_training_set(folder: Path, entry: SetSettings) -> Reader:
    """One set of the mixture.

    Raises:
        TrainingError: it is for evaluation only, or has validation scenes and no scenes.
        DatasetError: it isn't there.
        ConfigError: no such reader or option.
    """
    if entry.reader == CORPUS:
        dataset = CorpusDataset(folder, excluded=entry.validation_scenes, **entry.options)
        if dataset.info.split != "train":
            raise TrainingError(f"{folder} is for evaluation only: its split is {dataset.info.split!r}")
        return dataset
    if entry.validation_scenes:
        raise TrainingError(f"{entry.name} has validation_scenes; only sets in the corpus format have scenes to name")
    return _open(entry.reader, folder, entry.options)


def _open(reader: str, folder: Path, options: dict[str, Any]) -> Reader:
    if reader == SYNTHETIC:
        from midas.datasets.synthetic import SyntheticDataset

        return SyntheticDataset(**options)
    return open_reader(reader, folder, **options)
