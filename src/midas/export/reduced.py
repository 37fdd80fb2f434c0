"""Half precision: a network that computes in it, and a graph that is only stored in it."""

from __future__ import annotations

import copy

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from midas.models.network import DepthNetwork

# Biases and the like: they are few, and some of them are sizes and steps rather than weights.
_FEWEST_VALUES = 1024


class ReducedNetwork(nn.Module):
    """A network in half precision but for its head, as the torch backend computes it; float32 in, float32 out.

    Args:
        network: stays as it is; its parts are copied.
        dtype: ``torch.float16`` or ``torch.bfloat16``.
    """

    def __init__(self, network: DepthNetwork, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.encoder, self.reassemble, self.decoder = (
            copy.deepcopy(part).to(dtype) for part in (network.encoder, network.reassemble, network.decoder)
        )
        self.head = network.head

    def forward(self, pixels: Tensor) -> Tensor:
        """Relative disparity (B, H, W) of normalised pixels (B, 3, H, W)."""
        maps = self.reassemble(self.encoder(pixels.to(self.dtype)))
        disparity: Tensor = self.head(self.decoder(maps).float())
        return disparity


def store_as_bfloat16(model: onnx.ModelProto) -> None:
    """Keep a graph's weights in bfloat16, in place; whoever runs it computes in float32 all the same.

    ONNX Runtime has no convolution in bfloat16, so that this is what the format is good for there: half the file.
    """
    casts = []
    for initializer in model.graph.initializer:
        if initializer.data_type != TensorProto.FLOAT:
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
