"""One candidate on one benchmark: open it, measure what is not measured yet, look at the worst."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from midas.datasets.catalogue import READERS, open_reader
from midas.datasets.reader import Reader, read_sample
from midas.datasets.readers.corpus import CorpusDataset, CorpusInfo
from midas.errors import ConfigError, UnsuitableProtocolError
from midas.evaluation.candidates import Candidate
from midas.evaluation.drawn import SYNTHETIC, open_drawn
from midas.evaluation.evaluator import EvaluationResult, check_metrics, gather, score_all
from midas.evaluation.protocols import PROTOCOLS, Protocol, find_protocol, protocol_for
from midas.evaluation.records import RunKey, ScoreFile
from midas.evaluation.scoring import PictureScore, check_zero

CORPUS = "corpus"

# Readers whose benchmark bears another name.
_PROTOCOL_OF = {"tum_dynamic": "tum"}


Scores = Callable[[Candidate, list[int]], Iterator[tuple[int, PictureScore | None]]]


@dataclass(frozen=True)
class Benchmark:
    """A set, and the rules by which it is measured.

    Attributes:
        reader: the set.
        protocol: the rules.
    """

    reader: Reader
    protocol: Protocol


def open_benchmark(
    name: str, root: Path | None, *, protocol: str | None = None, options: Mapping[str, str] | None = None
) -> Benchmark:
    """Open a set in its official layout, or one in the corpus format, which its ``dataset.json`` tells.

    Args:
        name: of a reader, or ``"corpus"``; of a set in the corpus format it names the rules only. ``"synthetic"`` for
            drawn scenes.
        root: the set's folder; None for drawn scenes, which need none.
        protocol: name of other rules than those of the set's own benchmark.
        options: what the reader lets one choose, such as which ground truth.

    Raises:
        DatasetError: the set is not there, or not as it should be.
        ConfigError: no such benchmark or protocol.
        UnsuitableProtocolError: the rules need a unit or a zero of disparity that the set hasn't, or don't know it.
    """
    if name == SYNTHETIC:
        drawn = open_drawn(options)
        return Benchmark(drawn, rules_for(drawn, name, protocol))
    if root is None:
        raise ConfigError(f"{name} is a set in a folder; name the folder")
    in_corpus_format = name in READERS and (root / "dataset.json").is_file()
    reader = open_reader(CORPUS if in_corpus_format else name, root, **(options or {}))
    return Benchmark(reader, rules_for(reader, name, protocol))


def rules_for(reader: Reader, benchmark: str, protocol: str | None = None) -> Protocol:
    """The rules for a set.

    Args:
        reader: the set.
        benchmark: the name that it was opened by.
        protocol: name of other rules than its own.

    Raises:
        ConfigError: no such benchmark or protocol.
        UnsuitableProtocolError: the rules need a unit or a zero of disparity that the set hasn't, or don't know it.
    """
    info = reader.info if isinstance(reader, CorpusDataset) else None
    if protocol is None and benchmark == CORPUS and info is not None:
        return own_rules(info)
    if protocol is None:
        rules = protocol_of(benchmark)
    else:
        rules = find_protocol(protocol, info.domain if benchmark == CORPUS and info is not None else benchmark)
    if info is not None:
        check_zero(rules, info.shift_known, info.name)
        if rules.needs_metres and not info.metric:
            raise UnsuitableProtocolError(
                f"{info.name} is not in metres, which {rules.name} needs for its range of depths: measure it by the "
                "protocol relative"
            )
    return rules


def own_rules(info: CorpusInfo) -> Protocol:
    """The rules that a set in the corpus format is measured by if no others are named."""
    return protocol_for(info.domain, metric=info.metric, shift_known=info.shift_known)


def protocol_of(benchmark: str) -> Protocol:
    """The rules of a benchmark by the name of its reader.

    Raises:
        ConfigError: it is a set to train on, which has none of its own.
    """
    if not has_protocol(benchmark):
        raise ConfigError(
            f"{benchmark} is a set to train on, without rules of its own for measuring: name some with --protocol, "
            "such as relative, affine, indoor or outdoor; `midas evaluate --list` shows all"
        )
    return PROTOCOLS[_PROTOCOL_OF.get(benchmark, benchmark)]


def has_protocol(benchmark: str) -> bool:
    """Whether the set of that name is measured by rules of its own."""
    return _PROTOCOL_OF.get(benchmark, benchmark) in PROTOCOLS


@dataclass
class Progress:
    """What has been measured so far, for whoever shows it.

    Attributes:
        total: pictures to measure in all.
        show: called after each picture.
        scores: those measured.
    """

    total: int
    show: Callable[[Progress], None]
    scores: list[PictureScore] = field(default_factory=list)
    done: int = 0


def run(
    candidate: Candidate,
    benchmark: Benchmark,
    *,
    metrics: tuple[str, ...] | None = None,
    limit: int | None = None,
    file: ScoreFile | None = None,
    show: Callable[[Progress], None] = lambda _: None,
    elsewhere: Scores | None = None,
) -> EvaluationResult:
    """Measure a candidate on a benchmark.

    Args:
        candidate: what is measured.
        benchmark: on what.
        metrics: names of metrics; None for the protocol's.
        limit: only so many pictures, the first ones.
        file: holds the figures of each picture as they come, and those of an earlier run that stopped.
        show: called after each picture.
        elsewhere: measures pictures, by their indices, in place of this process; in any order.

    Raises:
        MidasError: a picture can't be read or predicted, or nothing can be measured.
    """
    reader, protocol = benchmark.reader, benchmark.protocol
    names = check_metrics(protocol, metrics)
    key = RunKey(candidate.name, reader.name, protocol.name)
    count = len(reader) if limit is None else min(limit, len(reader))
    known = {index: file.known(key, index, names) if file else None for index in range(count)}
    progress = Progress(count, show, [score for score in known.values() if score is not None])
    progress.done = len(progress.scores)
    scores: dict[int, PictureScore | None] = dict(known)
    missing = [index for index, score in known.items() if score is None]
    if elsewhere is None:
        elsewhere = partial(score_all, protocol=protocol, metrics=names, read=partial(read_sample, reader))
    for index, score in elsewhere(candidate, missing):
        scores[index] = score
        progress.done += 1
        if score is not None:
            progress.scores.append(score)
            if file is not None:
                file.write(key, index, score, names)
        progress.show(progress)
    return gather(candidate.name, reader.name, protocol, scores.values(), metrics=names)
