"""``midas calibrate``: the two numbers that make a model's maps metres for one camera, kept in its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from midas.cli import DebugOption, command_app
from midas.cli.lab import require_lab
from midas.cli.progress import track
from midas.cli.terminal import say, say_lines
from midas.cli.train import Unit
from midas.errors import OutputError
from midas.models.specs import Format
from midas.models.zoo import DEFAULT_MODEL, MODELS

app = command_app()

EPILOG = """\b
Examples:
  midas calibrate --root shelf/ -o shelf.onnx                  the built-in model, for this camera
  midas calibrate --root shelf/ --model runs/shelf/best.safetensors -o shelf.safetensors
  midas predict --model shelf.onnx photo.jpg                   depth in metres
"""


@app.command(epilog=EPILOG)
def calibrate(
    root: Annotated[Path, typer.Option("--root", metavar="DIR", help="Pictures with depth, as `midas train --data`.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A copy of the model, calibrated.")],
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="An ONNX or safetensors file, or a model of the table.")
    ] = DEFAULT_MODEL,
    depth_unit: Annotated[Unit, typer.Option(help="What the depth maps hold.")] = Unit.auto,
    limit: Annotated[
        int, typer.Option(metavar="N", min=5, help="Pictures to find the numbers from, spread over the set.")
    ] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one object of JSON.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    debug: DebugOption = False,
) -> None:
    """Make a model's maps metres for a camera that stands still, or always looks at the same kind of place.

    One scale and one shift are found for all pictures together, robustly; the error that is printed is on pictures
    that were left out of the fit. Where two numbers explain too little of the differences of depth nothing is written.
    """
    require_lab("calibrating")
    from midas.datasets.own_folder import open_own_folder
    from midas.evaluation.calibrate import calibrate as found_from
    from midas.export.calibrated import check_output, write_calibrated
    from midas.loading import load

    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists already; replace it with --overwrite or choose another name")
    source, name = _file_of(model, output)
    check_output(source, output)
    predictor = load(source)
    unit = None if depth_unit is Unit.auto else depth_unit.value
    reader = open_own_folder(root, unit, lambda picture: load()(picture).values).reader
    count = min(limit, len(reader))
    indices = [index * len(reader) // count for index in range(count)]
    found = found_from(predictor, reader, track(indices, f"{predictor.name} on {reader.name}", total=count))
    write_calibrated(source, output, found.calibration, name=name, overwrite=overwrite)
    facts: dict[str, Any] = {
        "file": str(output),
        "scale": found.calibration.scale,
        "shift": found.calibration.shift,
        "pictures": found.calibration.pictures,
        "abs_rel": found.calibration.abs_rel,
        "abs_rel_interval": list(found.interval),
        "explained": found.calibration.explained,
        "abs_rel_of_one_distance": found.constant_abs_rel,
        "abs_rel_fitted_to_each_picture": found.per_picture_abs_rel,
    }
    if as_json:
        say(json.dumps(facts))
        return
    say_lines(
        f"{output}: {found.calibration}\n"
        f"relative error of depth on pictures left out: {found.calibration.abs_rel:.1%} "
        f"(95 % interval {found.interval[0]:.1%} to {found.interval[1]:.1%})\n"
        f"one distance for all pixels: {found.constant_abs_rel:.1%}; "
        f"each picture fitted to its own depth: {found.per_picture_abs_rel:.1%}\n"
        f"explained of the differences of inverse depth: {found.calibration.explained:.0%}"
    )


def _file_of(model: str, output: Path) -> tuple[Path, str | None]:
    """The model's file, of the output's kind where it has several, and its name if it is one of the table."""
    from midas.models.identification import identify
    from midas.models.weight_files import find_weights

    if model not in MODELS:
        path = Path(model)
        return path, identify(path) if path.suffix.lower() == ".safetensors" and path.is_file() else None
    form: Format = "safetensors" if output.suffix.lower() == ".safetensors" else "onnx"
    return find_weights(MODELS[model], form).path, model
