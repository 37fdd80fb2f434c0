"""export_network: a network becomes a file of some format and precision, is compared with itself, and gets its name."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import nn

from midas.backends.exactness import how_to_run
from midas.errors import ConfigError, OutputError
from midas.export.bfloat16 import store_as_bfloat16
from midas.export.onnx import file_metadata, open_onnx, trace_onnx, write_onnx
from midas.export.openvino import open_openvino, read_graph, require_openvino, write_openvino
from midas.export.pictures import comparison_pictures, read_pictures
from midas.export.pre_post import with_pre_post
from midas.export.quantize import CALIBRATION_PICTURES, quantize_onnx, quantize_openvino
from midas.export.torch_files import open_torch_export, open_torchscript, write_torch_export, write_torchscript
from midas.export.verify import (
    BOUNDS,
    ROUNDED_BOUND,
    Bound,
    Difference,
    Pixels,
    Precision,
    Run,
    check,
    compare_inputs,
    compare_pictures,
    input_batches,
)
from midas.models.folding import without_branches
from midas.models.network import DepthNetwork
from midas.models.reduced import ReducedNetwork
from midas.models.specs import ModelSpec
from midas.pictures.preprocess import EIGHT_BITS, MAX_SIZE_PX, InputSpec
from midas.storage.atomic import atomic_file

Format = Literal["onnx", "openvino", "torchscript", "torch-export"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml", "torchscript": ".pt", "torch-export": ".pt2"}
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

# Formats whose graphs we can put together from parts, and whose runtimes compute in integers.
_GRAPHS = ("onnx", "openvino")
_HALF = {"fp16": torch.float16, "bf16": torch.bfloat16}
_OPENERS: dict[Format, Callable[[Path], Run]] = {
    "onnx": open_onnx,
    "openvino": open_openvino,
    "torchscript": open_torchscript,
    "torch-export": open_torch_export,
}


@dataclass(frozen=True)
class ExportOptions:
    """What kind of file is wanted.

    Attributes:
        format: a key of ``SUFFIXES``.
        precision: the file's number format. In torch's formats ``fp16`` and ``bf16`` are what all but the head computes
            in, and so is ``fp16`` in ONNX; elsewhere they are what the weights are stored in.
        size: the only (height, width) that the file takes, in pixels; None for all legal ones where the network and the
            format allow it, else for the network's own.
        dynamic: whether it must take all legal sizes.
        pre_post: whether it takes a picture as it is and gives a map of its size.
        pictures: a folder of pictures to compare on; None for the project's examples, or drawn ones.
        calibration: a folder of pictures that show int8 which values to expect; not those it is judged by.
    """

    format: Format = "onnx"
    precision: Precision = "fp32"
    size: tuple[int, int] | None = None
    dynamic: bool = False
    pre_post: bool = False
    pictures: Path | None = None
    calibration: Path | None = None


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        paths: the file, and what must lie beside it.
        input: how a picture becomes the input of the network in it.
        difference: how far its numbers are from the network's.
        bound: how far they may be.
    """

    paths: tuple[Path, ...]
    input: InputSpec
    difference: Difference
    bound: Bound


def export_network(
    network: DepthNetwork,
    spec: ModelSpec,
    path: Path,
    options: ExportOptions,
    *,
    overwrite: bool = False,
    show: Callable[[str], object] = lambda stage: None,
) -> Exported:
    """Write a network, compare what was written with it on pictures, and only then give the file its name.

    Args:
        network: in evaluation mode; float32 on the CPU.
        spec: its row of the model table.
        path: where to write.
        options: what kind of file.
        overwrite: whether a file of that name may be replaced.
        show: called with what is being done.

    Raises:
        ConfigError: options that don't go together, or not with this network.
        MissingExtraError: the format or precision needs packages that are not installed.
        OutputError: the file exists or can't be written.
        ModelError: the file's numbers are too far from the network's.
    """
    check_options(options, path)
    rule = input_rule(spec.input, options)
    targets = _targets(path, options.format)
    for target in targets:
        if target.exists() and not overwrite:
            raise OutputError(f"{target} exists already: choose another name, or allow overwriting")
    pictures = comparison_pictures(options.pictures)
    network.eval()
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        show(f"writing {path.name}")
        _write(without_branches(network), spec, rule, draft, options)
        show(f"opening {path.name} as its users will")
        run = _OPENERS[options.format](draft)
        show(f"comparing it with the network on {len(pictures)} pictures")
        if options.pre_post:
            difference = compare_pictures(network, run, pictures, rule)
        else:
            difference = compare_inputs(network, run, input_batches(pictures, rule))
        bound = ROUNDED_BOUND if _rounds(rule, options) else BOUNDS[options.precision]
        check(difference, options.precision, bound)
        # What lies beside it first: the file that is asked for by name is there only when all is.
        for target in reversed(targets):
            with atomic_file(target, overwrite=overwrite) as file, draft.with_suffix(target.suffix).open("rb") as made:
                shutil.copyfileobj(made, file)
    return Exported(targets, rule, difference, bound)


def check_options(options: ExportOptions, path: Path) -> None:
    """Make sure that options go together.

    Raises:
        ConfigError: they don't.
        MissingExtraError: the format needs packages that are not installed.
    """
    suffix = SUFFIXES[options.format]
    if path.suffix.lower() != suffix:
        raise ConfigError(f"{path} is no name for {options.format}; expected one that ends in {suffix}")
    for asked, what in ((options.precision == "int8", "int8"), (options.pre_post, "pre- and postprocessing")):
        if asked and options.format not in _GRAPHS:
            raise ConfigError(f"{options.format} has no {what} here; use format {' or '.join(_GRAPHS)}")
    if options.precision == "int8" and options.calibration is None:
        raise ConfigError("int8 needs a folder of pictures to calibrate on (--calibration), like those it will see")
    if options.precision == "int8" and options.pre_post and options.format == "openvino":
        raise ConfigError("openvino has no int8 with pre- and postprocessing here; OpenVINO reads such ONNX files too")
    if options.dynamic and options.size is not None:
        raise ConfigError("a file takes either one size or all; name a size or ask for dynamic ones, not both")
    if options.format == "openvino":
        require_openvino()


def input_rule(rule: InputSpec, options: ExportOptions) -> InputSpec:
    """The input rule of the network in the file: the network's own, or that of one size.

    A file of one size sees every picture squeezed to it.

    Raises:
        ConfigError: a size that the network doesn't take.
    """
    if options.dynamic and rule.fixed:
        raise ConfigError(f"this network takes {rule.size[0]}x{rule.size[1]} only; it can't be exported as dynamic")
    single = options.format == "torch-export" and not options.dynamic
    size = rule.size if options.size is None and single else options.size
    if size is None:
        return rule
    if max(size) > MAX_SIZE_PX:
        raise ConfigError(f"size {size[0]}x{size[1]} is too large; expected sides of at most {MAX_SIZE_PX} pixels")
    if min(size) < 1 or size != rule.nearest_size(size):
        nearest = rule.nearest_size(size)
        raise ConfigError(f"this network takes no {size[0]}x{size[1]}; nearest is {nearest[0]}x{nearest[1]}")
    return dataclasses.replace(rule, size=size, keep_aspect=False, fixed=True)


def _targets(path: Path, form: Format) -> tuple[Path, ...]:
    return (path, path.with_suffix(".bin")) if form == "openvino" else (path,)


def _rounds(rule: InputSpec, options: ExportOptions) -> bool:
    """Whether the graph rounds to 8 bits where another program does, which its own meets but for a few pixels."""
    return options.pre_post and options.precision == "fp32" and rule.interpolation in EIGHT_BITS


def _write(network: DepthNetwork, spec: ModelSpec, rule: InputSpec, draft: Path, options: ExportOptions) -> None:
    if options.format in _GRAPHS:
        _write_graph(network, spec, rule, draft, options)
        return
    dtype = _HALF.get(options.precision)
    fact = how_to_run(spec.name) if options.precision == "bf16" else None
    until = fact.float32_until if fact else None
    computed: nn.Module = network if dtype is None else ReducedNetwork(network, dtype, until).eval()
    if options.format == "torchscript":
        write_torchscript(computed, rule, draft, file_metadata(spec, rule))
    else:
        write_torch_export(computed, rule, draft, file_metadata(spec, rule), dynamic=options.dynamic)


def _write_graph(network: DepthNetwork, spec: ModelSpec, rule: InputSpec, draft: Path, options: ExportOptions) -> None:
    metadata = file_metadata(spec, rule)
    for_onnx = options.format == "onnx"
    computes_in_half = for_onnx and options.precision == "fp16"
    model = trace_onnx(ReducedNetwork(network, torch.float16).eval() if computes_in_half else network, rule)
    if options.precision == "bf16":
        fact = how_to_run(spec.name)
        store_as_bfloat16(model, fact.scope if fact else None)
    if options.precision == "int8" and for_onnx:
        model = quantize_onnx(model, _calibration(rule, options), spec.float_parts)
    if options.pre_post:
        model = with_pre_post(model, rule)
    if for_onnx:
        write_onnx(model, draft, metadata)
        return
    passing = draft.with_suffix(".onnx")
    write_onnx(model, passing, metadata)
    graph = read_graph(passing)
    if options.precision == "int8":
        graph = quantize_openvino(graph, _calibration(rule, options), spec.float_parts)
    write_openvino(graph, draft, metadata, half=options.precision == "fp16")


def _calibration(rule: InputSpec, options: ExportOptions) -> list[Pixels]:
    if options.calibration is None:
        raise ConfigError("int8 needs a folder of pictures to calibrate on")
    pictures = read_pictures(options.calibration, CALIBRATION_PICTURES)
    return [pixels[index : index + 1] for pixels in input_batches(pictures, rule) for index in range(len(pixels))]
