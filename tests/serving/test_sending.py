"""Answers that nobody takes: their memory is counted, and they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from tests.serving.conftest import Client, picture
from tests.serving.test_protocol import said

from midas.serving import protocol
from midas.serving.limits import Limits
from midas.serving.sending import HeldResponse


async def asked(app: Any, send: Send) -> None:
    """A request whose answer has 40,000 values of four bytes."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/depth",
        "raw_path": b"/v1/depth",
        "query_string": b"format=npy&map-size=200x200",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": picture(), "more_body": False}

    await app(scope, receive, send)


def test_an_answer_counts_until_its_client_has_taken_it(served: Client) -> None:
    app = served(Limits(buffered_bytes=200_000)).app  # no room for two of them
    held: list[int] = []

    async def run() -> list[int]:
        service = app.state.service  # type: ignore[attr-defined]
        taken, statuses = asyncio.Event(), []

        async def slowly(message: Message) -> None:
            if message["type"] == "http.response.body":
                await taken.wait()

        async def at_once(message: Message) -> None:
            statuses.append(message.get("status"))

        first = asyncio.create_task(asked(app, slowly))
        while service._bodies._held < 160_000:
            await asyncio.sleep(0.01)
        await asked(app, at_once)
        taken.set()
        await first
        held.append(service._bodies._held)
        await asked(app, at_once)
        held.append(service._bodies._held)
        return [status for status in statuses if status]

    assert asyncio.run(run()) == [503, 200]
    assert held == [0, 0]


def test_a_client_that_goes_in_the_middle_frees_its_answer() -> None:
    freed: list[bool] = []
    pieces: list[int] = []

    async def send(message: Message) -> None:
        pieces.append(len(message.get("body", b"")))
        if len(pieces) == 3:
            raise OSError("it has gone")

    async def receive() -> Message:
        raise AssertionError

    response = HeldResponse(bytes(1_000_000), {}, "application/x-npy", lambda: freed.append(True))
    with pytest.raises(OSError, match="gone"):
        asyncio.run(response({"type": "http"}, receive, send))
    assert freed == [True]
    assert max(pieces) < 300_000


async def much(scope: Scope, receive: Receive, send: Send) -> None:
    """An application whose answers no system takes at once."""
    await HeldResponse(bytes(50_000_000), {}, "application/x-npy", lambda: None)(scope, receive, send)


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_TAKE_S", 0.1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(0.5)  # the reader takes 128 KB by itself, and no more
        size = 0
        try:
            while piece := await reader.read(1 << 20):
                size += len(piece)
        except ConnectionResetError:
            pass
        return str(size).encode()

    assert 0 < int(said(talk, much)) < 50_000_000


def test_a_client_that_takes_its_answer_slowly_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_TAKE_S", 5.0)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        size = 0
        while piece := await reader.read(1 << 20):
            size += len(piece)
            if size < 5_000_000:
                await asyncio.sleep(0.005)
        return str(size).encode()

    assert int(said(talk, much)) > 50_000_000
