"""PyTorch's devices and number formats by name: without the networks, whose libraries take as long to import again."""

from __future__ import annotations

import warnings

import torch

from midas.backends.options import check_precision
from midas.errors import ModelError

# In the order in which "auto" looks for them.
_DEVICES = {"cuda": torch.cuda, "mps": torch.mps, "xpu": torch.xpu, "cpu": torch.cpu}

# "auto" is float32 wherever nothing else is known of a network: the others change values in the second or third digit.
_DTYPES = {
    "auto": torch.float32,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def find_device(name: str) -> torch.device:
    """The device of that name, or the best one there is.

    Raises:
        ModelError: there is none; the message lists those there are.
    """
    counts = {kind: module.device_count() for kind, module in _DEVICES.items()}
    if name == "auto":
        return torch.device(next(kind for kind, count in counts.items() if count))
    there = [kind for kind, count in counts.items() if count]
    there += [f"{kind}:{index}" for kind in there if kind != "cpu" for index in range(counts[kind])]
    if name not in there:
        raise ModelError(
            f"PyTorch finds no device {name!r} here; there are: auto, {', '.join(there)}. "
            "Others need their hardware, its driver, and a PyTorch that was built for it"
        )
    return torch.device(name)


def find_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The number format of that name.

    Raises:
        ModelError: there is none, or the device doesn't compute in it.
    """
    check_precision(precision)
    dtype = _DTYPES[precision]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # some devices refuse by going on in float32 with a warning
            torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)
    except (RuntimeError, UserWarning) as error:
        raise ModelError(f"{device} doesn't compute in {precision} ({error}); use 'float32'") from error
    return dtype
