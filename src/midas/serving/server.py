"""The application run by uvicorn: one process or several, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from midas.errors import ConfigError
from midas.serving.app import create_app
from midas.serving.limits import KEYS_VARIABLE, OPTIONS_VARIABLE, Address, ServeOptions
from midas.serving.metrics import PROCESSES_FOLDER
from midas.serving.service import Service

# How long a balancer has to notice that this server is no longer ready, before connections are refused, in seconds.
_NOTICE_S = 1.0

# Of them uvicorn answers without looking at the request: the last fence.
_MOST_CONNECTIONS = 2000

_BACKLOG = 2048
_KEEP_ALIVE_S = 5
_MOST_HEADER_BYTES = 64 * 1024


def serve(
    address: Address, options: ServeOptions, announce: Callable[[str], None], *, access_log: bool = False
) -> None:
    """Serve until a signal asks to stop; requests that are under way are finished.

    Args:
        address: where.
        options: what.
        announce: called with the page's address once connections are taken.
        access_log: whether each request is a line of the log.

    Raises:
        MidasError: a model that can't be had, or a port that is taken.
    """
    if address.processes > 1:
        options = replace(options, films=False)
    app = create_app(options)
    app.state.service.shelf.load()
    settings: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "root_path": address.root_path,
        "http": PromptProtocol,
        "ws": "none",
        "log_level": "info" if access_log else "warning",
        "access_log": access_log,
        "server_header": False,
        "timeout_keep_alive": _KEEP_ALIVE_S,
        "timeout_graceful_shutdown": max(1, round(options.limits.drain_s)),
        "limit_concurrency": _MOST_CONNECTIONS,
        "h11_max_incomplete_event_size": _MOST_HEADER_BYTES,
    }
    if address.processes == 1:
        listening = _listen(address)
        announce(address.url(listening.getsockname()[1]))
        DrainingServer(uvicorn.Config(app, **settings)).run([listening])
        return
    if address.port == 0:
        raise ConfigError("several workers share a port: expected its number, not 0")
    _listen(address).close()  # so that a port that is taken gives our error
    announce(address.url(address.port))
    with _shared_environment(options):
        uvicorn.run("midas.serving.app:app_from_environment", factory=True, workers=address.processes, **settings)


class PromptProtocol(H11Protocol):
    """HTTP whose answers leave at once.

    An answer goes out in two pieces. By default the system holds the second back until the first is acknowledged, which
    a client on a connection that stays open does after 40 ms. asyncio turns that off for sockets that it has made
    itself, and neither ours nor those that several processes share are.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a connection."""
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class DrainingServer(uvicorn.Server):
    """A server that says that it is to stop before it refuses connections, and ends without an error."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that ask to stop; uvicorn's own raises them once more when all is done."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop: by SIGTERM with notice, by Ctrl-C at once, by a second one without waiting for anything."""
        service = _service_of(self)
        if service.is_draining and sig == signal.SIGINT:
            self.force_exit = self.should_exit = True
        elif not service.is_draining:
            service.is_draining = True
            self._stop_at = time.monotonic() + (_NOTICE_S if sig == signal.SIGTERM else 0.0)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        if time.monotonic() >= getattr(self, "_stop_at", float("inf")):
            self.should_exit = True
        return await super().on_tick(counter)


def _service_of(server: uvicorn.Server) -> Service:
    app = server.config.app
    assert isinstance(app, FastAPI)
    service: Service = app.state.service
    return service


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address.host, address.port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"{address.host}, port {address.port}, can't be listened at: {error.strerror or error}; try another --port"
        ) from error
    listening.listen(_BACKLOG)  # here, so that whoever is told the address can connect
    return listening


@contextmanager
def _shared_environment(options: ServeOptions) -> Iterator[None]:
    """What the processes find in their environment: the options, and a folder in which they count together."""
    with tempfile.TemporaryDirectory(prefix="midas-metrics-") as folder:
        os.environ.setdefault(PROCESSES_FOLDER, folder)
        os.environ[OPTIONS_VARIABLE] = options.to_json()
        os.environ[KEYS_VARIABLE] = " ".join(options.keys)
        yield
