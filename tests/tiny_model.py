"""A network small enough to write in a test, whose output can be told from its input."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from midas.preprocess import InputSpec

INPUT = InputSpec(size=(64, 64), resize="lower_bound", interpolation="area")


def write_tiny_model(
    path: Path, *, metadata: dict[str, str] | None = None, output_name: str = "disparity", logarithm: bool = False
) -> Path:
    """Write a model whose disparity is the mean of the three channels, so that bright is near.

    With ``logarithm`` it is the logarithm of that, which is no number for a picture darker than middle grey.
    """
    mean = "mean" if logarithm else output_name
    nodes = [helper.make_node("ReduceMean", ["pixels"], [mean], axes=[1], keepdims=0)]
    if logarithm:
        nodes.append(helper.make_node("Log", [mean], [output_name]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["B", 3, "H", "W"])],
        [helper.make_tensor_value_info(output_name, TensorProto.FLOAT, ["B", "H", "W"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    described = {"midas.input": INPUT.to_metadata(), "midas.name": "tiny"} if metadata is None else metadata
    helper.set_model_props(model, described)
    onnx.save(model, str(path))
    return path
