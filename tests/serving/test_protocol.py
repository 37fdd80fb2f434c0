"""One connection: what is no HTTP, what comes too slowly, and what nobody foresaw."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from midas.serving import protocol
from midas.serving.envelope import Envelope
from midas.serving.protocol import PromptProtocol

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


async def length_of_body(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with how many bytes came."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def said(talk: Talk, app: ASGIApp = length_of_body) -> bytes:
    """What a connection gives to somebody who talks like this; nothing may be raised meanwhile."""

    async def connected() -> bytes:
        loop = asyncio.get_running_loop()
        raised: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: raised.append(context))
        config = uvicorn.Config(app, log_level="critical")
        config.load()
        listening = await loop.create_server(lambda: PromptProtocol(config, ServerState(), {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        try:
            answer = await asyncio.wait_for(talk(reader, writer), 30)
        finally:
            writer.close()
            listening.close()
        assert raised == []
        return answer

    return asyncio.run(connected())


@pytest.mark.parametrize(
    "text",
    [
        b"garbage\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a greeting of TLS\r\n\r\n",
    ],
    ids=["letters", "length", "head", "chunk", "tls"],
)
def test_what_is_no_http_is_refused_as_all_else_is(text: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(text)
        return await reader.read()

    head, _, body = said(talk).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    for line in (b"content-type: application/problem+json", b"connection: close", b"x-content-type-options: nosniff"):
        assert line in head.lower()
    assert "expected HTTP/1.1" in json.loads(body)["detail"]


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_head_that_does_not_arrive_ends_the_connection(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_HEAD_S", 0.05)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(begun)
        return await reader.read()

    assert said(talk) == b""


def test_a_head_that_came_leaves_the_body_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_HEAD_S", 0.05)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        length = b""
        for _ in range(2):  # on one connection
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.1)
            writer.write(b"abc")
            await reader.readuntil(b"\r\n\r\n")
            length = await reader.readexactly(1)
        return length

    assert said(talk) == b"3"


def test_what_nobody_foresaw_is_a_500_that_tells_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("of a private kind")

    counted: list[tuple[int, object]] = []
    envelope = Envelope(broken, lambda: False, lambda scope, status: counted.append((status, scope["state"]["reason"])))
    caplog.set_level(logging.ERROR)
    answer = TestClient(envelope).get("/any")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "nosniff" in answer.headers["x-content-type-options"]
    assert "private" not in answer.text
    assert "of a private kind" in caplog.text
    assert answer.json()["instance"].removeprefix("urn:uuid:") in caplog.text
    assert counted == [(500, "internal")]
