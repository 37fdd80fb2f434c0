"""Where work is done: what a user may ask for, and what is taken where nothing was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from midas.backends import AUTO
from midas.errors import ConfigError, MidasError, ModelError, net
from midas.scale.share import Share

ENGINES = ("auto", "local", "ray")

FEW_ITEMS = 10_000
"""Below so many pictures a cluster is dearer than what it saves: it takes ten seconds to have a first worker ready."""

Worker = Callable[[int], Any]
MakeWorker = Callable[..., Worker]
"""Called with ``share=`` alone; can be pickled."""


def made(make: MakeWorker, share: Share) -> Worker:
    """A worker, or what says at each item why there is none.

    A process or an actor that ended at its start would be begun again and again, and its reason would be lost.
    """
    try:
        with net("a worker can't be made", ModelError, "try another model, back end or device"):
            return make(share=share)
    except MidasError as error:
        return _Unmade(error)


class _Unmade:
    def __init__(self, error: MidasError) -> None:
        self._error = error

    def __call__(self, item: int) -> Any:
        raise self._error


@dataclass(frozen=True)
class Engine:
    """Where work is done.

    Attributes:
        name: ``local``, ``ray``, or ``auto``.
        address: of a Ray cluster: ``auto`` for the one that this machine belongs to, ``ray://host:10001``; None starts
            Ray here.
        workers: how many; None for what the machines have room for.
        cores: of each worker without a graphics card; None for ``midas.scale.share.CORES_PER_WORKER``.
        gpu_share: part of a graphics card that a worker takes, with Ray.
        device: what the work is to run on: ``auto`` for graphics cards and the processors of machines without one,
            ``cuda`` for cards alone, all else for processors alone.
        one_kind: no processors where there are cards: of two kinds of workers both may do an item.

    Raises:
        ConfigError: there is no such engine, or a wish that it can't fulfil.
    """

    name: str = "auto"
    address: str | None = None
    workers: int | None = None
    cores: int | None = None
    gpu_share: float = 1.0
    device: str = AUTO
    one_kind: bool = False

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise ConfigError(f"{self.name!r} is no engine; expected {', '.join(ENGINES)}")
        for name, count in (("workers", self.workers), ("cores", self.cores)):
            if count is not None and not (type(count) is int and count >= 1):
                raise ConfigError(f"{name} is {count!r}; expected a whole number from 1, or None for what fits")
        if self.address is not None and self.name == "local":
            raise ConfigError("--address names a Ray cluster; it goes with --engine ray")
        if type(self.gpu_share) not in (int, float) or not 0 < self.gpu_share <= 1:
            raise ConfigError(f"gpu_share is {self.gpu_share!r}; expected a number above 0, up to 1")
        if self.gpu_share != 1 and self.name == "local":
            raise ConfigError("--gpu-share divides the cards of a Ray cluster; it goes with --engine ray")

    @property
    def takes_cards(self) -> bool:
        """Whether workers may have graphics cards."""
        return self.device == AUTO or self.device.partition(":")[0] == "cuda"

    @property
    def takes_processors(self) -> bool:
        """Whether workers may do without one."""
        return self.device.partition(":")[0] != "cuda"

    def chosen(self, items: int) -> str:
        """Which of the two does so many pictures."""
        if self.name != "auto":
            return self.name
        return "ray" if self.address is not None or (items >= FEW_ITEMS and find_spec("ray")) else "local"
