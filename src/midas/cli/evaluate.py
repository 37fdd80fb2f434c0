"""``midas evaluate``: figures of models, baselines or ready maps, on sets with measured depth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from midas.cli import DebugOption, command_app
from midas.errors import ConfigError
from midas.models.zoo import DEFAULT_MODEL
from midas.storage.atomic import atomic_file
from midas.tiling import MAX_ZOOM

if TYPE_CHECKING:
    from midas.evaluation.candidates import Candidate
    from midas.evaluation.evaluator import EvaluationResult
    from midas.evaluation.records import ScoreFile
    from midas.evaluation.runs import Benchmark
    from midas.evaluation.runs import Progress as RunProgress

app = command_app()

EPILOG = """\b
Examples:
  midas evaluate --benchmark nyu --root data/nyu              the paper's protocol
  midas evaluate --benchmark nyu --root data/nyu --model dpt_large_384 --model midas_v21_384
  midas evaluate --benchmark nyu --root data/nyu --benchmark sintel --root data/sintel
  midas evaluate --root corpus/nyuv2-test                     a set in the corpus format
  midas evaluate --corpus corpus/                             all of its evaluation sets
  midas evaluate --root corpus/nyuv2-test --protocol nyu_median
  midas evaluate --benchmark nyu --root data/nyu --prediction-dir maps/
  midas evaluate --benchmark nyu --root data/nyu --csv scores.csv --resume
  midas evaluate --root corpus/nyuv2-test --worst 8 --save-maps worst/
  midas evaluate --root corpus/middlebury --tile 2            as predict --tile 2 would
  midas evaluate --list                                       benchmarks and protocols

\b
The name of the protocol stands beside every figure: the same network gets
very different ones by different rules. docs/evaluate.md explains them.
"""


class Baseline(str, Enum):
    """Predictors that know nothing of the picture, or have seen the answer."""

    constant = "constant"
    plane = "plane"


class Kind(str, Enum):
    """What the values of ready maps mean."""

    disparity = "disparity"
    depth = "depth"


class Form(str, Enum):
    """How results are printed."""

    markdown = "markdown"
    json = "json"
    latex = "latex"


@app.command(epilog=EPILOG)
def evaluate(
    root: Annotated[list[Path], typer.Option(metavar="DIR", help="A set's folder; once per --benchmark.")] = [],  # noqa: B006
    corpus: Annotated[
        Path | None, typer.Option(metavar="DIR", help="All sets of this folder in the corpus format marked eval.")
    ] = None,
    benchmark: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="What lies in the folder, in its official layout; corpus by default."),
    ] = [],  # noqa: B006
    model: Annotated[
        list[str], typer.Option(metavar="NAME|FILE", help="As `midas predict` takes it; may be given several times.")
    ] = [DEFAULT_MODEL],  # noqa: B006
    protocol: Annotated[
        str | None, typer.Option(metavar="NAME", help="Other rules than those of the benchmark itself.")
    ] = None,
    option: Annotated[
        list[str], typer.Option(metavar="KEY=VALUE", help="A choice that the benchmark's reader offers; see --list.")
    ] = [],  # noqa: B006
    metric: Annotated[
        list[str], typer.Option(metavar="NAME", help="Figures in place of the protocol's; `all` for every one.")
    ] = [],  # noqa: B006
    size: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Shorter side of the network's input, with --tile of a tile, pixels."),
    ] = None,
    tile: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=MAX_ZOOM, help="Predict large pictures in tiles, as `midas predict --tile N`."
        ),
    ] = None,
    backend: Annotated[str, typer.Option(metavar="NAME", help="What runs the network.")] = "auto",
    own_size: Annotated[
        bool, typer.Option("--own-size", help="Each model sees pictures by its own rule, not by the protocol's.")
    ] = False,
    baseline: Annotated[
        Baseline | None,
        typer.Option(help="Measure a constant or a tilted plane, fitted to each picture's own target, instead."),
    ] = None,
    prediction_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Measure maps that another program made, instead.")
    ] = None,
    prediction_kind: Annotated[Kind, typer.Option(help="What these maps hold.")] = Kind.disparity,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only so many pictures of each set.")] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="One line per picture, written as the run goes.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with that file where a run stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    form: Annotated[Form, typer.Option("--format", help="How the table is printed.")] = Form.markdown,
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the table to this file instead.")] = None,
    worst: Annotated[int, typer.Option(metavar="N", min=0, help="Draw the worst pictures; with --save-maps.")] = 0,
    save_maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the drawing and of these pictures' maps.")
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Print the table of the official papers as well.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="List benchmarks and protocols, and stop.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure predictions against depth that was measured.

    Each picture is aligned by scale and shift, as its protocol says, and figures are means over pictures with 95 %
    bootstrap intervals.
    """
    from midas.datasets.readers.corpus import evaluation_sets
    from midas.evaluation.listing import benchmarks_markdown, protocols_markdown
    from midas.evaluation.published import published_markdown
    from midas.evaluation.runs import CORPUS, open_benchmark

    root = [*root, *(evaluation_sets(corpus) if corpus else ())]
    if list_ or (published and not root):
        typer.echo(f"{benchmarks_markdown()}\n\n{protocols_markdown()}" if list_ else published_markdown())
        return
    names = benchmark or [CORPUS] * len(root)
    if not root or len(names) != len(root):
        raise ConfigError(f"{len(names)} --benchmark and {len(root)} --root; expected one folder for each benchmark")
    if bool(worst) != (save_maps is not None):
        raise ConfigError("--worst and --save-maps belong together: how many pictures, and where to")
    benchmarks = [
        open_benchmark(name, folder, protocol=protocol, options=_options(option))
        for name, folder in zip(names, root, strict=True)
    ]
    jobs = [
        Job(candidate, opened, _metrics(metric, opened))
        for opened in benchmarks
        for candidate in _candidates(
            Source(model, baseline, prediction_dir, prediction_kind, size, tile, backend, own_size), opened
        )
    ]
    results = []
    with _score_file(csv, jobs, resume=resume, overwrite=overwrite) as file:
        for job in jobs:
            results.append(job.run(limit, file))
            if save_maps is not None and (baseline or not job.is_baseline):
                job.draw_worst(results[-1], save_maps, worst)
    text = _table(results, Form.json if json else form)
    _write(f"{text}\n\n{published_markdown()}" if published else text, output, overwrite=overwrite)


@dataclass(frozen=True)
class Source:
    """Where predictions come from."""

    models: list[str]
    baseline: Baseline | None
    prediction_dir: Path | None
    prediction_kind: Kind
    size: int | None
    tile: int | None
    backend: str
    own_size: bool


@dataclass(frozen=True)
class Job:
    """One candidate on one benchmark."""

    candidate: Candidate
    benchmark: Benchmark
    metrics: tuple[str, ...]

    @property
    def is_baseline(self) -> bool:
        """Measured beside the others, for comparison."""
        from midas.evaluation.candidates import PlaneCandidate

        return isinstance(self.candidate, PlaneCandidate)

    def run(self, limit: int | None, file: ScoreFile | None) -> EvaluationResult:
        """Measure, under a bar with the figure so far."""
        from midas.evaluation.runs import run

        expected, found = self.benchmark.protocol.pictures, len(self.benchmark.reader)
        if expected not in (None, found) and self.benchmark.reader.name == self.benchmark.protocol.name:
            typer.echo(
                f"midas: warning: {self.benchmark.reader.name} has {found} pictures here, and the published figures of "
                f"this protocol are over {expected}",
                err=True,
            )
        with _bar(f"{self.candidate.name} on {self.benchmark.reader.name}", self.metrics) as show:
            return run(self.candidate, self.benchmark, metrics=self.metrics, limit=limit, file=file, show=show)

    def draw_worst(self, result: EvaluationResult, folder: Path, count: int) -> None:
        """Draw the worst pictures and say where."""
        from midas.evaluation.sheet import write_worst

        typer.echo(write_worst(result, self.candidate, self.benchmark, folder, count=count), err=True)


def _options(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not equals:
            raise ConfigError(f"--option {key}: expected KEY=VALUE")
    return {key: value for key, _, value in pairs}


def _metrics(asked: list[str], benchmark: Benchmark) -> tuple[str, ...]:
    from midas.evaluation.evaluator import check_metrics

    if asked == ["all"]:
        return tuple(benchmark.protocol.known_metrics)
    return check_metrics(benchmark.protocol, asked)


def _candidates(source: Source, benchmark: Benchmark) -> Iterator[Candidate]:
    from midas.evaluation.candidates import FolderCandidate, ModelCandidate, PlaneCandidate
    from midas.predictor import load

    if source.prediction_dir is not None:
        yield FolderCandidate(source.prediction_dir, kind=source.prediction_kind.value)
    elif source.baseline is not None:
        yield PlaneCandidate(tilted=source.baseline is Baseline.plane)
    else:
        for name in source.models:
            # Figures that are published must not depend on the machine.
            own = None if source.tile else source.size
            predictor = load(name, size=own, backend=source.backend, precision="float32")
            if source.tile:
                predictor = predictor.tiled(source.tile, size=source.size)
            yield ModelCandidate(predictor, resize=None if source.own_size else benchmark.protocol.resize)
    if benchmark.protocol.baselines and source.baseline is None:
        yield from (PlaneCandidate(tilted=True), PlaneCandidate(tilted=False))


@contextmanager
def _score_file(path: Path | None, jobs: list[Job], *, resume: bool, overwrite: bool) -> Iterator[ScoreFile | None]:
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
def _bar(description: str, metrics: tuple[str, ...]) -> Iterator[Callable[[RunProgress], None]]:
    """A bar on standard error with the running mean of the first figure, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=None)

        def show(progress: RunProgress) -> None:
            figures = [score.figures[0] for score in progress.scores]
            text = f"{description}: {metrics[0]} {sum(figures) / len(figures):.4g}" if figures else description
            bar.update(task, completed=progress.done, total=progress.total, description=text)

        yield show


def _table(results: list[EvaluationResult], form: Form) -> str:
    from midas.evaluation import report

    return {Form.markdown: report.to_markdown, Form.json: report.to_json, Form.latex: report.to_latex}[form](results)


def _write(text: str, path: Path | None, *, overwrite: bool) -> None:
    if path is None:
        typer.echo(text)
        return
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(f"{text}\n".encode())
