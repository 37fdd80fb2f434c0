"""What commands that make something of pictures share: their options, and the way from paths to files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from midas.backends import AUTO, BACKENDS, QUICK
from midas.backends.choice import for_pictures
from midas.cli import STATUS_USAGE
from midas.cli.lens_options import predictor_of_lens
from midas.cli.picture_reporter import Reporter
from midas.folder import PictureReport, Product, Settings, predict_files
from midas.loading import load
from midas.maps.names import plan_outputs
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.files import find_pictures
from midas.pictures.preprocess import MAX_SIZE_PX
from midas.predictor import Predictor
from midas.tiling import MAX_ZOOM

PathsArgument = Annotated[
    list[str], typer.Argument(metavar="PICTURE", help="Pictures, folders, or patterns in quotes.")
]
ModelOption = Annotated[
    str, typer.Option(metavar="NAME|FILE", help="A name that `midas models` lists, an ONNX file, or published weights.")
]
SizeOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, max=MAX_SIZE_PX, help="Shorter side of the network's input in pixels."),
]
TileOption = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=MAX_ZOOM, help="Finer detail for large pictures, in tiles.")
]
BackendOption = Annotated[
    str, typer.Option(metavar="NAME", help=f"What runs the network: {', '.join((AUTO, QUICK, *BACKENDS))}.")
]
DeviceOption = Annotated[str, typer.Option(metavar="NAME", help="Where it runs: auto, cpu; with torch also cuda, mps.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never download weights.")]
RecursiveOption = Annotated[bool, typer.Option("--recursive", "-r", help="Look into the folders of a folder.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one line of JSON per picture.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Neither progress nor summary, only errors.")]


@dataclass(frozen=True)
class Network:
    """Which network, and how it runs."""

    model: str = DEFAULT_MODEL
    size: int | None = None
    tile: int | None = None
    backend: str = AUTO
    device: str = AUTO
    offline: bool = False
    projection: str | None = None
    fov_deg: float | None = None

    def ready(self, pictures: int) -> Predictor:
        """The predictor for so many pictures."""
        whole = load(
            self.model,
            backend=for_pictures(self.backend, pictures),
            device=self.device,
            size=None if self.tile else self.size,
            offline=self.offline or None,
        )
        plain = whole.tiled(self.tile, size=self.size) if self.tile else whole
        if self.projection is None:
            return plain
        return predictor_of_lens(plain, self.projection, self.fov_deg, None)


@dataclass(frozen=True)
class Manner:
    """How a command goes about it."""

    recursive: bool = False
    overwrite: bool = False
    as_json: bool = False
    quiet: bool = False
    debug: bool = False


@dataclass
class Made:
    """What became of the pictures."""

    failed: int = 0
    outputs: list[Path] = field(default_factory=list)


def make_of_pictures(
    paths: Sequence[str],
    output_dir: Path,
    formats: Sequence[str],
    path_of: Callable[[Path, str, str], Path],
    product: Product,
    network: Network,
    manner: Manner,
) -> Made:
    """Make files of pictures, say what becomes of each, and give the files."""
    made = Made()
    found = find_pictures(paths, output_dir, recursive=manner.recursive)
    jobs = plan_outputs(found.pictures, output_dir, formats, path_of)
    settings = Settings(overwrite=manner.overwrite, product=product)
    with Reporter(len(jobs), output_dir, as_json=manner.as_json, quiet=manner.quiet, debug=manner.debug) as reporter:
        for path, error in found.problems.items():
            reporter.show(PictureReport(Path(path), (), error=error))
        if not jobs:
            raise typer.Exit(STATUS_USAGE)
        for report in predict_files(network.ready(len(jobs)), jobs, settings):
            reporter.show(report)
            if report.error is None:
                made.outputs += report.outputs
    made.failed = reporter.failed
    return made


def names_among(choices: Iterable[str]) -> Callable[[list[str]], list[str]]:
    """A callback for an option that takes names, several with commas."""
    known = list(choices)

    def check(texts: list[str]) -> list[str]:
        names = [name.strip() for text in texts for name in text.split(",")]
        for name in names:
            if name not in known:
                raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}")
        return list(dict.fromkeys(names))

    return check


def numbers_of(text: str, example: str, count: int) -> tuple[float, ...]:
    """The numbers of an option such as ``ROW,COLUMN,METRES``."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise typer.BadParameter(f"{text!r}: expected {example}")
    return numbers
