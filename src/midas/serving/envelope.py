"""What goes round every answer: a number, the headers that guard a page, an end that is heard, one form of refusal."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from midas.errors import MidasError, net
from midas.serving.problems import MEDIA_TYPE, ProblemError, ServingError, problem_of, problem_response

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

# What a refusal of somebody else's says to machines, and ours in its place says too.
_KEPT = (
    *("allow", "content-range", "retry-after", "vary", "www-authenticate"),
    *("access-control-allow-origin", "access-control-expose-headers"),
)


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
        scope.setdefault("state", {}).update(request_id=str(uuid.uuid4()), format="none")
        body = _Body(receive)
        answer = _Answer(scope, body, send, self._is_draining, self._count)
        try:
            with net("the request can't be answered", ServingError):
                await self._app(scope, body.receive, answer.send_on)
        except MidasError as error:
            if not isinstance(error, ProblemError):  # nobody foresaw it
                _log.error("request %s failed: %s", scope["state"]["request_id"], error, exc_info=error)
            if answer.has_begun:
                raise  # a server can only cut the connection now
            await answer.refuse(problem_of(error))


class _Answer:
    """An answer on its way.

    Args:
        scope: of the request.
        body: of the request.
        send: to the client.
        is_draining, count: as for ``Envelope``.

    Attributes:
        has_begun: whether the client has its status already.
    """

    def __init__(
        self,
        scope: Scope,
        body: _Body,
        send: Send,
        is_draining: Callable[[], bool],
        count: Callable[[Scope, int], None],
    ) -> None:
        self._scope, self._body, self._send = scope, body, send
        self._is_draining, self._count = is_draining, count
        self._is_replaced = False
        self.has_begun = False

    async def send_on(self, message: Message) -> None:
        """Send what the application says; a refusal that isn't in our form, in our form."""
        if message["type"] == "http.response.start":
            problem = _in_our_form(self._scope, message)
            if problem is not None:
                self._is_replaced = True
                await self.refuse(problem)
        if not self._is_replaced:
            await self._send_enveloped(message)

    async def refuse(self, problem: ProblemError) -> None:
        """Send a refusal."""
        state = self._scope["state"]
        state["reason"] = problem.reason
        response = problem_response(problem, state["request_id"], self._scope.get("root_path", ""))
        await response(self._scope, self._body.receive, self._send_enveloped)

    async def _send_enveloped(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            self._count(self._scope, message["status"])
            if message["status"] >= 400 and message["status"] != _TOO_SLOW:
                await self._body.discard()
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._scope["state"]["request_id"]
            for name, value in _DEFAULTS.items():
                headers.setdefault(name, value)
            if self._is_draining():
                headers["Connection"] = "close"
        await self._send(message)


def _in_our_form(scope: Scope, message: Message) -> ProblemError | None:
    """What to say in place of a refusal that isn't of the API but of what it stands on; None of all other answers."""
    headers = Headers(raw=message["headers"])
    if message["status"] < 400 or headers.get("content-type") == MEDIA_TYPE:
        return None
    kept = {name: headers[name] for name in _KEPT if name in headers}
    asked = Headers(scope=scope).get("range")
    if asked is not None:
        text = f"the part {asked[:40]!r} can't be sent; expected bytes=FIRST-LAST within the file, or no header Range"
        return ProblemError(416, text, headers=kept)
    phrase = HTTPStatus(message["status"]).phrase.lower()
    return ProblemError(message["status"], f"{phrase}; expected a request as docs.html describes it", headers=kept)


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
