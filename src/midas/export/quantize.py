"""Post-training quantisation to 8-bit integers, calibrated on pictures.

Weights get one scale per output channel and are symmetric; activations get one scale and an offset per tensor, from the
smallest and largest value seen. docs/export.md has what was tried and what it cost.
"""

from __future__ import annotations

import io
import logging
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from midas.backends.runtimes import import_runtime
from midas.errors import MissingExtraError, ModelError
from midas.export.verify import Pixels
from midas.models.onnx_names import INPUT_NAME

# Ranges stop growing well before this many, and calibration keeps all activations of a picture at a time.
CALIBRATION_PICTURES = 96

EXTRA = "int8"


class _Inputs:
    """The network's inputs one by one, as ONNX Runtime's quantiser asks for them."""

    def __init__(self, inputs: Sequence[Pixels]) -> None:
        self._inputs = inputs
        self.rewind()

    def get_next(self) -> dict[str, Any] | None:
        """The next input, or None at the end."""
        pixels = next(self._rest, None)
        return None if pixels is None else {INPUT_NAME: pixels}

    def rewind(self) -> None:
        """Begin again."""
        self._rest = iter(self._inputs)


def quantize_onnx(
    model: onnx.ModelProto, inputs: Sequence[Pixels], float_parts: tuple[str, ...] = ()
) -> onnx.ModelProto:
    """The graph with pairs of QuantizeLinear and DequantizeLinear, which runtimes turn into integer arithmetic.

    Args:
        model: the network in float32.
        inputs: made from pictures like those that it will see.
        float_parts: nodes whose names begin so stay in float32.
    """
    _check_inputs(inputs)
    quantization = import_runtime("onnxruntime.quantization")
    shape_inference = import_runtime("onnxruntime.quantization.shape_inference")
    with tempfile.TemporaryDirectory() as folder, _silence():
        source, folded, target = (Path(folder) / f"{name}.onnx" for name in ("source", "folded", "target"))
        source.write_bytes(model.SerializeToString())
        shape_inference.quant_pre_process(str(source), str(folded), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(folded), str(target), _Inputs(inputs), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            nodes_to_exclude=[node.name for node in onnx.load(folded).graph.node if node.name.startswith(float_parts)],
            activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
        )  # fmt: skip
        return onnx.load(target)


def quantize_openvino(graph: Any, inputs: Sequence[Pixels], float_parts: tuple[str, ...] = ()) -> Any:
    """OpenVINO's graph with 8-bit convolutions and products, their biases corrected, by NNCF.

    Args:
        graph: the network in float32.
        inputs: made from pictures like those that it will see.
        float_parts: operations whose names begin so stay in float32.

    Raises:
        MissingExtraError: NNCF is not installed.
    """
    _check_inputs(inputs)
    if find_spec("nncf") is None:
        raise MissingExtraError("int8 for OpenVINO", EXTRA)
    with _silence():
        nncf = import_runtime("nncf")
        dataset = nncf.Dataset([np.ascontiguousarray(pixels) for pixels in inputs])
        kept = nncf.IgnoredScope(patterns=[f"^{re.escape(part)}.*" for part in float_parts], validate=False)
        return nncf.quantize(
            graph, dataset, subset_size=len(inputs), preset=nncf.QuantizationPreset.MIXED, ignored_scope=kept
        )


def _check_inputs(inputs: Sequence[Pixels]) -> None:
    if not inputs:
        raise ModelError("int8 needs pictures to calibrate on; expected at least one")


@contextmanager
def _silence() -> Iterator[None]:
    """Without the progress, the advice and the warnings of quantisers: what counts is measured afterwards."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
