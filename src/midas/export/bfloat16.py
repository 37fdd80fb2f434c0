"""Graphs whose weights are stored in bfloat16."""

from __future__ import annotations

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

# Biases and the like: they are few, and some of them are sizes and steps rather than weights.
_FEWEST_VALUES = 1024


def store_as_bfloat16(model: onnx.ModelProto, exact_until: str | None = None) -> None:
    """Keep a graph's weights in bfloat16, in place; whoever runs it computes in float32 all the same.

    ONNX Runtime has no convolution in bfloat16, so that this is what the format is good for there: half the file.

    Args:
        model: the graph, in float32.
        exact_until: weights are kept of all nodes up to the last one whose name begins so.
    """
    kept = _weights_until(model.graph, exact_until)
    casts = []
    for initializer in model.graph.initializer:
        if initializer.data_type != TensorProto.FLOAT or initializer.name in kept:
            continue
        values = numpy_helper.to_array(initializer)
        if values.size < _FEWEST_VALUES:
            continue
        name = initializer.name
        stored = torch.from_numpy(values.copy()).to(torch.bfloat16).view(torch.int16).numpy()
        initializer.CopyFrom(
            helper.make_tensor(f"{name}.bfloat16", TensorProto.BFLOAT16, values.shape, stored.tobytes(), raw=True)
        )
        casts.append(helper.make_node("Cast", [initializer.name], [name], f"{name}/cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _weights_until(graph: onnx.GraphProto, scope: str | None) -> set[str]:
    """What the nodes up to the last one of a scope read, weights among it."""
    if scope is None:
        return set()
    inside = [index for index, node in enumerate(graph.node) if node.name.startswith(scope)]
    return {name for node in graph.node[: inside[-1] + 1] for name in node.input} if inside else set()
