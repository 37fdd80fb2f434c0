"""Export to ONNX: any batch, any legal size, with the input rule in the file, so that a path is all one needs."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from torch import nn

from midas.backends.runtimes import WHOLE_PRODUCTS, import_runtime
from midas.errors import ModelError
from midas.export.verify import Bound, Pixels, Run, check, compare_inputs
from midas.models.folding import without_branches
from midas.models.network import DepthNetwork
from midas.models.onnx_names import INPUT_KEY, INPUT_NAME, KIND_KEY, LICENCE_KEY, NAME_KEY, OUTPUT_NAME
from midas.models.padding import constant_padding
from midas.models.specs import ModelSpec
from midas.pictures.preprocess import InputSpec
from midas.storage.atomic import atomic_file

if TYPE_CHECKING:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as runtime_state
else:
    onnxruntime = import_runtime("onnxruntime")
    runtime_state = import_runtime("onnxruntime.capi.onnxruntime_pybind11_state")

OPSET = 18
_RUN_ERRORS = (
    runtime_state.Fail,
    runtime_state.InvalidArgument,
    runtime_state.InvalidGraph,
    runtime_state.NotImplemented,
    runtime_state.RuntimeException,
)
_QUIET = 4
LARGEST_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class ExportReport:
    """How near the exported file is to the network it was made from.

    Attributes:
        path: the file.
        largest_difference: over all sizes tried, relative to the range of the network's output.
        sizes: (height, width) of the inputs compared.
    """

    path: Path
    largest_difference: float
    sizes: tuple[tuple[int, int], ...]


def export_onnx(network: DepthNetwork, spec: ModelSpec, path: Path, *, overwrite: bool = False) -> ExportReport:
    """Write a network as ONNX and compare the file with it on random inputs of three sizes.

    Args:
        network: in evaluation mode; float32 on the CPU.
        spec: its name, licence and input rule go into the file's metadata.
        path: where to write.
        overwrite: whether a file of that name may be replaced.

    Raises:
        OutputError: the file exists or can't be written.
        ModelError: the file's numbers are not the network's.
    """
    network.eval()
    model = trace_onnx(without_branches(network), spec.input)
    onnx.helper.set_model_props(model, file_metadata(spec, spec.input))
    content = model.SerializeToString()
    difference = compare_inputs(network, open_onnx(content), _random_inputs(spec.input))
    check(difference, "fp32", Bound(LARGEST_DIFFERENCE, LARGEST_DIFFERENCE))
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(content)
    return ExportReport(path, difference.largest, difference.sizes)


def file_metadata(spec: ModelSpec, input_spec: InputSpec) -> dict[str, str]:
    """What an exported file says of itself.

    Args:
        spec: its name, licence and kind of values.
        input_spec: how a picture becomes the input of the network in this file.
    """
    return {
        NAME_KEY: spec.name,
        INPUT_KEY: input_spec.to_metadata(),
        LICENCE_KEY: spec.weights.licence,
        KIND_KEY: spec.kind,
    }


def trace_onnx(network: nn.Module, spec: InputSpec) -> onnx.ModelProto:
    """The graph of a network: any batch; any size too, unless the input's is fixed.

    Args:
        network: in evaluation mode, on the CPU; pixels (B, 3, H, W) in float32 → disparity (B, H, W).
        spec: the input's size, and whether it is the only one.
    """
    pixels = torch.zeros(1, 3, *spec.size)
    axes = {INPUT_NAME: {0: "B"}, OUTPUT_NAME: {0: "B"}}
    if not spec.fixed:
        axes = {INPUT_NAME: {0: "B", 2: "H", 3: "W"}, OUTPUT_NAME: {0: "B", 1: "H", 2: "W"}}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), constant_padding():
        # The tracing exporter is the one that folds batch normalisation and keeps upsampling factors as constants; it
        # announces its successor, and that the size check in `forward` is not part of the graph, which is intended.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        target = Path(folder) / "model.onnx"
        torch.onnx.export(
            network, (pixels,), target, input_names=[INPUT_NAME], output_names=[OUTPUT_NAME], dynamic_axes=axes,
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        return onnx.load(target)


def open_onnx(file: Path | bytes, *, threads: int = 0) -> Run:
    """An ONNX file of one input and one output as a function of arrays.

    Args:
        file: its path or content.
        threads: of ONNX Runtime; 0 is one per physical core.

    Raises:
        ModelError: the file can't be loaded; so does the function, where it can't be run.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = threads
    options.add_session_config_entry(*WHOLE_PRODUCTS)
    source = file if isinstance(file, bytes) else str(file)
    try:
        session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except _RUN_ERRORS as error:
        raise ModelError(f"ONNX Runtime can't load the exported file: {error}") from error
    name = session.get_inputs()[0].name

    def run(values: np.ndarray) -> np.ndarray:
        try:
            (result,) = session.run(None, {name: values})
        except _RUN_ERRORS as error:
            raise ModelError(f"the exported file doesn't run on an input of {values.shape}: {error}") from error
        return np.asarray(result)

    return run


def write_onnx(model: onnx.ModelProto, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a graph with what it says of itself."""
    onnx.helper.set_model_props(model, dict(metadata))
    path.write_bytes(model.SerializeToString())


def _random_inputs(spec: InputSpec) -> list[Pixels]:
    (height, width), step = spec.size, spec.multiple
    sizes = [(height, width)]
    if not spec.fixed:
        sizes += [(height, width + 3 * step), (height + 2 * step, width - step)]
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 3, *size, generator=generator).numpy() for size in sizes]
