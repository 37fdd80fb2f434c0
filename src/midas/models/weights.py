"""Reading and checking weight files. Nothing in a file is ever executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from midas.errors import WeightsError


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file by name.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        return load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} can't be read as safetensors: {error}") from error


def load_exactly(network: nn.Module, state: Mapping[str, Tensor], *, dropped: tuple[str, ...] = ()) -> None:
    """Fill every parameter and buffer of a network, and use up every tensor given.

    Args:
        network: filled in place.
        state: tensors by the network's own names.
        dropped: names that may stand in ``state`` and are left out on purpose.

    Raises:
        WeightsError: names are missing or left over, or shapes differ; the first ones are named.
    """
    own = network.state_dict()
    given = {name: tensor for name, tensor in state.items() if name not in dropped}
    # Counts batches only; files written before PyTorch had it lack it, and inference never reads it.
    missing = [name for name in own if name not in given and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in given if name not in own]
    reshaped = [name for name in own if name in given and own[name].shape != given[name].shape]
    for problem, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", reshaped)):
        if names:
            raise WeightsError(f"{len(names)} tensors are {problem}, first: {', '.join(names[:3])}")
    network.load_state_dict(given, strict=False)
