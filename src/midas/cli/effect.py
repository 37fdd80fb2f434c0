"""``midas effect``: pictures made of pictures and their depth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from midas.backends import AUTO
from midas.cli import STATUS_FAILED, DebugOption, command_app
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
from midas.effects.anaglyph import ANAGLYPH_COLORS
from midas.effects.bokeh import APERTURE
from midas.effects.files import SUFFIXES, EffectFileOptions, effect_path, effect_product
from midas.effects.parallax import AMPLITUDE, FRAMES
from midas.effects.stereo import CONVERGENCE, DIVERGENCE
from midas.effects.table import EffectOptions
from midas.models.zoo import DEFAULT_MODEL
from midas.reconstruction.scenes import SceneOptions

app = command_app()

DEFAULT_OUTPUT_DIR = Path("effects")
LAYOUTS = ("side-by-side", "half", "crossed", "top-bottom")

EPILOG = """\b
Examples:
  midas effect anaglyph photo.jpg                      effects/photo_anaglyph.png
  midas effect stereo photo.jpg --divergence 2.5       both eyes, side by side
  midas effect bokeh photo.jpg --focus 300,420 --aperture 3
  midas effect parallax photo.jpg                      a picture that moves, GIF
  midas effect normals photo.jpg --normal-y down       for DirectX
  midas effect rgbd photo.jpg                          for holographic displays
  midas effect gdepth photo.jpg --near 0.5 --far 8     depth in the photo's file
"""


def _one_of(*choices: str) -> object:
    return lambda name: names_among(choices)([name])[0]


@app.command(epilog=EPILOG)
def effect(
    name: Annotated[
        str, typer.Argument(metavar="EFFECT", callback=_one_of(*SUFFIXES), help=f"One of {', '.join(SUFFIXES)}.")
    ],
    paths: PathsArgument,
    output_dir: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the pictures made.")
    ] = DEFAULT_OUTPUT_DIR,
    divergence: Annotated[
        float,
        typer.Option(metavar="PERCENT", help="Of stereo and anaglyph: between nearest and farthest, of the width."),
    ] = DIVERGENCE,
    convergence: Annotated[
        float, typer.Option(metavar="N", help="What lies in the plane of the screen: 0 the farthest, 1 the nearest.")
    ] = CONVERGENCE,
    layout: Annotated[
        str, typer.Option(metavar="NAME", callback=_one_of(*LAYOUTS), help=f"Of stereo: {', '.join(LAYOUTS)}.")
    ] = LAYOUTS[0],
    colors: Annotated[
        str,
        typer.Option(
            metavar="NAME", callback=_one_of(*ANAGLYPH_COLORS), help=f"Of anaglyph: {', '.join(ANAGLYPH_COLORS)}."
        ),
    ] = "dubois",
    focus: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN|N",
            help="Of bokeh: the pixel to focus on, by default the middle; or 0 (farthest) to 1 (nearest).",
        ),
    ] = None,
    aperture: Annotated[
        float, typer.Option(metavar="PERCENT", help="Of bokeh: radius of the largest blur, of the longer side.")
    ] = APERTURE,
    frames: Annotated[int, typer.Option(metavar="N", min=2, max=240, help="Of parallax.")] = FRAMES,
    amplitude: Annotated[
        float, typer.Option(metavar="PERCENT", help="Of parallax: how far near and far move against each other.")
    ] = AMPLITUDE,
    side: Annotated[int, typer.Option(metavar="N", min=16, help="Of parallax: longer side in pixels.")] = 800,
    normal_y: Annotated[
        str,
        typer.Option(
            metavar="NAME", callback=_one_of("up", "down"), help="Of normals: where green points, up or down."
        ),
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
    nearness, focus_at = _focus(focus)
    options = EffectFileOptions(
        EffectOptions(divergence, convergence, layout, colors, nearness, aperture),  # type: ignore[arg-type]
        focus_at,
        focus is None,
        frames,
        amplitude,
        side,
        normal_y,  # type: ignore[arg-type]
        SceneOptions(near_m=near, far_m=far),
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


def _focus(text: str | None) -> tuple[float, tuple[int, int] | None]:
    """Nearness, or a pixel."""
    if text is None:
        return 1.0, None
    if "," not in text:
        return numbers_of(text, "ROW,COLUMN or a number from 0 to 1", 1)[0], None
    row, column = numbers_of(text, "ROW,COLUMN or a number from 0 to 1", 2)
    return 1.0, (int(row), int(column))
