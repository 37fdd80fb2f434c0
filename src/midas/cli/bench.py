"""``midas bench``: how fast, how large and how exact each way of running a model is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from midas.arrays import Array, UInt8
from midas.backends import AUTO, BACKENDS
from midas.bench.cases import ALL, FLOAT32, PRECISIONS, Grid
from midas.bench.timing import Effort
from midas.cli import STATUS_FAILED, DebugOption, command_app, finite
from midas.cli.terminal import tell
from midas.errors import ConfigError
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.preprocess import MAX_SIZE_PX
from midas.pipeline import MAX_BATCH, MAX_THREADS
from midas.storage.atomic import atomic_file

if TYPE_CHECKING:
    from midas.bench.results import Report
    from midas.bench.runner import Progress, Tell

app = command_app()

EPILOG = """\b
Examples:
  midas bench                                       the default model, all back ends
  midas bench --precision all --threads 1,2
  midas bench --model dpt_large_384 --backend torch --precision float32,bfloat16
  midas bench --model dpt_large_384 --device cuda --batch 1,4,16
  midas bench --model midas_v21_small_256 --random-weights      no download
  midas bench --model mine.onnx --size 256,512 --picture photo.jpg
  midas bench --json run.json --markdown run.md
  midas bench --backend onnxruntime --against rival:predict
  midas bench --backend auto --against 'rival-cli {picture}'

\b
Lists are given with commas, or by repeating the option; every combination is
one case. Each case runs in a fresh process, so that no case finds anything
loaded, compiled or allocated by another.

\b
Columns:
  network      normalised pixels in, the network's map out; median (p5-p95)
  whole        RGB array in, map of the picture's size out, with resizing both
               ways; median (p5-p95)
  pictures/s   whole predictions per second
  load + first from the request for a model, imports included, to the model;
               then its first prediction
  peak MB      the process's resident memory at most
  of the peak  the network's multiply-adds per second, as a share of what a
               matrix product of the same number format and threads reaches
               in this very run: what is left to gain without doing less work
  difference   mean absolute difference from float32 PyTorch, as a share of
               the map's range; needs midas-depth[lab]

\b
A rival is MODULE:CALLABLE, importable from the current folder, which takes an
RGB uint8 array; or a command, whose {picture} becomes a PNG file, and which
is run against a cold `midas predict`. Rival and midas run in turns, A B A B,
and the ratio is taken turn by turn.

\b
The tables come at the end, on standard output. Until then a terminal shows a
bar with the newest figure, and a log file gets a line for each figure.

\b
Exit status: 0 all measured, or not to be had here under `all`; 1 some cases
failed, the others are measured; 2 wrong usage.
"""


def _words(texts: list[str]) -> list[str]:
    return [word.strip() for text in texts for word in text.split(",") if word.strip()]


def _numbers(most: int) -> Callable[[list[str]], list[str]]:
    def check(texts: list[str]) -> list[str]:
        words = _words(texts)
        for word in words:
            if not (word.isascii() and word.isdecimal() and len(word) < 10 and 1 <= int(word) <= most):
                raise typer.BadParameter(f"{word!r} is not a whole number from 1 to {most}")
        return words

    return check


@app.command(epilog=EPILOG)
def bench(
    model: Annotated[
        list[str], typer.Option(metavar="NAME|FILE,...", callback=_words, help="Models, as `midas predict` takes them.")
    ] = [DEFAULT_MODEL],  # noqa: B006
    backend: Annotated[
        list[str],
        typer.Option(metavar="NAME,...", callback=_words, help=f"What runs them: {', '.join((ALL, AUTO, *BACKENDS))}."),
    ] = [ALL],  # noqa: B006
    precision: Annotated[
        list[str],
        typer.Option(
            metavar="NAME,...", callback=_words, help=f"Number formats: {', '.join((ALL, AUTO, *PRECISIONS))}."
        ),
    ] = [FLOAT32],  # noqa: B006
    device: Annotated[str, typer.Option(metavar="NAME", help="Where they run: auto, cpu, cuda, ....")] = AUTO,
    size: Annotated[
        list[str],
        typer.Option(
            metavar="N,...",
            callback=_numbers(MAX_SIZE_PX),
            help="Shorter sides of the network's input; by default the model's.",
        ),
    ] = [],  # noqa: B006
    batch: Annotated[
        list[str], typer.Option(metavar="N,...", callback=_numbers(MAX_BATCH), help="Pictures at once.")
    ] = ["1"],  # noqa: B006
    threads: Annotated[
        list[str],
        typer.Option(
            metavar="N,...", callback=_numbers(MAX_THREADS), help="Processor threads; by default one per core."
        ),
    ] = [],  # noqa: B006
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What all cases see, in place of a drawn picture of 1024x1024.")
    ] = None,
    random_weights: Annotated[
        bool,
        typer.Option("--random-weights", help="Fill the networks at random, alike for all back ends; no download."),
    ] = False,
    warmup: Annotated[int, typer.Option(metavar="N", min=0, help="Runs before those that are timed.")] = 3,
    runs: Annotated[int, typer.Option(metavar="N", min=1, help="Timed runs of each kind and case, at most.")] = 30,
    seconds: Annotated[
        float,
        typer.Option(metavar="S", min=0.001, callback=finite, help="Time for them, after which three runs are enough."),
    ] = 10.0,
    no_peak: Annotated[bool, typer.Option("--no-peak", help="Measure no matrix products.")] = False,
    no_reference: Annotated[
        bool, typer.Option("--no-reference", help="Compare no maps: quicker, and the lab stays unloaded.")
    ] = False,
    against: Annotated[
        list[str],
        typer.Option(metavar="COMMAND|MODULE:CALLABLE", help="A rival, run in turns with each case; may be repeated."),
    ] = [],  # noqa: B006
    against_python: Annotated[
        str | None, typer.Option(metavar="FILE", help="The Python of the rival's environment, in place of this one.")
    ] = None,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="Turns of each in a duel.")] = 20,
    json_path: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all figures as JSON.")] = None,
    markdown_path: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write the tables as Markdown.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace these two files if they exist.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure speed, memory and exactness of models on this machine.

    Every combination of model, back end, precision, size, batch and threads is timed, compared with float32 PyTorch
    and with the machine's own peak of the day, and put against rivals if they are named.
    """
    _check_absent([path for path in (json_path, markdown_path) if path and not overwrite])
    grid = Grid(
        tuple(model), tuple(backend), tuple(precision), device, _whole(size) or (None,), _whole(batch),
        _whole(threads) or (None,),
    )  # fmt: skip
    cases = grid.cases()
    from midas.bench.runner import Settings, run_benchmark
    from midas.bench.tables import markdown_report
    from midas.cli.bench_table import print_report

    pixels, words = _seen(picture)
    settings = Settings(
        pixels, words, Effort(warmup, runs, seconds), random_weights, peaks=not no_peak, reference=not no_reference,
        rivals=tuple(against), rival_python=against_python, rounds=rounds,
    )  # fmt: skip
    with watching() as (progress, say_figure):
        report = run_benchmark(cases, settings, progress, say_figure)
    print_report(report)
    if json_path is not None:
        _write(json_path, json.dumps(report.to_json(), indent=2) + "\n")
    if markdown_path is not None:
        _write(markdown_path, markdown_report(report))
    raise typer.Exit(_status(report, tolerant=grid.tries_all))


def _seen(picture: Path | None) -> tuple[UInt8[Array, "H W 3"], str]:
    """What all cases see, and a sentence about it."""
    from midas.bench.picture import draw_picture
    from midas.pictures.reading import read_image

    pixels = draw_picture() if picture is None else read_image(picture)
    name = "a drawn picture" if picture is None else picture.name
    return pixels, f"The picture is {name} of {pixels.shape[0]}x{pixels.shape[1]} pixels."


def _whole(texts: list[str]) -> tuple[int, ...]:
    return tuple(int(text) for text in texts)


def _check_absent(paths: list[Path]) -> None:
    """Before the work, not after."""
    for path in paths:
        if path.exists():
            raise ConfigError(f"{path} exists already: choose another name, or allow --overwrite")


def _write(path: Path, text: str) -> None:
    with atomic_file(path, overwrite=True) as file:
        file.write(text.encode())


def _status(report: Report, *, tolerant: bool) -> int:
    failed = [result for result in report.results if result.error and not (tolerant and result.unavailable)]
    broken = [duel for duel in report.duels if duel.error]
    measured = any(result.error is None for result in report.results)
    return 0 if measured and not failed and not broken else STATUS_FAILED


@contextmanager
def watching() -> Iterator[tuple[Progress, Tell]]:
    """A bar on standard error with the newest figure; where that is no terminal, a line for each figure as it comes."""
    if not sys.stderr.isatty():
        yield (lambda label, done, total: None), lambda figure: tell(f"midas: {figure}")
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as bar:
        task = bar.add_task("")

        def show(label: str, done: int, total: int) -> None:
            bar.update(task, description=label, completed=done, total=total)

        yield show, lambda figure: None
