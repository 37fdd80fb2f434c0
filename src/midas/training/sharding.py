"""Networks that don't fit one device: parameters, gradients and optimiser state lie in pieces on all of them (FSDP).

PyTorch's ``fully_shard``, in place of Lightning's strategy of that name, which is for GPUs only and can't be tried
without one. What is saved is whole, so that a run may be resumed on another number of devices.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

# Parts with fewer parameters are gathered together with what they are in: each gathering costs a message.
SMALLEST_UNIT = 100_000

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
_SPREAD = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)


def shard(network: nn.Module) -> None:
    """Spread a network over all processes, block by block; forward and backward gather a block when they need it.

    All processes must call this, and from then on every forward, with the same blocks in the same order.
    """
    network.to(memory_format=torch.contiguous_format)  # what lies otherwise can't be cut into pieces
    for unit in _units(network):
        fully_shard(unit)
    # By default the outermost part stays gathered after a forward, where the running average could not be updated.
    fully_shard(network, reshard_after_forward=True)


def is_sharded(network: nn.Module) -> bool:
    """Whether a network is spread over processes."""
    return isinstance(network, FSDPModule)


def exchange_gradients(network: nn.Module, *, enabled: bool) -> None:
    """Whether the next backward of a sharded network sums its gradients over processes or keeps them for later."""
    if isinstance(network, FSDPModule):
        network.set_requires_gradient_sync(enabled)


def whole_state(network: nn.Module) -> dict[str, Any]:
    """A network's weights, whole; of a sharded one in the first process alone, and all must call."""
    return get_model_state_dict(network, options=_WHOLE) if is_sharded(network) else network.state_dict()


def load_whole_state(network: nn.Module, state: dict[str, Any]) -> None:
    """The inverse of ``whole_state``; all processes give the same state."""
    if is_sharded(network):
        set_model_state_dict(network, state, options=_SPREAD)
    else:
        network.load_state_dict(state)


def whole_optimizer_state(network: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """An optimiser's state, whole; of a sharded network by names of parameters, and as ``whole_state`` there."""
    if not is_sharded(network):
        return optimizer.state_dict()
    return get_optimizer_state_dict(network, optimizer, options=_WHOLE)


def load_whole_optimizer_state(network: nn.Module, optimizer: Optimizer, state: dict[str, Any]) -> None:
    """The inverse of ``whole_optimizer_state``."""
    if is_sharded(network):
        set_optimizer_state_dict(network, optimizer, state, options=_SPREAD)
    else:
        optimizer.load_state_dict(state)


def average_of(network: nn.Module, decay: float, *, sharded: bool) -> AveragedModel:
    """A running average of a network's weights and buffers.

    Args:
        network: not yet sharded.
        decay: weight of the past.
        sharded: it will be; its pieces and its buffers then can't be averaged in one go.
    """
    if not sharded:
        every: Any = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        return AveragedModel(network, multi_avg_fn=every, use_buffers=True)

    def one(past: Tensor, present: Tensor, _: Tensor | int) -> Tensor:
        return torch.lerp(past, present, 1 - decay) if past.is_floating_point() else present

    return AveragedModel(network, avg_fn=one, use_buffers=True)


def _units(module: nn.Module) -> list[nn.Module]:
    """The outermost blocks of any row of blocks. A layer within a block may be used without being called."""
    units = []
    for child in module.children():
        if isinstance(module, nn.Sequential | nn.ModuleList) and _size(child) >= SMALLEST_UNIT:
            units.append(child)
        else:
            units += _units(child)
    return units


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
