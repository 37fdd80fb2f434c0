"""``midas cloud``: pictures in, points and meshes out."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from midas.alignment.measured import CODES_PER_METRE
from midas.backends import AUTO
from midas.cli import STATUS_FAILED, DebugOption, command_app, finite
from midas.cli.known_distances import LidarOption, LidarUnitOption, PointsOption
from midas.cli.lens_options import ProjectionOption
from midas.cli.pictures_in import (
    BackendOption,
    DeviceOption,
    JsonOption,
    Manner,
    ModelOption,
    Network,
    OfflineOption,
    OverwriteOption,
    PathsArgument,
    QuietOption,
    RecursiveOption,
    SizeOption,
    TileOption,
    make_of_pictures,
    names_among,
    numbers_of,
)
from midas.cli.terminal import tell
from midas.errors import ConfigError
from midas.geometry.anchor import ASSUMED_RATIO
from midas.geometry.cloud import MAX_POINTS
from midas.geometry.jumps import MAX_JUMP
from midas.geometry.mesh import FULL_DETAIL, MAX_FACES, MeshDetail
from midas.models.zoo import DEFAULT_MODEL
from midas.reconstruction.scenes import SCENE_FORMATS, SceneOptions, scene_path, scene_product

app = command_app()

DEFAULT_OUTPUT_DIR = Path("clouds")

EPILOG = f"""\b
Examples:
  midas cloud photo.jpg                      clouds/photo.glb and clouds/photo.ply
  midas cloud photo.jpg --view               and a page that shows it
  midas cloud photo.jpg --near 0.8 --far 6   in metres, by two distances
  midas cloud photo.jpg --known 120,300,1.9 --known 400,80,3.2
  midas cloud room.jpg --shift right-angles  by the walls of the room
  midas cloud photos/ --format points --full

\b
Formats: glb is a mesh with the photograph on it; points are PLY points; ply is
the mesh with a colour per vertex; points-glb are GLB points, which viewers draw
one pixel small; html is a page that holds the mesh and its viewer.

\b
What isn't known is assumed and called so in every file: a focal length of 30 mm
where the picture's file states none, and the farthest things {ASSUMED_RATIO:g} times as
far as the nearest where nothing else tells.
"""


@app.command(epilog=EPILOG)
def cloud(
    paths: PathsArgument,
    output_dir: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the scene files.")
    ] = DEFAULT_OUTPUT_DIR,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="NAME,...",
            callback=names_among(SCENE_FORMATS),
            help=f"What to write, several with commas: {', '.join(SCENE_FORMATS)}.",
        ),
    ] = ["glb", "points"],  # noqa: B006
    known: Annotated[
        list[str] | None,
        typer.Option(metavar="ROW,COLUMN,METRES", help="A point of known depth; give two or more of them."),
    ] = None,
    points: PointsOption = None,
    lidar: LidarOption = None,
    lidar_per_metre: LidarUnitOption = CODES_PER_METRE,
    near: Annotated[float | None, typer.Option(metavar="METRES", help="Distance of the nearest things.")] = None,
    far: Annotated[float | None, typer.Option(metavar="METRES", help="Distance of the farthest things.")] = None,
    depth_ratio: Annotated[
        float | None, typer.Option(metavar="N", help="How many times as far the farthest things are as the nearest.")
    ] = None,
    shift: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=lambda name: names_among(("auto", "right-angles", "assumed"))([name])[0],
            help="Where no distance is given: right-angles between walls and floor, assumed, or auto: right angles "
            "where there are any.",
        ),
    ] = "auto",
    fov: Annotated[
        float | None, typer.Option(metavar="DEGREES", help="Horizontal angle of view, in place of the file's.")
    ] = None,
    focal: Annotated[
        float | None, typer.Option(metavar="MM", help="Focal length, as on 36 x 24 mm, in place of the file's.")
    ] = None,
    projection: ProjectionOption = None,
    sky: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=lambda name: names_among(("clamp", "drop"))([name])[0],
            help="The farthest 2 % of the range: clamp keeps them as a backdrop, drop leaves them out.",
        ),
    ] = "clamp",
    max_points: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many points.")] = MAX_POINTS,
    max_faces: Annotated[
        int, typer.Option("--faces", metavar="N", min=1, help="At most so many triangles.")
    ] = MAX_FACES,
    edge: Annotated[
        float,
        typer.Option(
            metavar="N", min=0, callback=finite, help="Relative jump of depth between neighbours that cuts a surface."
        ),
    ] = MAX_JUMP,
    fill: Annotated[bool, typer.Option("--fill", help="Cut nothing: a closed surface.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Every pixel a point, every triangle, the whole picture.")
    ] = False,
    view: Annotated[bool, typer.Option("--view", help="Write a page that shows the first scene, and open it.")] = False,
    model: ModelOption = DEFAULT_MODEL,
    size: SizeOption = None,
    tile: TileOption = None,
    backend: BackendOption = AUTO,
    device: DeviceOption = AUTO,
    offline: OfflineOption = False,
    recursive: RecursiveOption = False,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Turn pictures into points and meshes that are seen from all sides.

    Metres need known points, or near and far distances; without them a scene has the right shape only as far as the
    shift is right, and no unit. Files say how camera, scale and shift were found.
    """
    if fov is not None and focal is not None:
        raise ConfigError("--fov and --focal say the same in two ways: give one of them")
    if (points or lidar) and (known or near is not None or far is not None or depth_ratio is not None):
        raise ConfigError(
            "measured points say all of scale and shift: leave --known, --near, --far and --depth-ratio out"
        )
    options = SceneOptions(
        fov_deg=fov,
        focal_35mm=focal,
        points=tuple(_point(text) for text in known or ()),
        measured=points,
        lidar=lidar,
        lidar_per_metre=lidar_per_metre,
        near_m=near,
        far_m=far,
        ratio=depth_ratio,
        shift=shift,  # type: ignore[arg-type]
        max_points=None if full else max_points,
        detail=FULL_DETAIL if full else MeshDetail(max_faces=max_faces),
        max_jump=None if fill else edge,
        far=sky,  # type: ignore[arg-type]
        projection=projection,  # type: ignore[arg-type]
    )
    wanted = list(dict.fromkeys([*formats, "html"])) if view else formats
    made = make_of_pictures(
        paths,
        output_dir,
        wanted,
        scene_path,
        scene_product(options),
        Network(model, size, tile, backend, device, offline, projection, fov),
        Manner(recursive, overwrite, as_json, quiet, debug),
    )
    pages = [path for path in made.outputs if path.suffix == ".html"]
    if view and pages:
        page = pages[0].absolute()
        if not webbrowser.open(page.as_uri()):
            tell(f"midas: open {page} in a browser")
    raise typer.Exit(STATUS_FAILED if made.failed else 0)


def _point(text: str) -> tuple[int, int, float]:
    row, column, metres = numbers_of(text, "ROW,COLUMN,METRES, such as 120,300,1.9", 3)
    return int(row), int(column), metres
