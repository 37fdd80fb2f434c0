"""HTTP on one connection: answers that leave at once, heads that arrive in time, refusals in the form of all others."""

from __future__ import annotations

import asyncio
import socket
import uuid
from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from midas.serving.envelope import GUARDS
from midas.serving.problems import ProblemError, problem_response

# How long the first lines of a request may take to arrive, in seconds. Bodies have a limit of their own.
_HEAD_S = 10.0

# How long a client may take for what is on its way to it, a quarter of a megabyte at most, in seconds.
_TAKE_S = 30.0


class PromptProtocol(H11Protocol):
    """HTTP as uvicorn has it, but for four things.

    An answer goes out in two pieces. By default the system holds the second back until the first is acknowledged, which
    a client on a connection that stays open does after 40 ms. asyncio turns that off for sockets that it has made
    itself, and neither ours nor those that several processes share are.

    A connection on which no request comes, or the head of one too slowly, is closed; one whose client doesn't take its
    answer is cut off, for whose sake it would be held for ever.

    What is no HTTP is refused as everything else is.
    """

    _deadline: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a connection."""
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_write_buffer_limits(high=0)  # every byte that the client doesn't take is to be known of
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Go on with a connection."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End with a connection."""
        self._forget_deadline()
        self._forget_untaken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait with an answer until the client has taken what is on its way."""
        super().pause_writing()
        self._forget_untaken()
        self._untaken = self.loop.call_later(_TAKE_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with an answer."""
        self._forget_untaken()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what can't be understood.

        Args:
            msg: what uvicorn would say.
        """
        self._forget_deadline()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            what = ProblemError(400, f"{msg.rstrip('.').lower()}; expected HTTP/1.1 (RFC 9112), its head within 64 KB")
            answer = problem_response(what, str(uuid.uuid4()), self.root_path)
            headers = [*answer.raw_headers, (b"connection", b"close")]
            headers += [(name.lower().encode(), value.encode()) for name, value in GUARDS.items()]
            reason = HTTPStatus.BAD_REQUEST.phrase.encode()
            for event in (
                h11.Response(status_code=400, headers=headers, reason=reason),
                h11.Data(data=bytes(answer.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()  # in the middle of an answer there is nothing else to say

    def _watch_head(self) -> None:
        """Give the head that has to come next its time, from its beginning on."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._forget_deadline()
        elif self._deadline is None and self.timeout_keep_alive_task is None:
            self._deadline = self.loop.call_later(_HEAD_S, self.timeout_keep_alive_handler)

    def _forget_untaken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
