"""``midas effect``: pictures made of pictures and their depth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from midas.backends import AUTO
from midas.cli import STATUS_FAILED, DebugOption, command_app
from midas.cli.effect_options import (
    LAYOUTS,
    AnaglyphColorsOption,
    ApertureOption,
    ConvergenceOption,
    DivergenceOption,
    FocusOption,
    LayoutOption,
    focus_of,
    one_of,
)
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
)
from midas.effects.bokeh import APERTURE
from midas.effects.files import MOVING, SUFFIXES, EffectFileOptions, effect_path, effect_product
from midas.effects.parallax import AMPLITUDE, FRAMES
from midas.effects.stereo import CONVERGENCE, DIVERGENCE
from midas.effects.table import EffectOptions
from midas.models.zoo import DEFAULT_MODEL
from midas.reconstruction.scenes import SceneOptions

app = command_app()

DEFAULT_OUTPUT_DIR = Path("effects")

EPILOG = """\b
Examples:
  midas effect anaglyph photo.jpg                      effects/photo_anaglyph.png
  midas effect stereo photo.jpg --divergence 2.5       both eyes, side by side
  midas effect bokeh photo.jpg --focus 300,420 --aperture 3
  midas effect parallax photo.jpg                      a picture that moves, GIF
  midas effect parallax photo.jpg --moving mp4
  midas effect normals photo.jpg --normal-y down       for DirectX
  midas effect rgbd photo.jpg                          for holographic displays
  midas effect gdepth photo.jpg --near 0.5 --far 8     depth in the photo's file
"""


@app.command(epilog=EPILOG)
def effect(
    name: Annotated[
        str, typer.Argument(metavar="EFFECT", callback=one_of(*SUFFIXES), help=f"One of {', '.join(SUFFIXES)}.")
    ],
    paths: PathsArgument,
    output_dir: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the pictures made.")
    ] = DEFAULT_OUTPUT_DIR,
    divergence: DivergenceOption = DIVERGENCE,
    convergence: ConvergenceOption = CONVERGENCE,
    layout: LayoutOption = LAYOUTS[0],
    colors: AnaglyphColorsOption = "dubois",
    focus: FocusOption = None,
    aperture: ApertureOption = APERTURE,
    frames: Annotated[int, typer.Option(metavar="N", min=2, max=240, help="Of parallax.")] = FRAMES,
    amplitude: Annotated[
        float, typer.Option(metavar="PERCENT", help="Of parallax: how far near and far move against each other.")
    ] = AMPLITUDE,
    side: Annotated[int, typer.Option(metavar="N", min=16, help="Of parallax: longer side in pixels.")] = 800,
    moving: Annotated[
        str,
        typer.Option(
            "--moving",
            metavar="NAME",
            callback=one_of(*MOVING),
            help=f"Of parallax: {', '.join(MOVING)}; mp4 has all colours, and needs midas-depth[video].",
        ),
    ] = MOVING[0],
    normal_y: Annotated[
        str,
        typer.Option(metavar="NAME", callback=one_of("up", "down"), help="Of normals: where green points, up or down."),
    ] = "up",
    near: Annotated[
        float | None, typer.Option(metavar="METRES", help="Of gdepth and normals: distance of the nearest things.")
    ] = None,
    far: Annotated[float | None, typer.Option(metavar="METRES", help="Likewise, of the farthest.")] = None,
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
    """Make pictures for two eyes, with a shallow focus, that move, or that hold their depth.

    Depth is relative, so that strengths are in percent of the picture: what is near stands out by as much as asked.
    """
    nearness, focus_at = focus_of(focus)
    options = EffectFileOptions(
        EffectOptions(divergence, convergence, layout, colors, nearness, aperture),  # type: ignore[arg-type]
        focus_at,
        focus is None,
        frames,
        amplitude,
        side,
        normal_y,  # type: ignore[arg-type]
        SceneOptions(near_m=near, far_m=far),
        moving,  # type: ignore[arg-type]
    )
    made = make_of_pictures(
        paths,
        output_dir,
        [name],
        effect_path(options),
        effect_product(options),
        Network(model, size, tile, backend, device, offline),
        Manner(recursive, overwrite, as_json, quiet, debug),
    )
    raise typer.Exit(STATUS_FAILED if made.failed else 0)
