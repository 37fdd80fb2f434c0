"""A network small enough to write in a test, whose output can be told from its input."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from midas.pictures.preprocess import InputSpec

INPUT = InputSpec(size=(64, 64), resize="lower_bound", interpolation="area")
METADATA = {"midas.input": INPUT.to_metadata(), "midas.name": "tiny"}


@dataclass(frozen=True)
class TinyGraph:
    """A graph whose disparity is the mean of the three channels, so that bright is near.

    Attributes:
        metadata: what the file says of itself.
        input_name, output_name: what its input and output are called.
        shape: (batch, height, width) that it takes; a name stands for any number.
        channels: of the input.
        keep_channel: whether the output is (B, 1, H, W) and not (B, H, W).
        logarithm: whether the output is 1 + log of the mean, which is no number for a picture darker than middle grey.
    """

    metadata: dict[str, str] = field(default_factory=METADATA.copy)
    input_name: str = "pixels"
    output_name: str = "disparity"
    shape: tuple[int | str, int | str, int | str] = ("B", "H", "W")
    channels: int = 3
    keep_channel: bool = False
    logarithm: bool = False

    def write(self, path: Path) -> Path:
        """Write the file."""
        batch, height, width = self.shape
        mean = "mean" if self.logarithm else self.output_name
        nodes = [helper.make_node("ReduceMean", [self.input_name], [mean], axes=[1], keepdims=int(self.keep_channel))]
        if self.logarithm:
            one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
            nodes.append(helper.make_node("Log", [mean], ["logarithm"]))
            nodes.append(helper.make_node("Constant", [], ["one"], value=one))
            nodes.append(helper.make_node("Add", ["logarithm", "one"], [self.output_name]))
        taken = [batch, self.channels, height, width]
        given = [batch, 1, height, width] if self.keep_channel else [batch, height, width]
        graph = helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info(self.input_name, TensorProto.FLOAT, taken)],
            [helper.make_tensor_value_info(self.output_name, TensorProto.FLOAT, given)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, self.metadata)
        onnx.save(model, str(path))
        return path


def write_tiny_model(path: Path, *, metadata: dict[str, str] | None = None, logarithm: bool = False) -> Path:
    """Write the graph under the names and with the metadata of an exported file."""
    return TinyGraph(METADATA if metadata is None else metadata, logarithm=logarithm).write(path)
