"""What goes round every answer: a number, the headers that guard a page, an end that the client hears, and a net."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from midas.errors import MidasError, net
from midas.serving.problems import ServingError, problem_of, problem_response

_log = logging.getLogger("midas.serving")

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
GUARDS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of every answer."""

# What the API says holds now, and for who asked; files of the page say otherwise themselves.
_DEFAULTS = {**GUARDS, "Cache-Control": "no-store"}

# What a client still sends when it is refused already is taken and thrown away, for so long and so much: a connection
# that is closed before is a reset to the client, in place of an answer.
_LINGER_S = 2.0
_LINGER_BYTES = 100_000_000

_TOO_SLOW = 408


class Envelope:
    """An ASGI application around another.

    Args:
        app: the other.
        is_draining: whether connections are to end with their answer.
        count: called with the scope and the status of each answer.
    """

    def __init__(self, app: ASGIApp, is_draining: Callable[[], bool], count: Callable[[Scope, int], None]) -> None:
        self._app = app
        self._is_draining = is_draining
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        scope.setdefault("state", {}).update(request_id=request_id, format="none")
        body = _Body(receive)
        has_begun = False

        async def send_enveloped(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._count(scope, message["status"])
                if message["status"] >= 400 and message["status"] != _TOO_SLOW:
                    await body.discard()
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _DEFAULTS.items():
                    headers.setdefault(name, value)
                if self._is_draining():
                    headers["Connection"] = "close"
            await send(message)

        try:
            with net("the request can't be answered", ServingError):
                await self._app(scope, body.receive, send_enveloped)
        except MidasError as error:  # nobody foresaw it
            _log.error("request %s failed: %s", request_id, error, exc_info=error)
            if has_begun:
                raise  # a server can only cut the connection now
            scope["state"]["reason"] = "internal"
            answer = problem_response(problem_of(error), request_id, scope.get("root_path", ""))
            await answer(scope, receive, send_enveloped)


class _Body:
    """A request's body on its way, and whether there is more of it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_over = False

    async def receive(self) -> Message:
        """The next message."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._is_over = True
        return message

    async def discard(self) -> None:
        """Throw away what is left, within bounds."""
        if self._is_over:
            return
        try:
            await asyncio.wait_for(self._read_on(), _LINGER_S)
        except asyncio.TimeoutError:
            return

    async def _read_on(self) -> None:
        size = 0
        while not self._is_over and size <= _LINGER_BYTES:
            size += len((await self.receive()).get("body", b""))
