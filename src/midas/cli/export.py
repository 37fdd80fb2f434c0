"""``midas export``: a network becomes a file that runs without this package."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from midas.cli import DebugOption, command_app
from midas.cli.lab import require_lab
from midas.cli.progress import stages
from midas.cli.terminal import say
from midas.errors import ConfigError
from midas.models.zoo import DEFAULT_MODEL, MODELS, find_model

if TYPE_CHECKING:
    from midas.export.exporter import Exported
    from midas.models.network import DepthNetwork

app = command_app()

EPILOG = """\b
Examples:
  midas export --weights runs/nano/best.safetensors -o nano.onnx && midas predict photo.jpg --model nano.onnx
  midas export --model dpt_swin2_tiny_256 --format openvino
  midas export --model official.pt --precision fp16 --size 384 512
  midas export --with-pre-post -o picture_to_map.onnx        for a web page or C++
  midas export --precision int8 --calibration photos/ -o small.onnx
"""


class Format(str, Enum):
    """What kind of file."""

    onnx = "onnx"
    openvino = "openvino"
    torchscript = "torchscript"
    torch_export = "torch-export"


class Precision(str, Enum):
    """The file's number format."""

    fp32 = "fp32"
    fp16 = "fp16"
    bf16 = "bf16"
    int8 = "int8"


@app.command(epilog=EPILOG)
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; by default the model's name, here.")
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Name from `midas models`, or a file of weights of such a model.")
    ] = DEFAULT_MODEL,
    weights: Annotated[
        Path | None, typer.Option(help="Trained weights of that model, safetensors; those of the table by default.")
    ] = None,
    untrained_on: Annotated[
        Path | None,
        typer.Option(help="Leave all but the encoder untrained, and read the encoder from this file: a baseline."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="What kind of file.")] = Format.onnx,
    precision: Annotated[Precision, typer.Option(help="The file's number format.")] = Precision.fp32,
    dynamic: Annotated[
        bool, typer.Option("--dynamic", help="All legal sizes, which is what networks and formats do that can.")
    ] = False,
    size: Annotated[
        tuple[int, int] | None, typer.Option(metavar="H W", help="One size of the network's input, pixels.")
    ] = None,
    with_pre_post: Annotated[
        bool,
        typer.Option("--with-pre-post", help="Take RGB uint8 (H, W, 3) of any size, give a float32 map of it."),
    ] = False,
    calibration: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures that show int8 which values to expect.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures to compare on; the project's examples by default.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    debug: DebugOption = False,
) -> None:
    """Write a network as a file for other programs: by default ONNX, any batch and any legal size.

    Before it gets its name, the file is run and compared with the network in float32 on pictures. One that departs by
    more than its precision explains is not kept.
    """
    require_lab("export")
    from midas.export.exporter import SUFFIXES, ExportOptions, check_options, export_network

    options = ExportOptions(
        form.value, precision.value, size, dynamic, with_pre_post, pictures=pictures, calibration=calibration
    )
    name = _name_of(model, weights or untrained_on)
    path = output or Path(f"{name}{SUFFIXES[form.value]}")
    check_options(options, path)
    network = _network(name, model, weights, untrained_on)
    with stages() as show:
        exported = export_network(network, find_model(name), path, options, overwrite=overwrite, show=show)
    say(_described(exported))


def _name_of(model: str, weights: Path | None) -> str:
    """The model's name; that of the model to which the file belongs, where a file is named in its place."""
    if model in MODELS or not Path(model).suffix:
        return find_model(model).name
    if weights is not None:
        raise ConfigError(f"{model} is a file, as is {weights}; expected a model's name beside its weights")
    if Path(model).suffix.lower() in (".onnx", ".xml"):
        raise ConfigError(f"{model} is exported already; expected weights, or a name that `midas models` lists")
    from midas.models.identification import identify

    return identify(model)


def _network(name: str, model: str, weights: Path | None, untrained_on: Path | None) -> DepthNetwork:
    from midas.models.factory import create_model, create_untrained

    if untrained_on is not None:
        return create_untrained(name, untrained_on)
    file = weights if weights is not None else None if model in MODELS else Path(model)
    return create_model(name, weights="pretrained" if file is None else file)


def _described(exported: Exported) -> str:
    found, bound = exported.difference, exported.bound
    sizes = ", ".join(f"{height}x{width}" for height, width in found.sizes)
    megabytes = sum(path.stat().st_size for path in exported.paths) / 1e6
    return (
        f"{exported.paths[0]}: {megabytes:.1f} MB; largest difference {found.largest:.1e} and mean {found.mean:.1e} of "
        f"the output's range on {found.pictures} pictures at {sizes}; allowed are {bound.largest:.0e} and "
        f"{bound.mean:.0e}"
    )
