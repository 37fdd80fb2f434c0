"""Export to ONNX: any batch, any legal size, with the input rule in the file, so that a path is all one needs."""

from __future__ import annotations

import logging
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_state

from midas.atomic import atomic_file
from midas.errors import ModelError
from midas.models.network import DepthNetwork
from midas.models.onnx_names import INPUT_KEY, INPUT_NAME, LICENCE_KEY, NAME_KEY, OUTPUT_NAME
from midas.models.specs import ModelSpec

OPSET = 18
_RUN_ERRORS = (runtime_state.Fail, runtime_state.InvalidArgument, runtime_state.RuntimeException)
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
    """Write a network as ONNX and compare the file with it on inputs of three sizes.

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
    model = _trace(network, spec)
    for key, value in (
        (NAME_KEY, spec.name),
        (INPUT_KEY, spec.input.to_metadata()),
        (LICENCE_KEY, spec.weights.licence),
    ):
        model.metadata_props.add(key=key, value=value)
    content = model.SerializeToString()
    report = _compare(network, spec, content, path)
    if report.largest_difference > LARGEST_DIFFERENCE:
        raise ModelError(
            f"the exported file departs from the network by {report.largest_difference:.1e} of the output's range, "
            f"more than {LARGEST_DIFFERENCE:.0e}: it was not written"
        )
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(content)
    return report


def _trace(network: DepthNetwork, spec: ModelSpec) -> onnx.ModelProto:
    pixels = torch.zeros(1, 3, *spec.input.size)
    axes = {INPUT_NAME: {0: "B"}, OUTPUT_NAME: {0: "B"}}
    if not spec.input.fixed:
        axes = {INPUT_NAME: {0: "B", 2: "H", 3: "W"}, OUTPUT_NAME: {0: "B", 1: "H", 2: "W"}}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
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


def _compare(network: DepthNetwork, spec: ModelSpec, content: bytes, path: Path) -> ExportReport:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    height, width = spec.input.size
    step = spec.input.multiple
    sizes: tuple[tuple[int, int], ...] = ((height, width),)
    if not spec.input.fixed:
        sizes = (*sizes, (height, width + 3 * step), (height + 2 * step, width - step))
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    for size in sizes:
        pixels = torch.randn(2, 3, *size, generator=generator)
        with torch.inference_mode():
            expected = network(pixels).numpy()
        try:
            (actual,) = session.run(None, {INPUT_NAME: pixels.numpy()})
        except _RUN_ERRORS as error:
            raise ModelError(f"the exported file doesn't run at {size[0]}x{size[1]}: {error}") from error
        spread = max(float(np.ptp(expected)), 1e-12)
        largest = max(largest, float(np.abs(actual - expected).max()) / spread)
    return ExportReport(path, largest, sizes)
