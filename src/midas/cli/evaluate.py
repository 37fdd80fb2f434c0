"""``midas evaluate``: figures of models, baselines or ready maps, on sets with measured depth."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from midas.cli import DebugOption, command_app
from midas.cli.cluster_options import AddressOption, EngineOption, cluster_engine
from midas.cli.evaluation_jobs import Baseline, Job, Kind, Source, jobs_for, open_benchmarks, score_file
from midas.cli.film_evaluation import FilmsJob
from midas.cli.reader_options import named_options
from midas.cli.terminal import say_lines
from midas.errors import ConfigError
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.preprocess import MAX_SIZE_PX
from midas.storage.atomic import atomic_file
from midas.tiling import MAX_ZOOM

if TYPE_CHECKING:
    from midas.evaluation.evaluator import EvaluationResult

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
  midas evaluate --root corpus/nyuv2-test --protocol marigold_inverse
  midas evaluate --benchmark synthetic                        drawn scenes: outlines, flying pixels
  midas evaluate --root corpus/nyuv2-test --corruptions       dark, fog, snow, blur, noise, JPEG
  midas evaluate --root corpus/nyuv2-test --worst 8 --save-maps worst/
  midas evaluate --root corpus/middlebury --tile 2            as predict --tile 2 would
  midas evaluate --video clip.mp4 --strip strip.png           how steady maps of a film are
  midas evaluate --video frames/ --truth depth/               and how true
  midas evaluate --corpus corpus/ --engine ray --address auto
  midas evaluate --list                                       benchmarks and protocols

\b
The name of the protocol stands beside every figure: the same network gets
very different ones by different rules. docs/evaluate.md explains them.
"""


_NOTHING_NAMED = (
    "nothing to measure on: name a set with --root DIR (a folder in the corpus format, docs/datasets.md, or with "
    "--benchmark NAME one in its official layout), all of them with --corpus DIR, or drawn scenes with --benchmark "
    "synthetic; a film with --video CLIP; --list shows what there is"
)


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
        typer.Option(
            metavar="NAME",
            help="What lies in the folder, in its official layout; corpus by default. synthetic needs no folder.",
        ),
    ] = [],  # noqa: B006
    model: Annotated[
        list[str],
        typer.Option(
            metavar="NAME|FILE",
            help="As `midas predict` takes it; may be given several times. The built-in one, if nothing else is named.",
        ),
    ] = [],  # noqa: B006
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
        typer.Option(
            metavar="N",
            min=1,
            max=MAX_SIZE_PX,
            help="Shorter side of the network's input, with --tile of a tile, pixels.",
        ),
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
    device: Annotated[str, typer.Option(metavar="NAME", help="Where it runs: cpu, cuda, mps, xpu.")] = "auto",
    baseline: Annotated[
        list[Baseline],
        typer.Option(help="Measure a constant or a tilted plane too, fitted to each picture's own target."),
    ] = [],  # noqa: B006
    prediction_dir: Annotated[
        list[Path], typer.Option(metavar="DIR", help="Measure maps that another program made too.")
    ] = [],  # noqa: B006
    prediction_kind: Annotated[
        Kind | None,
        typer.Option(help="What these maps hold; disparity by default, unless the files say otherwise themselves."),
    ] = None,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only so many pictures of each set.")] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="One line per picture, written as the run goes.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with that file where a run stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    form: Annotated[Form, typer.Option("--format", help="How the table is printed.")] = Form.markdown,
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the table to this file instead.")] = None,
    corruptions: Annotated[
        bool,
        typer.Option(
            "--corruptions",
            help="Measure on pictures made worse in seven ways and five strengths: against the truth, and against the "
            "map of the clean picture. With --save-maps, draw the first picture in all of them.",
        ),
    ] = False,
    worst: Annotated[int, typer.Option(metavar="N", min=0, help="Draw the worst pictures; with --save-maps.")] = 0,
    save_maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the drawing and of these pictures' maps.")
    ] = None,
    video: Annotated[
        list[str],
        typer.Option(
            metavar="CLIP",
            help="Measure how steady maps of this film are (or of a folder of pictures), alone; may be given several "
            "times.",
        ),
    ] = [],  # noqa: B006
    truth: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The film's measured depth in metres, a file per frame in order of names."),
    ] = None,
    strip: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw one column of the film over time, where flicker is seen at a glance."),
    ] = None,
    strip_at: Annotated[
        float, typer.Option(metavar="X", min=0, max=1, help="Where that column is, from the left.")
    ] = 0.5,
    published: Annotated[
        bool, typer.Option("--published", help="Print the tables of the official papers and of small networks as well.")
    ] = False,
    engine: EngineOption = "local",
    address: AddressOption = None,
    list_: Annotated[bool, typer.Option("--list", help="List benchmarks and protocols, and stop.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure predictions against depth that was measured.

    Each picture is aligned by scale and shift, as its protocol says, and figures are means over pictures with 95 %
    bootstrap intervals.
    """
    from midas.datasets.readers.corpus import evaluation_sets
    from midas.evaluation.listing import everything_markdown
    from midas.evaluation.published import published_markdown, small_networks_markdown

    known = f"{published_markdown()}\n\n{small_networks_markdown()}"
    if list_ or (published and not (root or corpus or benchmark)):
        say_lines(everything_markdown() if list_ else known)
        return
    format_ = Form.json if json else form
    if video:
        films = FilmsJob(
            video, model or [DEFAULT_MODEL], truth, strip, strip_at, size, backend, device, limit, overwrite=overwrite
        )
        others: dict[str, object] = {"--root": root, "--corpus": corpus, "--benchmark": benchmark, "--csv": csv}
        others.update({"--metric": metric, "--baseline": baseline, "--prediction-dir": prediction_dir, "--tile": tile})
        others.update({"--corruptions": corruptions, "--worst": worst, "--protocol": protocol})
        others.update({"--format latex": form == Form.latex, "--engine": engine != "local", "--address": address})
        _check_alone(others)
        _write(films.run(as_json=format_ == Form.json), output, overwrite=overwrite)
        return
    if truth is not None or strip is not None:
        raise ConfigError("--truth and --strip belong to a film: name it with --video CLIP")
    if not (root or corpus or benchmark):
        raise ConfigError(_NOTHING_NAMED)
    _check(corruptions=corruptions, worst=worst, save_maps=save_maps, csv=csv, resume=resume, engine=engine)
    cluster = cluster_engine(engine, address, device=device)
    of_corpus = evaluation_sets(corpus) if corpus else []
    benchmarks = open_benchmarks(benchmark, root, of_corpus, protocol, named_options(option), metric)
    models = model or ([] if baseline or prediction_dir else [DEFAULT_MODEL])
    source = Source(models, baseline, prediction_dir, prediction_kind, size, tile, backend, device, own_size)
    jobs = jobs_for(benchmarks, source, metric)
    if corruptions:
        text = _corruption_tables(jobs, metric, limit, save_maps, format_)
    else:
        results = []
        with score_file(csv, jobs, resume=resume, overwrite=overwrite) as file:
            for job in jobs:
                results.append(job.run(limit, file, cluster))
                if save_maps is not None and not job.beside:
                    job.draw_worst(results[-1], save_maps, worst)
        text = _table(results, format_)
    _write(f"{text}\n\n{known}" if published else text, output, overwrite=overwrite)


def _check_alone(others: dict[str, object]) -> None:
    """Films are measured by no protocol: what belongs to sets of pictures is refused rather than overlooked."""
    named = [name for name, value in others.items() if value]
    if named:
        raise ConfigError(f"--video measures films alone; leave out {', '.join(named)}")


def _check(
    *, corruptions: bool, worst: int, save_maps: Path | None, csv: Path | None, resume: bool, engine: str
) -> None:
    if corruptions and engine != "local":
        raise ConfigError(f"--corruptions are computed on this machine; leave out --engine {engine}")
    if corruptions and (worst or csv or resume):
        raise ConfigError("--corruptions gives tables of means; leave out --csv, --resume and --worst")
    if not corruptions and bool(worst) != (save_maps is not None):
        raise ConfigError("--worst and --save-maps belong together: how many pictures, and where to")


def _corruption_tables(
    jobs: list[Job], metrics: list[str], limit: int | None, save_maps: Path | None, form: Form
) -> str:
    from midas.evaluation import robustness_report as report

    if len(metrics) > 1 or metrics == ["all"]:
        raise ConfigError(f"--corruptions has room for one --metric, not for {', '.join(metrics)}")
    pairs = [job.benchmark.reader.name for job in jobs if job.benchmark.protocol.pairs]
    if pairs:  # Before the hours that the others take.
        raise ConfigError(f"{pairs[0]} has pairs of points, and corruptions are measured on maps; leave it out")
    results = []
    for job in jobs:
        if job.beside:  # A plane doesn't look at the picture.
            continue
        results.append(job.run_corrupted(limit, metrics[0] if metrics else None))
        if save_maps is not None:
            job.draw_corrupted(save_maps)
    return {Form.markdown: report.to_markdown, Form.json: report.to_json, Form.latex: report.to_latex}[form](results)


def _table(results: list[EvaluationResult], form: Form) -> str:
    from midas.evaluation import report

    return {Form.markdown: report.to_markdown, Form.json: report.to_json, Form.latex: report.to_latex}[form](results)


def _write(text: str, path: Path | None, *, overwrite: bool) -> None:
    if path is None:
        say_lines(text)
        return
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(f"{text}\n".encode())
