"""``midas export``: a network becomes a file that runs without this package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from midas.cli import DebugOption, command_app
from midas.cli.lab import require_lab
from midas.models.zoo import DEFAULT_MODEL, find_model

app = command_app()

EPILOG = """
Example:

  midas export --weights runs/nano/best.safetensors -o nano.onnx && midas predict photo.jpg --model nano.onnx
"""


@app.command(epilog=EPILOG)
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The ONNX file to write.")],
    model: Annotated[str, typer.Option(help="Name from `midas models`.")] = DEFAULT_MODEL,
    weights: Annotated[
        Path | None, typer.Option(help="Trained weights of that model, safetensors; those of the table by default.")
    ] = None,
    untrained_on: Annotated[
        Path | None,
        typer.Option(help="Leave all but the encoder untrained, and read the encoder from this file: a baseline."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    debug: DebugOption = False,
) -> None:
    """Write a network as ONNX: any batch and any legal size, the input rule in the file's metadata.

    The file is compared with the network at three sizes before it is written.
    """
    require_lab("export")
    from midas.export.onnx import export_onnx
    from midas.models.factory import create_model, create_untrained

    if untrained_on is not None:
        network = create_untrained(model, untrained_on)
    else:
        network = create_model(model, weights="pretrained" if weights is None else weights)
    report = export_onnx(network, find_model(model), output, overwrite=overwrite)
    sizes = ", ".join(f"{height}x{width}" for height, width in report.sizes)
    typer.echo(f"{report.path}: largest difference {report.largest_difference:.1e} of the output's range at {sizes}")
