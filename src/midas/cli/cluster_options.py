"""The options by which commands are spread over processes or a cluster."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from midas.backends import AUTO
from midas.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from midas.scale.engine import Engine

EngineOption = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="local, or ray for a cluster (midas-depth[scale]).")
]
AddressOption = Annotated[
    str | None, typer.Option("--address", metavar="A", help="Of the Ray cluster: auto, host:6379, ray://host:10001.")
]


def cluster_engine(
    name: str, address: str | None, workers: int | None = None, cores: int | None = None, device: str = AUTO
) -> Engine | None:
    """The cluster that was asked for; None for the command's own way on this machine.

    Raises:
        ConfigError: another engine, or an address without Ray.
        MissingExtraError: Ray is not installed.
    """
    if name == "local":
        if address is not None:
            raise ConfigError("--address names a Ray cluster; it goes with --engine ray")
        return None
    if name != "ray":
        raise ConfigError(f"{name!r} is no engine; expected local or ray")
    if find_spec("ray") is None:
        raise MissingExtraError("--engine ray", "scale")
    from midas.scale.engine import Engine

    return Engine("ray", address, workers, cores, device=device)
