"""The application run by uvicorn: one process or several, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from midas.errors import ConfigError, MidasError, reason_of
from midas.serving.app import app_from_environment, create_app
from midas.serving.limits import KEYS_VARIABLE, OPTIONS_VARIABLE, Address, ServeOptions
from midas.serving.metrics import PROCESSES_FOLDER
from midas.serving.protocol import PromptProtocol
from midas.serving.service import Service

# How long a balancer has to notice that this server is no longer ready, before connections are refused, in seconds.
_NOTICE_S = 1.0

# After how long a thread that runs Python lets another one do so, in seconds. The loop that answers gives the
# interpreter away with every call of the system, a dozen times a request; by default it waits up to 5 ms each time.
_SWITCH_S = 0.0005

_BACKLOG = 2048
_KEEP_ALIVE_S = 5
_MOST_HEADER_BYTES = 64 * 1024


def serve(
    address: Address, options: ServeOptions, announce: Callable[[str, str], None], *, access_log: bool = False
) -> None:
    """Serve until a signal asks to stop; requests that are under way are finished.

    Args:
        address: where.
        options: what.
        announce: called once connections are taken, with the page's address and with what the models run on.
        access_log: whether each request is a line of the log.

    Raises:
        MidasError: a model that can't be had, or a port that is taken.
    """
    if address.processes > 1:
        options = replace(options, films=False)
    app = create_app(options)
    app.state.service.shelf.load()
    runs_on = app.state.service.runs_on()
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
        "h11_max_incomplete_event_size": _MOST_HEADER_BYTES,
    }
    if address.processes == 1:
        _be_prompt()
        listening = _listen(address)
        announce(address.url(listening.getsockname()[1]), runs_on)
        DrainingServer(uvicorn.Config(app, **settings)).run([listening])
        return
    if address.port == 0:
        raise ConfigError("several workers share a port: expected its number, not 0")
    _listen(address).close()  # so that a port that is taken gives our error
    announce(address.url(address.port), runs_on)
    with _shared_environment(options):
        uvicorn.run("midas.serving.server:app_of_process", factory=True, workers=address.processes, **settings)


def app_of_process() -> FastAPI:
    """The application of one of several processes: by the options in the environment, with notice before it stops.

    Raises:
        ConfigError: as ``ServeOptions.from_environment``.
    """
    app = app_from_environment()
    usual = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with usual(app) as state:
            threading.Thread(target=_be_prompt_once_loaded, args=(app.state.service,), daemon=True).start()
            with _notice_before_stop(app.state.service, asyncio.get_running_loop()):
                yield state

    app.router.lifespan_context = lifespan
    return app


@contextmanager
def _notice_before_stop(service: Service, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Between SIGTERM and what uvicorn does about it, say for a while that this process is not ready any more."""
    uvicorns = signal.getsignal(signal.SIGTERM)

    def notice(number: int, frame: FrameType | None) -> None:
        if not callable(uvicorns):
            return
        if service.is_draining:
            uvicorns(number, frame)
        else:
            service.is_draining = True
            loop.call_soon_threadsafe(loop.call_later, _NOTICE_S, uvicorns, number, None)

    signal.signal(signal.SIGTERM, notice)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, uvicorns)


def _be_prompt_once_loaded(service: Service) -> None:
    with suppress(MidasError):  # the thread that loads them tells of it
        service.shelf.load()
    _be_prompt()


def _be_prompt() -> None:
    """Keep what stops a whole process from stopping the loop that answers; for processes that do nothing else.

    76,000 objects of packages and models stay to the end. A full collection would look at each of them again: 33 ms of
    a core, several times as long where others want it too, in which no thread runs Python. Frozen ones cost nothing.
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()


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
    except (OSError, UnicodeError, OverflowError) as error:  # names that are none, ports beyond 65535
        listening.close()
        raise ConfigError(
            f"{address.host}, port {address.port}, can't be listened at: {reason_of(error)}; try another --port"
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
