"""``midas web``: the page without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from midas.cli import DebugOption, command_app
from midas.cli.lab import require_lab
from midas.cli.terminal import say
from midas.models.zoo import DEFAULT_MODEL, find_model

app = command_app()

EPILOG = """\b
Examples:
  midas web --export site/ && python -m http.server -d site/
  midas web --export site/ --model dpt_swin2_tiny_256
  midas web --export site/ --weights runs/nano/best.safetensors

\b
The folder can be put on any host of files. It holds the network, 16 MB for
the built-in one, and onnxruntime-web, of which a browser loads 14 or 27 MB
once. npm brings that, or --runtime names its folder dist.
"""


@app.command(epilog=EPILOG)
def web(
    folder: Annotated[Path, typer.Option("--export", metavar="DIR", help="The folder to write.")],
    model: Annotated[str, typer.Option(metavar="NAME", help="A name that `midas models` lists.")] = DEFAULT_MODEL,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Weights of that model, in place of its own.")
    ] = None,
    runtime: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder dist of onnxruntime-web; by default npm brings it.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    debug: DebugOption = False,
) -> None:
    """Write a static site that predicts in the visitor's browser: no server, nothing is sent anywhere."""
    require_lab("web")
    from midas.models.factory import create_model
    from midas.serving.site import export_site

    spec = find_model(model)
    network = create_model(model, weights="pretrained" if weights is None else weights)
    written = export_site(folder, network, spec, runtime=runtime, overwrite=overwrite)
    megabytes = sum(path.stat().st_size for path in written) / 1e6
    say(f"{folder}: {len(written)} files, {megabytes:.1f} MB; python -m http.server -d {folder}")
