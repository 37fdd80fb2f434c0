"""``midas data``: look at sets, make one from stereo pairs, render one, pack one into few large files."""

from __future__ import annotations

import json
import os
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from midas.cli import STATUS_FAILED, DebugOption, command_app, finite, render_scenes
from midas.cli.progress import track
from midas.cli.reader_options import named_options
from midas.cli.terminal import say, say_lines, tell, tell_error
from midas.errors import ConfigError, DatasetError
from midas.pipeline import MAX_THREADS
from midas.storage.atomic import atomic_file

if TYPE_CHECKING:
    from midas.datasets.reader import Reader
    from midas.datasets.stereo_set import FrameReport, PairSource, StereoOptions

app = command_app()
app.command(epilog=render_scenes.EPILOG)(render_scenes.render)

INSPECT_EPILOG = """\b
Examples:
  midas data inspect --reader nyu --root data/nyu -o nyu.png
  midas data inspect --reader diw --root data/diw --count 20 --seed 1 -o diw.png
  midas data inspect --reader corpus --root corpus/nyuv2-test --json
"""

STEREO_EPILOG = """\b
Examples:
  midas data stereo left.png right.png -o disparity.png
  midas data stereo street/left street/right -o corpus/street
  midas data stereo --side-by-side film.mkv --squeezed -o corpus/films
"""

PACK_EPILOG = """\b
Examples:
  midas data pack --reader redweb --root data/ReDWeb_V1 -o shards/redweb
  midas data pack --reader hypersim --root data/hypersim -o shards/hypersim --disparity png16
  midas data inspect --reader shards --root shards/redweb -o redweb.png
"""

ReaderOption = Annotated[str, typer.Option("--reader", metavar="NAME", help="Which set; see `midas evaluate --list`.")]
RootOption = Annotated[Path, typer.Option("--root", metavar="DIR", help="The set's folder.")]
ChoiceOption = Annotated[
    list[str], typer.Option("--option", metavar="KEY=VALUE", help="A choice that the reader offers.")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one object of JSON.")]


class Picture(str, Enum):
    """How pictures are packed."""

    png = "png"
    jpg = "jpg"


class Disparity(str, Enum):
    """How targets are packed."""

    npy = "npy"
    png16 = "png16"


@app.callback(no_args_is_help=True)
def data(debug: DebugOption = False) -> None:
    """Look at sets, make one from stereo pairs, render one, pack one into few large files."""


@app.command(epilog=INSPECT_EPILOG)
def inspect(
    reader: ReaderOption,
    root: RootOption,
    option: ChoiceOption = [],  # noqa: B006
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Contact sheet to draw, a PNG.")
    ] = None,
    count: Annotated[int, typer.Option(metavar="N", min=1, help="Samples on the sheet.")] = 8,
    look_at: Annotated[int, typer.Option(metavar="N", min=1, help="Samples that the figures are from.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of samples.")] = 0,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Print figures of a set's targets, and draw some samples.

    The figures are from samples drawn at random. Samples that can't be read are named on standard error.
    """
    from PIL import Image

    from midas.datasets.inspect import chosen_indices, draw_sheet, inspect_set

    opened = _open(reader, root, option)
    indices = chosen_indices(len(opened), max(count, look_at), seed)
    found = inspect_set(opened, track(indices, opened.name, total=len(indices)), shown=count, seed=seed)
    say_lines(json.dumps(found.statistics.as_dict()) if as_json else found.statistics.as_text())
    if output is not None and found.shown:
        with atomic_file(output, overwrite=overwrite) as file:
            Image.fromarray(draw_sheet(found.shown)).save(file, format="PNG")
    _name_failures(found.statistics.unreadable)


@app.command(epilog=STEREO_EPILOG)
def stereo(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR|FILE.png", help="Set to write; of one pair also a lone map."),
    ],
    left: Annotated[Path | None, typer.Argument(metavar="LEFT", help="Left view, or a folder of them.")] = None,
    right: Annotated[
        Path | None, typer.Argument(metavar="RIGHT", help="Right view, or a folder with equal names.")
    ] = None,
    side_by_side: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Picture, folder or film with the left view in its left half, instead."),
    ] = None,
    squeezed: Annotated[
        bool, typer.Option("--squeezed", help="Side by side at half width: stretch each view again.")
    ] = False,
    fps: Annotated[
        float, typer.Option(metavar="N", min=0.001, callback=finite, help="Frames taken per second of a film.")
    ] = 4.0,
    search: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="MIN MAX", help="Disparities to look for, pixels; found out by default."),
    ] = None,
    sky: Annotated[bool, typer.Option("--sky/--no-sky", help="Give the sky the least disparity of its frame.")] = True,
    keep_all: Annotated[bool, typer.Option("--keep-all", help="Keep rejected frames too.")] = False,
    scene: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The set's folder for these frames; the source's name by default."),
    ] = None,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Make targets from stereo pairs: a set in the corpus format, of relative disparity.

    A frame is rejected, by the rules of the MiDaS paper, if more than 10 % of its pixels have a vertical disparity
    above 2 px, if left and right agree on fewer than 70 %, or if its disparities span less than 10 px.
    """
    from midas.datasets.stereo_set import StereoOptions

    source = _source(left, right, side_by_side, squeezed, fps)
    options = StereoOptions(search, sky, keep_all)
    failures: list[str] = []
    if output.suffix.lower() == ".png":
        reports = [_lone_map(source, output, options, overwrite)]
    else:
        reports = _write_set(source, output, options, scene or source.scene, overwrite, failures)
    _show_reports(reports, as_json)
    _name_failures(failures)
    if not any(report.kept for report in reports):
        raise typer.Exit(STATUS_FAILED)


@app.command(epilog=PACK_EPILOG)
def pack(
    reader: ReaderOption,
    root: RootOption,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the shards.")],
    option: ChoiceOption = [],  # noqa: B006
    samples_per_shard: Annotated[int, typer.Option(metavar="N", min=1, help="Samples per file.")] = 1000,
    picture: Annotated[Picture, typer.Option(help="png keeps each pixel, jpg is smaller.")] = Picture.png,
    disparity: Annotated[Disparity, typer.Option(help="npy keeps each bit, png16 is smaller.")] = Disparity.npy,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first so many samples.")] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", min=1, max=MAX_THREADS, help="Threads; one per core by default."),
    ] = None,
    as_json: JsonOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Pack a set into tar files that the reader `shards` reads at random, and the webdataset package in order.

    Samples that can't be read are left out and named on standard error.
    """
    from midas.datasets.shard_members import Packing
    from midas.datasets.shards import pack

    opened = _open(reader, root, option)
    total = min(len(opened), limit or len(opened))
    index = pack(
        opened,
        output,
        Packing(samples_per_shard, picture.value, disparity.value),
        indices=track(range(total), opened.name, total=total),
        workers=jobs or os.cpu_count() or 1,
        overwrite=overwrite,
    )
    facts = {"folder": str(output), "samples": index.count, "shards": len(index.shards), "bytes": index.bytes}
    text = f"{output}: {index.count} samples in {len(index.shards)} shards, {index.bytes / 1e6:.1f} MB"
    say(json.dumps(facts | {"unreadable": index.unreadable}) if as_json else text)
    _name_failures(index.unreadable)


def _open(name: str, root: Path, options: list[str]) -> Reader:
    from midas.datasets.catalogue import open_reader

    return open_reader(name, root, **named_options(options))


def _source(left: Path | None, right: Path | None, side_by_side: Path | None, squeezed: bool, fps: float) -> PairSource:
    from midas.datasets import stereo_set

    if side_by_side is not None and left is None:
        return stereo_set.side_by_side(side_by_side, squeezed=squeezed, fps=fps)
    if left is None or right is None or side_by_side is not None:
        raise ConfigError("expected LEFT and RIGHT, or --side-by-side with one path")
    return stereo_set.two_views(left, right)


def _lone_map(source: PairSource, output: Path, options: StereoOptions, overwrite: bool) -> FrameReport:
    from midas.datasets.stereo_set import write_single

    readers = list(source.readers) if source.count == 1 else []
    if len(readers) != 1:
        raise ConfigError(f"{output} is one map, for {source.count} pairs; give a folder for the output")
    return write_single(readers[0](), output, options, overwrite=overwrite)


def _write_set(
    source: PairSource, root: Path, options: StereoOptions, scene: str, overwrite: bool, failures: list[str]
) -> list[FrameReport]:
    from midas.datasets.stereo_set import StereoSet

    stereo_set = StereoSet(root, scene, name=root.resolve().name, overwrite=overwrite)
    for number, read in enumerate(track(source.readers, scene, total=source.count)):
        try:
            stereo_set.add_read(number, read, options)
        except DatasetError as error:
            failures.append(str(error))
    tell(str(stereo_set.close()))
    return stereo_set.reports


def _show_reports(reports: list[FrameReport], as_json: bool) -> None:
    kept = sum(report.kept for report in reports)
    reasons = Counter(report.reason for report in reports if report.reason is not None)
    if as_json:
        say(json.dumps({"kept": kept, "frames": len(reports), "reasons": reasons}))
        return
    say(f"{kept} of {len(reports)} frames kept")
    for reason, count in reasons.most_common():
        say(f"{reason}: {count} ({_measured([report for report in reports if report.reason == reason])})")


def _measured(reports: list[FrameReport]) -> str:
    """What was measured on frames that break one rule, beside the rule's limit."""
    from midas.datasets.stereo import PAPER_RULES as RULES
    from midas.datasets.stereo import Rejection

    if reports[0].reason == Rejection.flat.value:
        return f"{_span([each.range_px for each in reports], '.1f')} px; at least {RULES.min_range_px:g} px"
    if reports[0].reason == Rejection.inconsistent.value:
        shares = _span([each.consistent_share for each in reports], ".0%")
        return f"they agree on {shares} of the pixels; at least {RULES.min_consistent_share:.0%}"
    shares = _span([each.vertical_share for each in reports], ".0%")
    limit = f"at most {RULES.max_vertical_share:.0%}"
    return f"above {RULES.max_vertical_px:g} px on {shares} of the pixels; {limit}"


def _span(values: list[float], form: str) -> str:
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


def _name_failures(problems: list[str] | tuple[str, ...]) -> None:
    """Name what failed, and end with the status that says so; nothing if nothing did."""
    for problem in problems:
        tell_error(problem)
    if problems:
        raise typer.Exit(STATUS_FAILED)
