"""What ``midas evaluate`` measures, one candidate on one benchmark at a time, under a bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from midas.errors import ConfigError, UnsuitableProtocolError

if TYPE_CHECKING:
    from midas.evaluation.candidates import Candidate
    from midas.evaluation.evaluator import EvaluationResult
    from midas.evaluation.records import ScoreFile
    from midas.evaluation.robustness import RobustnessResult
    from midas.evaluation.runs import Benchmark, Scores
    from midas.evaluation.runs import Progress as RunProgress
    from midas.scale.engine import Engine


class Baseline(str, Enum):
    """Predictors that know nothing of the picture, or have seen the answer."""

    constant = "constant"
    plane = "plane"


class Kind(str, Enum):
    """What the values of ready maps mean."""

    disparity = "disparity"
    depth = "depth"


@dataclass(frozen=True)
class Source:
    """Where predictions come from."""

    models: list[str]
    baselines: list[Baseline]
    prediction_dirs: list[Path]
    prediction_kind: Kind | None
    size: int | None
    tile: int | None
    backend: str
    device: str
    own_size: bool

    def candidates(self, benchmark: Benchmark) -> Iterator[Candidate]:
        """Those for one benchmark, by whose protocol they see pictures."""
        from midas.evaluation.candidates import FolderCandidate, ModelCandidate, PlaneCandidate
        from midas.loading import load

        for name, label in zip(self.models, labels(self.models), strict=True):
            # Figures that are published must not depend on the machine.
            own = None if self.tile else self.size
            predictor = load(name, size=own, backend=self.backend, device=self.device, precision="float32")
            if self.tile:
                predictor = predictor.tiled(self.tile, size=self.size)
            rule = None if self.own_size else benchmark.protocol.resize
            yield ModelCandidate(predictor, resize=rule, label=label)
        said = self.prediction_kind
        for folder in self.prediction_dirs:
            yield FolderCandidate(folder, kind=None if said is None else said.value)
        for baseline in self.baselines:
            yield PlaneCandidate(tilted=baseline is Baseline.plane)


def labels(models: Sequence[str]) -> list[str | None]:
    """What tables call models where their own names would be alike, as those of two files of one name are."""
    from midas.backends.identity import name_of_file
    from midas.models.zoo import MODELS

    own = [name if name in MODELS else name_of_file(Path(name)) for name in models]
    return [name if own.count(called) > 1 else None for name, called in zip(models, own, strict=True)]


@dataclass(frozen=True)
class Job:
    """One candidate on one benchmark.

    Attributes:
        candidate: what is measured.
        benchmark: on what.
        metrics: names of the figures.
        beside: measured for comparison with the others.
    """

    candidate: Candidate
    benchmark: Benchmark
    metrics: tuple[str, ...]
    beside: bool = False

    def run(self, limit: int | None, file: ScoreFile | None, engine: Engine | None = None) -> EvaluationResult:
        """Measure, under a bar with the figure so far; by an engine where there is one."""
        from midas.evaluation.runs import run

        expected, found = self.benchmark.protocol.pictures, len(self.benchmark.reader)
        if expected not in (None, found) and self.benchmark.reader.name == self.benchmark.protocol.name:
            typer.echo(
                f"midas: warning: {self.benchmark.reader.name} has {found} pictures here, and the published figures of "
                f"this protocol are over {expected}",
                err=True,
            )
        with _bar(f"{self.candidate.name} on {self.benchmark.reader.name}") as show:

            def tell(progress: RunProgress) -> None:
                figures = [score.figures[0] for score in progress.scores]
                text = f"{self.metrics[0]} {sum(figures) / len(figures):.4g}" if figures else ""
                show(progress.done, progress.total, text)

            result = run(
                self.candidate,
                self.benchmark,
                metrics=self.metrics,
                limit=limit,
                file=file,
                show=tell,
                elsewhere=self._elsewhere(engine),
            )
        if result.is_opposed:
            typer.echo(f"midas: warning: {self._opposed(result)}", err=True)
        return result

    def _elsewhere(self, engine: Engine | None) -> Scores | None:
        if engine is None:
            return None
        from midas.scale.scoring import scores_by

        return lambda candidate, indices: scores_by(engine, candidate, self.benchmark, indices, self.metrics)

    def _opposed(self, result: EvaluationResult) -> str:
        from midas.evaluation.candidates import FolderCandidate

        text = (
            f"the values of {result.model} fall where the truth of {result.dataset} rises, in {result.opposed} of "
            f"{len(result.scores)} pictures"
        )
        if not isinstance(self.candidate, FolderCandidate):
            return f"{text}: near is taken for far"
        held, other = ("depth", "disparity") if self.candidate.kind == "depth" else ("disparity", "depth")
        return f"{text}: they were taken for {held}; if they are {other}, say --prediction-kind {other}"

    def run_corrupted(self, limit: int | None, metric: str | None) -> RobustnessResult:
        """Measure on corrupted pictures, under a bar."""
        from midas.evaluation.robustness import run_corrupted

        with _bar(f"{self.candidate.name} on {self.benchmark.reader.name}, corrupted") as show:
            return run_corrupted(
                self.candidate,
                self.benchmark,
                metric=metric,
                limit=limit,
                show=lambda done, total: show(done, total, ""),
            )

    def draw_worst(self, result: EvaluationResult, folder: Path, count: int) -> None:
        """Draw the worst pictures and say where."""
        from midas.evaluation.sheet import write_worst

        typer.echo(write_worst(result, self.candidate, self.benchmark, folder, count=count), err=True)

    def draw_corrupted(self, folder: Path) -> None:
        """Draw the first picture in all corruptions and say where."""
        from midas.evaluation.sheet import write_corrupted

        typer.echo(write_corrupted(self.candidate, self.benchmark, folder), err=True)


def open_benchmarks(
    names: Sequence[str],
    roots: Sequence[Path],
    of_corpus: Sequence[Path],
    protocol: str | None,
    options: dict[str, str],
    metrics: list[str] | None = None,
) -> list[Benchmark]:
    """What is measured on, in the order of the command line, and the sets of a whole corpus after it.

    Args:
        names: of benchmarks; those in folders take one of ``roots`` each.
        roots: folders.
        of_corpus: folders of sets in the corpus format, which are left out with a warning where the protocol or a
            figure that was asked for doesn't suit them.
        protocol: name of other rules than the sets' own.
        options: choices that readers offer.
        metrics: names of figures that were asked for, or ``all``.

    Raises:
        ConfigError: not one folder for each benchmark that needs one, or no set that protocol and figures suit.
    """
    from midas.evaluation.drawn import SYNTHETIC
    from midas.evaluation.runs import CORPUS, open_benchmark

    in_folders = [name for name in names if name != SYNTHETIC] or ([] if names else [CORPUS] * len(roots))
    if not (names or roots or of_corpus) or len(in_folders) != len(roots):
        raise ConfigError(
            f"{len(in_folders)} --benchmark and {len(roots)} --root; expected one folder for each benchmark"
        )
    folders = iter(roots)
    opened = [
        open_benchmark(name, None if name == SYNTHETIC else next(folders), protocol=protocol, options=options)
        for name in names or in_folders
    ]
    for root in of_corpus:
        try:
            found = open_benchmark(CORPUS, root, protocol=protocol, options=options)
            _metrics(metrics or [], found)
            opened.append(found)
        except UnsuitableProtocolError as error:
            typer.echo(f"midas: warning: {root} is left out: {error}", err=True)
    if not opened:
        asked = ", ".join([*([protocol] if protocol else []), *(metrics or [])])
        raise ConfigError(f"{asked} suits no set here; expected what one of them has rules for")
    return opened


def jobs_for(benchmarks: Sequence[Benchmark], source: Source, metrics: list[str]) -> list[Job]:
    """All candidates on all benchmarks; where the protocol wants them, the baselines after them.

    Args:
        benchmarks: on what.
        source: of predictions.
        metrics: names of figures, or ``all``; empty for the protocol's.

    Raises:
        MidasError: no such model or metric.
    """
    from midas.evaluation.candidates import PlaneCandidate

    jobs = []
    for benchmark in benchmarks:
        names = _metrics(metrics, benchmark)
        jobs += [Job(candidate, benchmark, names) for candidate in source.candidates(benchmark)]
        if benchmark.protocol.baselines and not source.baselines:
            planes = (PlaneCandidate(tilted=True), PlaneCandidate(tilted=False))
            jobs += [Job(plane, benchmark, names, beside=True) for plane in planes]
    return jobs


def _metrics(asked: list[str], benchmark: Benchmark) -> tuple[str, ...]:
    from midas.evaluation.evaluator import check_metrics

    if asked == ["all"]:
        # Figures of edges need targets without gaps, and are asked for by name.
        return tuple(name for name, metric in benchmark.protocol.known_metrics.items() if metric.edge_ratio is None)
    return check_metrics(benchmark.protocol, asked)


@contextmanager
def score_file(path: Path | None, jobs: list[Job], *, resume: bool, overwrite: bool) -> Iterator[ScoreFile | None]:
    """The file of single pictures' figures, if one was asked for."""
    if path is None:
        if resume:
            raise ConfigError("--resume goes on with the file of --csv; name one")
        yield None
        return
    from midas.evaluation.records import ScoreFile

    columns = tuple(dict.fromkeys(name for job in jobs for name in job.metrics))
    with ScoreFile(path, columns, resume=resume, overwrite=overwrite) as file:
        yield file


@contextmanager
def _bar(description: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on standard error, if that is a terminal: called with pictures done, their total, and a text."""
    if not sys.stderr.isatty():
        yield lambda done, total, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=None)

        def show(done: int, total: int, text: str) -> None:
            shown = f"{description}: {text}" if text else description
            bar.update(task, completed=done, total=total, description=shown)

        yield show
