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
from midas.datasets.mixture import Augmentation, Source, source_of_things
from midas.datasets.parts import split_by_scenes, split_by_share
from midas.datasets.reader import Reader, read_sample
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.relief import with_relief
from midas.datasets.sample import PairSample
from midas.datasets.transforms import PhotometricJitter
from midas.datasets.weighted import Weighted
from midas.errors import ConfigError, DatasetError, ImageError, TrainingError, net
from midas.evaluation.runs import Benchmark, rules_for
from midas.losses import DATA_TERMS
from midas.training.config import DataSettings, LossSettings, SetSettings, ValidationSettings

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


def open_sets(settings: DataSettings, seed: int = 0) -> tuple[list[Source], list[ValidationSet]]:
    """The training sources and the validation sets, which share no scene.

    Args:
        settings: of the run's data.
        seed: of the run, which draws the frames of ``validation_share``.

    Raises:
        TrainingError: a set is for evaluation only.
        DatasetError: a set isn't there, or has no such scenes.
        ConfigError: no such reader or option, two validation sets of one name, rules that don't fit a set, sky where
            disparity 0 isn't infinitely far, or things laid over pictures from where none can be cut.
    """
    sources, validation = [], []
    for entry in settings.sets:
        dataset, held_out = open_training_set(_folder(settings, entry), entry, seed)
        notes: tuple[str, ...] = ()
        if entry.least_unexplained:
            whole, dataset = dataset, with_relief(dataset, entry.least_unexplained)
            share = f"least_unexplained {entry.least_unexplained:g}"
            notes = (f"{entry.name}: {len(dataset)} of {len(whole)} pictures are learnt from, by {share}",)
        kept = settings.in_memory and entry.reader != SYNTHETIC
        reader = InMemory(dataset, sky=entry.sky) if kept else dataset
        if entry.gradient_weight is not None:
            reader = Weighted(reader, entry.gradient_weight)
        sources.append(Source(reader, entry.weight, entry.sky and not kept, entry.late_weight, notes))
        if held_out is not None:
            validation.append(ValidationSet(held_out, weight=entry.validation_weight))
    for chosen in settings.validation:
        reader = _open(chosen.reader, _folder(settings, chosen), chosen.options)
        if not len(reader):
            raise DatasetError(f"data.validation, {chosen.name}: the set has no picture to validate on")
        with _naming(f"data.validation, {chosen.name}, protocol"):
            rules = rules_for(reader, chosen.reader, chosen.protocol)
        validation.append(ValidationSet(Benchmark(reader, rules), chosen.limit, chosen.weight))
    names = [chosen.name for chosen in validation]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"two validation sets are called {twice}; the log has one column for each name")
    joined = by_domain(sources, [entry.domain for entry in settings.sets])
    _check_things(settings, joined)
    return joined, validation


def _check_things(settings: DataSettings, sources: Sequence[Source]) -> None:
    """Things can be cut from where they are to come from, before anything is measured."""
    chosen = source_of_things(sources, settings.overlay_share, settings.overlay_from)
    if chosen is None:
        return
    for dataset in chosen.dataset.sets if isinstance(chosen.dataset, Domain) else (chosen.dataset,):
        try:
            first = read_sample(dataset, 0)
        except (DatasetError, ImageError):
            continue  # named when it is drawn
        if isinstance(first, PairSample) or first.sparse:
            held = "pairs of points" if isinstance(first, PairSample) else "depth at scattered points"
            raise ConfigError(
                f"data.overlay_from: {dataset.name} has {held}, and things are cut from depth that is dense and exact"
            )


def augmentation_of(data: DataSettings, loss: LossSettings) -> Augmentation:
    """How the samples of a run are varied."""
    return Augmentation(
        data.sizes,
        data.min_crop_share,
        PhotometricJitter().scaled(data.colour_strength),
        rotation_deg=data.rotation_deg,
        keep_zero=DATA_TERMS[loss.data].needs_zero,
        graft_share=data.graft_share,
        cut_mix_share=data.cut_mix_share,
        upside_down_share=data.upside_down_share,
        overlay_share=data.overlay_share,
        overlay_from=data.overlay_from,
    )


def _folder(settings: DataSettings, entry: SetSettings | ValidationSettings) -> Path:
    return (settings.root if entry.root is None else entry.root) / entry.name


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
    notes = tuple(note for source in group for note in source.notes)
    return Source(domain, sum(source.weight for source in group), late_weight=late, notes=notes)


def open_training_set(folder: Path, entry: SetSettings, seed: int = 0) -> tuple[Reader, Benchmark | None]:
    """One set of the mixture, and the part of it that is measured on, if any is held out.

    Raises:
        TrainingError: it is for evaluation only.
        DatasetError: it isn't there, or has no such scenes.
        ConfigError: no such reader or option, or both scenes and a share are held out.
    """
    if entry.validation_scenes and entry.validation_share:
        raise ConfigError(f"{entry.name} has validation_scenes and a validation_share; give one of them")
    reader = _open(entry.reader, folder, entry.options)
    if isinstance(reader, CorpusDataset):
        _check_corpus(reader, folder, entry)
    if not entry.validation_scenes and not entry.validation_share:
        if entry.validation_protocol:
            raise ConfigError(
                f"data.sets, {entry.name}: validation_protocol says nothing without validation_scenes or "
                "validation_share; give one of them, or leave it out"
            )
        return reader, None
    if entry.validation_scenes:
        with _naming(f"data.sets, {entry.name}, validation_scenes"):
            kept, held_out = split_by_scenes(reader, entry.validation_scenes)
    else:
        kept, held_out = split_by_share(reader, entry.validation_share, seed)
    with _naming(f"data.sets, {entry.name}, validation_protocol"):
        rules = rules_for(reader, entry.reader, entry.validation_protocol or None)
    return kept, Benchmark(held_out, rules)


def _check_corpus(dataset: CorpusDataset, folder: Path, entry: SetSettings) -> None:
    if dataset.info.split != "train":
        raise TrainingError(f"{folder} is for evaluation only: its split is {dataset.info.split!r}")
    if entry.sky and not dataset.info.shift_known:
        raise ConfigError(
            f"{entry.name} has sky = true, and disparities of unknown shift, whose 0 is not infinitely far: leave "
            "out `sky` for this set"
        )


@contextmanager
def _naming(setting: str) -> Iterator[None]:
    """Say to which setting an error of a set belongs."""
    try:
        yield
    except (ConfigError, DatasetError) as error:
        raise type(error)(f"{setting}: {error.message}", below=error.below) from error


def _open(reader: str, folder: Path, options: dict[str, Any]) -> Reader:
    with net(f"the options of the reader {reader} don't fit it", ConfigError):
        if reader == SYNTHETIC:
            from midas.datasets.readers.synthetic import SyntheticDataset

            return SyntheticDataset(**options)
        return open_reader(reader, folder, **options)
