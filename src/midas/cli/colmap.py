"""``midas colmap``: depth priors for a reconstruction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from midas.backends import AUTO
from midas.cli import STATUS_FAILED, DebugOption, command_app
from midas.cli.pictures_in import (
    BackendOption,
    DeviceOption,
    JsonOption,
    ModelOption,
    Network,
    OfflineOption,
    OverwriteOption,
    QuietOption,
    SizeOption,
    TileOption,
    names_among,
)
from midas.cli.terminal import say, tell
from midas.models.zoo import DEFAULT_MODEL
from midas.reconstruction.consumers import CONSUMERS, DEFAULT_FOLDERS, names_without_suffix_collide
from midas.reconstruction.priors import LEAST_POINTS
from midas.reconstruction.workspace import PriorReport, find_images, find_model, make_priors

app = command_app()

EPILOG = """\b
Examples:
  midas colmap scene/ --for 3dgs          scene/depths/*.png and
                                          scene/sparse/0/depth_params.json
  midas colmap scene/ --for nerfstudio    depth_file_path in transforms.json
  midas colmap scene/dense --for colmap   stereo/depth_maps/*.geometric.bin

\b
Train with:
  python train.py -s scene/ -d depths                       3D Gaussian splatting
  ns-train depth-nerfacto --data scene/                     Nerfstudio
"""


@app.command(epilog=EPILOG)
def colmap(
    workspace: Annotated[
        Path, typer.Argument(help="Folder with a sparse model by COLMAP (binary or text) and images.")
    ],
    consumer: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="NAME",
            callback=lambda name: names_among(CONSUMERS)([name])[0],
            help=f"Who reads it: {', '.join(CONSUMERS)}.",
        ),
    ] = "3dgs",
    output_dir: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the maps; by default where the reader looks."),
    ] = None,
    images_dir: Annotated[
        Path | None, typer.Option("--images", metavar="DIR", help="Folder of the images, if it isn't found.")
    ] = None,
    least_points: Annotated[
        int, typer.Option(metavar="N", min=2, help="Images that saw fewer points get no depth.")
    ] = LEAST_POINTS,
    model: ModelOption = DEFAULT_MODEL,
    size: SizeOption = None,
    tile: TileOption = None,
    backend: BackendOption = AUTO,
    device: DeviceOption = AUTO,
    offline: OfflineOption = False,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Predict every image of a reconstruction, and align each map to the points that were seen in it.

    The maps come out in the reconstruction's own unit, whatever that is. Images without enough points are named.
    """
    sparse = find_model(workspace)
    images = images_dir or find_images(workspace, sparse)
    for name in names_without_suffix_collide(image.name for image in sparse.images):
        tell(f"midas: warning: {name} and another image differ in their suffix alone; their maps have one name")
    writer = CONSUMERS[consumer](sparse, workspace, output_dir or workspace / DEFAULT_FOLDERS[consumer], overwrite)
    predictor = Network(model, size, tile, backend, device, offline).ready(len(sparse.images))
    failed = 0
    for report in make_priors(predictor, sparse, images, writer, least_points=least_points):
        failed += report.error is not None
        _show(report, as_json=as_json, quiet=quiet)
    for path in writer.finish():
        if not quiet:
            tell(f"midas: wrote {path}")
    for warning in writer.warnings:
        tell(f"midas: warning: {warning}")
    raise typer.Exit(STATUS_FAILED if failed else 0)


def _show(report: PriorReport, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        error = report.error.message if report.error else None
        output = str(report.output) if report.output else None
        share = round(report.inlier_share, 4)
        line = {"image": report.name, "output": output, "points": report.points, "inlier_share": share}
        say(json.dumps({**line, "scale": report.scale, "shift": report.shift, "error": error}))
    if report.error is not None:
        tell(f"midas: error: {report.name}: {report.error.message}")
    elif report.scale is None:
        tell(f"midas: warning: {report.name}: {report.points} points aren't enough for its scale and shift; no depth")
    elif not quiet and not as_json:
        say(f"{report.name}: {report.points} points, {100 * report.inlier_share:.0f} % within 10 %")
