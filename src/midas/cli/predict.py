"""``midas predict``: pictures in, depth maps out."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, get_args

import typer

from midas.alignment.measured import CODES_PER_METRE
from midas.backends import AUTO, BACKENDS, QUICK
from midas.backends.choice import for_pictures
from midas.cli import STATUS_FAILED, STATUS_USAGE, DebugOption, command_app, finite, one_of
from midas.cli.known_distances import (
    BESIDE_HELP,
    DEPTH_HELP,
    KNOWN_HELP,
    NEAR_HELP,
    LidarOption,
    LidarUnitOption,
    PointsOption,
    known_distances,
)
from midas.cli.lens_options import (
    DistortionOption,
    FovOption,
    ProjectionOption,
    hint_at_panoramas,
    predictor_of_lens,
)
from midas.cli.picture_reporter import Reporter
from midas.cli.pictures_in import ModelOption
from midas.cli.terminal import read_standard_input, say_bytes
from midas.folder import PictureReport, Settings, predict_bytes, predict_files
from midas.loading import load
from midas.maps.colormaps import COLORMAPS
from midas.maps.formats import FORMATS
from midas.maps.map_size import FULL, MapSize
from midas.maps.names import (
    PictureJob,
    beside_one_file,
    check_output,
    is_one_file,
    plan_outputs,
    usual_format,
    with_metres_beside,
)
from midas.maps.resize import Interpolation
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.files import find_pictures
from midas.pictures.preprocess import MAX_SIZE_PX
from midas.pictures.reading import DEFAULT_MAX_PIXELS
from midas.pipeline import MAX_BATCH, MAX_THREADS
from midas.predictor import Predictor
from midas.tiling import MAX_ZOOM

app = command_app()

STDIN = "-"
DEFAULT_OUTPUT_DIR = Path("depth")
MAX_MEGAPIXELS = 2000.0  # of 3 bytes each; beyond, decoders count in numbers that are too small

EPILOG = """\b
Examples:
  midas predict photo.jpg                    depth/photo.png, 16 bit
  midas predict photos/ -r -o maps/          a folder and the folders in it
  midas predict 'photos/*.jpg' --format png16,color,npy
  midas predict photo.jpg -o depth.exr       that file
  midas predict photo.jpg --near 0.8 --far 12 --format npy      metres
  midas predict photo.jpg --known 400,300,1.2 --known 80,200,6.5
  midas predict photos/ --map-size net       small maps, written faster
  midas predict photo.jpg --size 512         finer detail, slower
  midas predict large.jpg --tile 3           finer detail, same layout, slower
  midas predict photo.jpg --model dpt_swin2_tiny_256
  midas predict photo.jpg --model official.pt
  midas predict photos/ --model dpt_large_384 --device cuda --batch 8
  midas predict photos/ --json               one line of JSON per picture
  midas predict - < photo.jpg > depth.png    a filter

\b
The values are relative disparity: larger is nearer, scale and shift are
unknown, and they are not metres. A 16-bit PNG maps each picture's own range
to 0-65535; npy, npz, pfm, exr and tiff keep the values themselves.

\b
Exit status: 0 all done; 1 some pictures failed, the others are written;
2 wrong usage or nothing to do; 130 stopped by Ctrl-C.
"""


def _format_names(texts: list[str]) -> list[str]:
    check = one_of(FORMATS)
    return list(dict.fromkeys(check(name.strip()) for text in texts for name in text.split(",")))


def _maybe_finite(value: float | None) -> float | None:
    return None if value is None else finite(value)


@app.command(epilog=EPILOG)
def predict(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH", help="Pictures, folders, patterns in quotes, or - for standard input to standard output."
        ),
    ],
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR|FILE",
            help=f"Folder of the depth maps, or of one picture the file.  [default: {DEFAULT_OUTPUT_DIR}]",
        ),
    ] = None,
    model: ModelOption = DEFAULT_MODEL,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Weights of the named model, in place of its own.")
    ] = None,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="NAME,...",
            callback=_format_names,
            help=f"What to write, several with commas: {', '.join(FORMATS)}.  [default: png16; of metres png-mm]",
        ),
    ] = [],  # noqa: B006
    size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MAX_SIZE_PX,
            help="Shorter side of the network's input in pixels, in place of its own; with --tile, that of a tile.",
        ),
    ] = None,
    tile: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MAX_ZOOM,
            help="For large pictures: see N times as fine along each side, in overlapping tiles. Layout and scale stay "
            "those of the whole picture. Takes about 1 + (N + 1)² times as long; smaller pictures get fewer tiles.",
        ),
    ] = None,
    backend: Annotated[
        str, typer.Option(metavar="NAME", help=f"What runs the network: {', '.join((AUTO, QUICK, *BACKENDS))}.")
    ] = AUTO,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1, mps, xpu, tensorrt, coreml, directml, rocm.")
    ] = AUTO,
    precision: Annotated[
        str, typer.Option(metavar="NAME", help="Number format: auto, float32, bfloat16, float16.")
    ] = AUTO,
    batch: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=MAX_BATCH,
            help="Pictures, or tiles of one, that go through the network at once, where neighbours have one shape.",
        ),
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MAX_THREADS, help="Threads of the network; by default one per core."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.")] = False,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Look into the folders of a folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON per picture; size is [height, width].")
    ] = False,
    colormap: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=one_of(COLORMAPS),
            help=f"Colours of color and side-by-side: {', '.join(COLORMAPS)}.",
        ),
    ] = "inferno",
    known: Annotated[list[str], typer.Option("--known", metavar="ROW,COL,METRES", help=KNOWN_HELP)] = [],  # noqa: B006
    near: Annotated[float | None, typer.Option("--near", metavar="M", callback=_maybe_finite, help=NEAR_HELP)] = None,
    far: Annotated[float | None, typer.Option("--far", metavar="M", help="Depth of the farthest; may be inf.")] = None,
    depth: Annotated[Path | None, typer.Option("--depth", metavar="FILE", help=DEPTH_HELP)] = None,
    points: PointsOption = None,
    lidar: LidarOption = None,
    lidar_per_metre: LidarUnitOption = CODES_PER_METRE,
    beside: Annotated[bool, typer.Option("--beside", help=BESIDE_HELP)] = False,
    map_size: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="Size of the maps: full as the picture, half, net about as the network's own output, or WIDTHxHEIGHT. "
            "Smaller ones are written faster.",
        ),
    ] = FULL,
    interpolation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=lambda name: name and one_of(get_args(Interpolation))(name),
            help=f"How the network's output grows to the picture's size: {', '.join(get_args(Interpolation))}; "
            "by default the model's own way. Guided puts outlines where the picture has them, cubic takes less time.",
        ),
    ] = None,
    max_megapixels: Annotated[
        float,
        typer.Option(
            metavar="N", min=0, max=MAX_MEGAPIXELS, callback=finite, help="Refuse pictures with more megapixels."
        ),
    ] = DEFAULT_MAX_PIXELS / 1e6,
    projection: ProjectionOption = None,
    fov: FovOption = None,
    distortion: DistortionOption = None,
    full_decode: Annotated[
        bool,
        typer.Option(
            "--full-decode", help="Decode large JPEGs at full size where a half, quarter or eighth would do; slower."
        ),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse JPEGs that lack the last of their data; else those that lack 2 % pass."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Neither progress nor summary, only errors.")] = False,
    debug: DebugOption = False,
) -> None:
    """Turn pictures into depth maps.

    Each picture gives one file per format, at the picture's size, named after it; the files lie in the output folder
    as the pictures lie below the folder that they share. Existing files are left as they are.
    """
    if quiet:
        warnings.simplefilter("ignore")
    max_pixels = round(max_megapixels * 1e6)
    metres = known_distances(known, near, far, depth, points, lidar, lidar_per_metre)
    if beside and (metres is None or STDIN in paths):
        raise typer.BadParameter("--beside goes with what makes metres (--known, --depth ...), and writes files")
    formats = formats or [usual_format(output_dir, metric=metres is not None)]
    settings = Settings(interpolation, max_pixels, colormap, overwrite, batch, full_decode, strict, metres)  # type: ignore[arg-type]
    settings = replace(settings, map_size=_size_of_maps(map_size, formats))
    load_model = partial(
        load,
        model,
        weights=weights,
        device=device,
        precision=precision,
        size=None if tile else size,
        threads=threads,
        offline=offline or None,
    )

    def ready_model(*, backend: str, show_tiles: Callable[[int, int], None] | None = None) -> Predictor:
        whole = load_model(backend=backend)
        plain = whole.tiled(tile, size=size) if tile else whole
        plain.show_tiles = show_tiles
        return predictor_of_lens(plain, projection, fov, distortion)

    if STDIN in paths:
        _check_filter_usage(paths, formats, output_dir, as_json)
        predictor = ready_model(backend=for_pictures(backend, 1))
        say_bytes(predict_bytes(predictor, read_standard_input(), formats[0], settings))
        return

    output_dir = output_dir or DEFAULT_OUTPUT_DIR
    how = metres.how if metres else ""
    found = find_pictures(paths, output_dir, recursive=recursive)
    check_output(output_dir, len(found.pictures), formats)
    if is_one_file(output_dir, len(found.pictures), formats):
        jobs = [_one_job(found.pictures[0].path, output_dir, formats[0], beside=beside)]
        output_dir = output_dir.parent
    else:
        jobs = (with_metres_beside if beside else plan_outputs)(found.pictures, output_dir, formats)
    with Reporter(len(jobs), output_dir, as_json=as_json, quiet=quiet, debug=debug, how=how) as reporter:
        for path, error in found.problems.items():
            reporter.show(PictureReport(Path(path), (), error=error))
        if not jobs:
            raise typer.Exit(STATUS_USAGE)
        if projection is None and not quiet:
            hint_at_panoramas([job.source for job in jobs])
        predictor = ready_model(backend=for_pictures(backend, len(jobs)), show_tiles=reporter.show_tiles)
        for report in predict_files(predictor, jobs, settings):
            reporter.show(report)
    raise typer.Exit(STATUS_FAILED if reporter.failed else 0)


def _size_of_maps(text: str, formats: list[str]) -> MapSize:
    size = MapSize(text)
    if not size.is_full and any(FORMATS[name].shows_image for name in formats):
        raise typer.BadParameter("side-by-side shows the picture at its own size; leave --map-size out")
    return size


def _one_job(source: Path, output: Path, format_name: str, *, beside: bool) -> PictureJob:
    return beside_one_file(source, output, format_name) if beside else PictureJob(source, {format_name: output})


def _check_filter_usage(paths: list[str], formats: list[str], output_dir: Path | None, as_json: bool) -> None:
    if len(paths) > 1 or len(formats) > 1 or output_dir is not None or as_json:
        raise typer.BadParameter("- stands alone and writes one format to standard output: no -o, no --json")
    if sys.stdout.isatty():
        raise typer.BadParameter("- writes a file to standard output; send it to one: midas predict - > depth.png")
