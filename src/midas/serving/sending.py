"""Answers on their way out: piece by piece, and counted as long as they are here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Response
from starlette.types import Receive, Scope, Send

# A server passes on what it is given, however much its client has taken of it: so that is little at a time.
_PIECE_BYTES = 1 << 18


class HeldResponse(Response):
    """An answer whose memory is told to be free when the client has it, or has gone.

    Args:
        content: the whole body.
        headers: of the answer.
        media_type: of the body.
        free: called once.
    """

    def __init__(self, content: bytes, headers: Mapping[str, str], media_type: str, free: Callable[[], None]) -> None:
        super().__init__(content, 200, headers, media_type)
        self._free = free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        body = bytes(self.body)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for start in range(0, len(body), _PIECE_BYTES):
                end = start + _PIECE_BYTES
                await send({"type": "http.response.body", "body": body[start:end], "more_body": end < len(body)})
        finally:
            self._free()
