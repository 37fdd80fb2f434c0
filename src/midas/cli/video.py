"""``midas video``: films in, films of depth out."""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from midas.backends import AUTO, BACKENDS
from midas.backends.choice import FEW_CORES, for_films, threads_for_films
from midas.cli import STATUS_FAILED, DebugOption, command_app, finite, one_of
from midas.cli.effect_options import (
    LAYOUTS,
    AnaglyphColorsOption,
    ApertureOption,
    ConvergenceOption,
    DivergenceOption,
    FocusOption,
    LayoutOption,
    focus_of,
)
from midas.cli.pictures_in import ModelOption, SizeOption
from midas.cli.terminal import say, tell, tell_lines
from midas.effects.bokeh import APERTURE
from midas.effects.files import EffectFileOptions, effect_path
from midas.effects.films import FILM_EFFECTS, film_effect
from midas.effects.stereo import CONVERGENCE, DIVERGENCE
from midas.effects.table import EffectOptions
from midas.errors import ConfigError, MidasError, MissingExtraError, ModelError
from midas.loading import load
from midas.maps.colormaps import COLORMAPS
from midas.models.zoo import DEFAULT_MODEL
from midas.pipeline import MAX_BATCH, MAX_THREADS, available_cores
from midas.video.frame_files import FRAME_FORMATS
from midas.video.job import FILM_FORMATS, SIDE_BY_SIDE, FilmReport, FilmSettings, write_film
from midas.video.mapping import keep_stages_single_threaded
from midas.video.outputs import STANDARD_INPUT, FilmJob, plan_film_outputs
from midas.video.steady import STEADY_MODES
from midas.video.writing import CONTAINERS, DEFAULT_CRF, MAX_CRF

app = command_app()

DEFAULT_OUTPUT_DIR = Path("depth")
_CONTAINERS = tuple(suffix[1:] for suffix in CONTAINERS)

EPILOG = """\b
Examples:
  midas video clip.mp4                       depth/clip_side-by-side.mp4
  midas video clip.mp4 -o clip_depth.mp4 --format color
  midas video *.mp4 -o maps/ --format color,values
  midas video clip.mp4 --start 12.5 --end 20
  midas video clip.mp4 --steady off          frame by frame, as predict does
  midas video frames/ --rate 24              a folder of pictures
  midas video - < clip.mkv -o depth/         standard input
  midas video clip.mp4 --effect anaglyph     depth/clip_anaglyph.mp4
  midas video clip.mp4 --effect stereo,bokeh --aperture 3

\b
Formats: color and side-by-side are films for the eye; values keeps the
numbers (FFV1, 16-bit grey, lossless, and a JSON file beside it), frames
writes a file per frame and a table of times.

\b
Exit status: 0 all done; 1 some films failed or were cut short, what could
be decoded is written; 2 wrong usage or nothing to do; 130 stopped by Ctrl-C.
"""


def _names_of(choices: Collection[str]) -> Callable[[list[str]], list[str]]:
    check = one_of(choices)

    def names(texts: list[str]) -> list[str]:
        return list(dict.fromkeys(check(name.strip()) for text in texts for name in text.split(",")))

    return names


def _finite_or_none(value: float | None) -> float | None:
    return None if value is None else finite(value)


@app.command(epilog=EPILOG)
def video(
    clips: Annotated[
        list[str],
        typer.Argument(
            metavar="CLIP", help="Films, URLs, folders or patterns of numbered pictures, or - for standard input."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help="Folder of the outputs, or the file for one film."),
    ] = DEFAULT_OUTPUT_DIR,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="NAME,...",
            callback=_names_of(FILM_FORMATS),
            help=f"What to write, several with commas: {', '.join(FILM_FORMATS)}; by default side-by-side.",
        ),
    ] = [],  # noqa: B006
    effects: Annotated[
        list[str],
        typer.Option(
            "--effect",
            metavar="NAME,...",
            callback=_names_of(FILM_EFFECTS),
            help=f"Films made of film and depth: {', '.join(FILM_EFFECTS)}; maps then only by --format.",
        ),
    ] = [],  # noqa: B006
    divergence: DivergenceOption = DIVERGENCE,
    convergence: ConvergenceOption = CONVERGENCE,
    layout: LayoutOption = LAYOUTS[0],
    colors: AnaglyphColorsOption = "dubois",
    focus: FocusOption = None,
    aperture: ApertureOption = APERTURE,
    steady: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=one_of(STEADY_MODES),
            help="How frames are kept from flickering: flow follows what moves, fast is for cameras that stand still, "
            "off leaves each frame to itself, two-pass reads the film twice and solves for all frames at once.",
        ),
    ] = "flow",
    start_s: Annotated[
        float, typer.Option("--start", metavar="S", min=0, callback=finite, help="Begin at this second of the film.")
    ] = 0.0,
    end_s: Annotated[
        float | None,
        typer.Option(
            "--end",
            metavar="S",
            min=0,
            callback=_finite_or_none,
            help="End before this second.",
        ),
    ] = None,
    rate_hz: Annotated[
        float,
        typer.Option("--rate", metavar="HZ", min=0.001, max=1000, help="Frames per second of a folder of pictures."),
    ] = 25.0,
    model: ModelOption = DEFAULT_MODEL,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Weights of the named model, in place of its own.")
    ] = None,
    size: SizeOption = None,
    backend: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"What runs the network: {', '.join((AUTO, *BACKENDS))}; auto is OpenVINO where that is installed.",
        ),
    ] = AUTO,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="Where it runs: auto, cpu; with torch also cuda, cuda:1, mps, xpu.")
    ] = AUTO,
    precision: Annotated[
        str, typer.Option(metavar="NAME", help="Number format: auto, float32, bfloat16, float16.")
    ] = AUTO,
    batch: Annotated[
        int, typer.Option(metavar="N", min=1, max=MAX_BATCH, help="Frames that go through the network at once.")
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MAX_THREADS,
            help="Threads of the network; by default one per core, fewer on few.",
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.")] = False,
    container: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=one_of(_CONTAINERS),
            help=f"Kind of the films for the eye: {', '.join(_CONTAINERS)}.",
        ),
    ] = "mp4",
    crf: Annotated[
        int, typer.Option(metavar="N", min=0, max=MAX_CRF, help="Their quality: 0 is lossless and large.")
    ] = DEFAULT_CRF,
    colormap: Annotated[
        str,
        typer.Option(metavar="NAME", callback=one_of(COLORMAPS), help=f"Colours: {', '.join(COLORMAPS)}."),
    ] = "inferno",
    frame_format: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=one_of(FRAME_FORMATS),
            help=f"Format of single frames: {', '.join(FRAME_FORMATS)}.",
        ),
    ] = "png16",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON per film.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Neither notes nor summary, only errors.")] = False,
    debug: DebugOption = False,
) -> None:
    """Turn films into films of depth, steady from frame to frame.

    Times, sound and size are those of the film. Files that are there already are left as they are.
    """
    if quiet:
        warnings.simplefilter("ignore")
    if end_s is not None and end_s <= start_s:
        raise typer.BadParameter(f"--end {end_s:g} is not after --start {start_s:g}")
    nearness, focus_at = focus_of(focus)
    made = EffectOptions(divergence, convergence, layout, colors, nearness, aperture)  # type: ignore[arg-type]
    formats = formats or ([] if effects else [SIDE_BY_SIDE])
    jobs = plan_film_outputs(clips, out, [*formats, *effects], f".{container}", _tags(effects, made))
    settings = FilmSettings(
        steady=steady,  # type: ignore[arg-type]
        start_s=start_s,
        end_s=end_s,
        rate_hz=rate_hz,
        batch=batch,
        colormap=colormap,
        crf=crf,
        frame_format=frame_format,
        overwrite=overwrite,
        painters={
            name: film_effect(name, made, _focus_at(focus_at) if focus is None or focus_at else None)
            for name in effects
        },
    )
    waiting = [job for job in jobs if overwrite or not job.done]
    if len(waiting) < len(jobs) and not quiet:
        tell(f"midas: {len(jobs) - len(waiting)} there already (--overwrite replaces them)")
    if not waiting:
        return
    if available_cores() <= FEW_CORES:
        keep_stages_single_threaded()
    runs_on = for_films(backend, model, device, precision)
    predictor = load(
        model,
        weights=weights,
        backend=runs_on,
        device=device,
        precision=precision,
        size=size,
        threads=threads_for_films(runs_on, threads, available_cores()),
        offline=offline or None,
    )
    failed = 0
    for job in waiting:
        source = sys.stdin.buffer if job.source == STANDARD_INPUT else job.source
        try:
            report = write_film(predictor, source, job.outputs, settings)
        except (ConfigError, ModelError, MissingExtraError):
            raise
        except MidasError as error:
            failed += 1
            _show_error(job, error, as_json=as_json, debug=debug)
            continue
        failed += bool(report.missing_s)
        _show(report, as_json=as_json, quiet=quiet)
    raise typer.Exit(STATUS_FAILED if failed else 0)


def _tags(effects: list[str], options: EffectOptions) -> dict[str, str]:
    """What players of films for two eyes look for in a file's name."""
    path_of = effect_path(EffectFileOptions(options))
    return {name: path_of(Path(), "", name).stem[1:] for name in effects}


def _focus_at(point: tuple[int, int] | None) -> Callable[[tuple[int, int]], tuple[int, int]]:
    """The pixel of each frame to focus on: that point, or the middle."""
    return lambda size: point or (size[0] // 2, size[1] // 2)


def _show_error(job: FilmJob, error: MidasError, *, as_json: bool, debug: bool) -> None:
    if debug:
        tell_lines("".join(traceback.format_exception(error)))
    text = error.message if job.source in error.message else f"{job.source}: {error.message}"
    if as_json:
        say(json.dumps({"input": job.source, "error": text}))
    tell(f"midas: error: {text}")


def _show(report: FilmReport, *, as_json: bool, quiet: bool) -> None:
    damage = report.damage
    if as_json:
        say(json.dumps(_json_of(report)))
    if report.missing_s:
        tell(
            f"midas: error: {report.source}: its last {report.missing_s:.1f} s are missing; "
            f"{report.frames} frames that are there are written"
        )
    if quiet:
        return
    if damage.lost_packets or damage.repaired_times:
        tell(
            f"midas: warning: {report.source}: {damage.lost_packets} damaged packets left out, "
            f"{damage.repaired_times} times of frames repaired"
        )
    for note in report.notes:
        tell(f"midas: {report.source}: {note}")
    if sys.stderr.isatty():
        rate = report.frames / max(report.seconds, 1e-9)
        tell(f"midas: {report.frames} frames, {rate:.1f} per second: {', '.join(map(str, report.outputs))}")


def _json_of(report: FilmReport) -> dict[str, Any]:
    return {
        "input": report.source,
        "outputs": [str(path) for path in report.outputs],
        "frames": report.frames,
        "size": list(report.size),
        "cuts": report.cuts,
        "seconds": round(report.seconds, 3),
        "lost_packets": report.damage.lost_packets,
        "repaired_times": report.damage.repaired_times,
        "missing_s": round(report.missing_s, 3),
        "notes": list(report.notes),
    }
