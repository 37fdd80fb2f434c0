"""Where work is done: what a user may ask for, and what is taken where nothing was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from midas.errors import ConfigError

ENGINES = ("auto", "local", "ray")

FEW_ITEMS = 10_000
"""Below so many pictures a cluster is dearer than what it saves: it takes ten seconds to have a first worker ready."""

Worker = Callable[[int], Any]
MakeWorker = Callable[..., Worker]
"""Called with ``share=`` alone; can be pickled."""


@dataclass(frozen=True)
class Engine:
    """Where work is done.

    Attributes:
        name: ``local``, ``ray``, or ``auto``.
        address: of a Ray cluster: ``auto`` for the one that this machine belongs to, ``ray://host:10001``; None starts
            Ray here.
        workers: how many; None for what the machines have room for.
        cores: of each worker without a graphics card; None for ``midas.scale.share.CORES_PER_WORKER``.
        gpu_share: part of a graphics card that a worker takes.
    """

    name: str = "auto"
    address: str | None = None
    workers: int | None = None
    cores: int | None = None
    gpu_share: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise ConfigError(f"{self.name!r} is no engine; expected {', '.join(ENGINES)}")
        if self.address is not None and self.name == "local":
            raise ConfigError("--address names a Ray cluster; it goes with --engine ray")
        if not 0 < self.gpu_share <= 1:
            raise ConfigError(f"a worker's share of a graphics card is {self.gpu_share}; expected more than 0, up to 1")

    def chosen(self, items: int) -> str:
        """Which of the two does so many pictures."""
        if self.name != "auto":
            return self.name
        return "ray" if self.address is not None or (items >= FEW_ITEMS and find_spec("ray")) else "local"
