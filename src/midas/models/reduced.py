"""A network made ready for a reduced precision: which weights are rounded once, and which modules keep float32."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from midas.errors import ModelError
from midas.models.folding import fold_batch_norm
from midas.models.network import DepthNetwork

# What PyTorch's autocast computes in the reduced precision; all else it leaves, or brings back to float32.
_ROUNDED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class Exact(nn.Module):
    """A module that computes in float32 whatever precision is in force around it.

    Args:
        module: the module.
        result: the precision of what it gives; None is float32.
    """

    def __init__(self, module: nn.Module, result: torch.dtype | None = None) -> None:
        super().__init__()
        self.module = module
        self.result = result

    def forward(self, feature: Tensor) -> Tensor:
        """What the module gives for the feature in float32."""
        with torch.autocast(feature.device.type, enabled=False):
            exact: Tensor = self.module(feature.float())
        return exact if self.result is None else exact.to(self.result)


class ReducedNetwork(nn.Module):
    """A network that computes in a reduced precision by itself, for files that run without autocast.

    It takes and gives float32. The head keeps float32, as it does everywhere, and so does what comes before the end of
    a module. Batch normalisations are folded into convolutions first.

    Args:
        network: in evaluation mode, float32, on the CPU; stays as it is.
        dtype: ``torch.float16`` or ``torch.bfloat16``.
        until: name of that module; None for nothing but the head.

    Raises:
        ModelError: the network has no such module.
    """

    def __init__(self, network: DepthNetwork, dtype: torch.dtype, until: str | None = None) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        self.pixels = torch.float32 if until else dtype
        fold_batch_norm(self.network)
        if until:
            keep_exact(self.network, until, dtype)
        kept = _exact_parts(self.network)
        for module in self.network.modules():
            if module not in kept:
                for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                    tensor.data = tensor.data.to(dtype) if tensor.is_floating_point() else tensor.data

    def forward(self, pixels: Tensor) -> Tensor:
        """Relative disparity (B, H, W) of normalised pixels (B, 3, H, W)."""
        disparity: Tensor = self.network(pixels.to(self.pixels))
        return disparity


def keep_exact(network: DepthNetwork, until: str, result: torch.dtype | None = None) -> None:
    """Let every layer that rounds its weights, from the first to the last one of a module, compute in float32.

    Args:
        network: changed in place.
        until: name of that module.
        result: the precision of what these layers give; None is float32, as autocast expects it.

    Raises:
        ModelError: the network has no such module.
    """
    rounded = [name for name, module in network.named_modules() if isinstance(module, _ROUNDED)]
    inside = [index for index, name in enumerate(rounded) if name.startswith(f"{until}.")]
    if not inside:
        raise ModelError(f"the network has no module {until!r} with a layer that could keep float32")
    for name in rounded[: inside[-1] + 1]:
        parent, _, own_name = name.rpartition(".")
        setattr(network.get_submodule(parent), own_name, Exact(network.get_submodule(name), result))


def round_weights(network: DepthNetwork, dtype: torch.dtype) -> None:
    """Round the weights once that autocast would round at every run; the head and exact modules keep theirs.

    Args:
        network: changed in place.
        dtype: of the weights from now on.
    """
    kept = _exact_parts(network)
    for module in network.modules():
        if isinstance(module, _ROUNDED) and module not in kept:
            module.to(dtype)


def _exact_parts(network: DepthNetwork) -> set[nn.Module]:
    """All modules that keep float32: the head's, and the exact ones."""
    kept = {module for part in network.modules() if isinstance(part, Exact) for module in part.modules()}
    kept.update(network.head.modules())
    return kept
