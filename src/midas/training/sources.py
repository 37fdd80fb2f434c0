"""The sets that a run learns from and is validated on."""

from __future__ import annotations

from pathlib import Path

from midas.datasets.catalogue import open_reader
from midas.datasets.mixture import Source
from midas.datasets.reader import Reader
from midas.datasets.readers.corpus import CorpusDataset
from midas.errors import TrainingError
from midas.training.config import DataSettings, SetSettings

CORPUS = "corpus"
SYNTHETIC = "synthetic"


def open_sets(settings: DataSettings) -> tuple[list[Source], list[CorpusDataset]]:
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
            validation.append(CorpusDataset(settings.root / entry.name, scenes=entry.validation_scenes))
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
    if entry.reader == SYNTHETIC:
        from midas.datasets.synthetic import SyntheticDataset

        return SyntheticDataset(**entry.options)
    return open_reader(entry.reader, folder, **entry.options)
