"""What of a machine one worker may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from midas.backends import AUTO

CORES_PER_WORKER = 4
"""Cores of a worker without a graphics card. A network of a few million parameters gains little from more threads,
while decoding and encoding have one or a few each: several workers keep more cores busy than one."""


# NVIDIA's driver on Linux, AMD's, NVIDIA's on Windows.
_SIGNS_OF_A_CARD = ("/dev/nvidiactl", "/dev/kfd", "C:/Windows/System32/nvcuda.dll")


@dataclass(frozen=True)
class Share:
    """A part of a machine.

    Attributes:
        cores: threads of the network; 0 for as many as there are.
        device: what ``auto`` means here.
    """

    cores: int = 0
    device: str = "cpu"


def cores_here() -> list[int]:
    """The numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def core_groups(cores: list[int], per_worker: int) -> list[list[int]]:
    """Cores in groups of so many; those left over go to the last."""
    count = max(1, len(cores) // max(1, per_worker))
    size = len(cores) // count
    return [cores[index * size : None if index == count - 1 else (index + 1) * size] for index in range(count)]


def graphics_device() -> str:
    """``cuda`` where PyTorch has a card; else ``auto``, which is the processor for all that doesn't need PyTorch."""
    # PyTorch takes seconds to import, and most machines have no card.
    if find_spec("torch") is None or not any(Path(path).exists() for path in _SIGNS_OF_A_CARD):
        return AUTO
    from midas.backends.torch_devices import find_device

    return "cuda" if find_device(AUTO).type == "cuda" else AUTO
