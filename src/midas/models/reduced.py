"""A network made ready for a reduced precision: which weights are rounded once, and which modules keep float32."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from midas.errors import ModelError
from midas.models.network import DepthNetwork

# What PyTorch's autocast computes in the reduced precision; all else it leaves, or brings back to float32.
_ROUNDED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class Exact(nn.Module):
    """A module that computes in float32 whatever precision is in force around it.

    Args:
        module: the module.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, feature: Tensor) -> Tensor:
        """What the module gives for the feature in float32."""
        with torch.autocast(feature.device.type, enabled=False):
            exact: Tensor = self.module(feature.float())
        return exact


def keep_exact(network: DepthNetwork, until: str) -> None:
    """Let every layer that rounds its weights, from the first to the last one of a module, compute in float32.

    Args:
        network: changed in place.
        until: name of that module.

    Raises:
        ModelError: the network has no such module.
    """
    rounded = [name for name, module in network.named_modules() if isinstance(module, _ROUNDED)]
    inside = [index for index, name in enumerate(rounded) if name.startswith(f"{until}.")]
    if not inside:
        raise ModelError(f"the network has no module {until!r} with a layer that could keep float32")
    for name in rounded[: inside[-1] + 1]:
        parent, _, own_name = name.rpartition(".")
        setattr(network.get_submodule(parent), own_name, Exact(network.get_submodule(name)))


def round_weights(network: DepthNetwork, dtype: torch.dtype) -> None:
    """Round the weights once that autocast would round at every run; the head and exact modules keep theirs.

    Args:
        network: changed in place.
        dtype: of the weights from now on.
    """
    kept = {module for part in network.modules() if isinstance(part, Exact) for module in part.modules()}
    kept.update(network.head.modules())
    for module in network.modules():
        if isinstance(module, _ROUNDED) and module not in kept:
            module.to(dtype)
