"""Graphs without float64, for runtimes that lack it: onnxruntime-web on a graphics card has no cast to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

_FLOAT, _DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE


def in_single_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with float32 wherever it has float64.

    What this package's graphs compute in float64 are the weights with which a picture is resized. In float32 they are
    off by 1e-4 at most, and maps of pictures of up to a thousand pixels by a five-thousandth of their range. Where a
    picture smaller than the network's input grows, single rows may be taken from the pixel beside the one meant.

    Args:
        model: without inputs and outputs of float64.

    Raises:
        onnx.checker.ValidationError: the graph isn't one without float64.
    """
    single = onnx.ModelProto()
    single.CopyFrom(model)
    for attribute in (each for node in single.graph.node for each in node.attribute):
        if attribute.name == "to" and attribute.i == _DOUBLE:
            attribute.i = _FLOAT
        if attribute.HasField("t") and attribute.t.data_type == _DOUBLE:
            attribute.t.CopyFrom(_narrowed(attribute.t))
    for tensor in single.graph.initializer:
        if tensor.data_type == _DOUBLE:
            tensor.CopyFrom(_narrowed(tensor))
    del single.graph.value_info[:]  # their types are inferred anew
    onnx.checker.check_model(single, full_check=True)
    return single


def narrowed_file(path: Path) -> bytes:
    """What an ONNX file holds, as the bytes of one without float64."""
    content: bytes = in_single_precision(onnx.load(path)).SerializeToString()
    return content


def _narrowed(tensor: onnx.TensorProto) -> onnx.TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)
