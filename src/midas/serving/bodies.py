"""A request's body: read within a time and a size, raw or the one file of a multipart form; never written to a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from midas.serving.limits import Limits
from midas.serving.problems import BusyError, ProblemError
from midas.serving.queue import ClientGoneError

FORM_FIELD = "file"

Content = TypeVar("Content")

_MOST_HEADERS = 8
_MOST_HEADER_BYTES = 4096

# So many at a time, however little each of them holds: the last fence.
_MOST_BODIES = 2000

# A client that has begun to send a body too large reads the answer when it has sent it. So much more is thrown away for
# its sake, in bytes.
_LINGER = 100_000_000


class Bodies:
    """Reads bodies, and knows how many bytes there are of them, and of answers that aren't taken yet.

    Args:
        limits: of one, and of all.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0
        self._open = 0

    @contextmanager
    def accounted(self) -> Iterator[_Account]:
        """An account whose bytes count as long as it is open.

        Raises:
            BusyError: there are as many as there may be.
        """
        if self._open >= _MOST_BODIES:
            raise BusyError(1.0, f"{self._open} other requests are here, as many as there may be", reason="requests")
        account = _Account(self)
        self._open += 1
        try:
            yield account
        finally:
            self._open -= 1
            self._held -= account.size


class _Account:
    """The bytes of one body."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self.size = 0

    async def read(self, request: Request) -> bytes:
        """The picture in a request's body.

        Raises:
            ProblemError: 400, 408 or 413: no picture, too slow, or too large.
            BusyError: the bodies of all requests are too large together.
            ClientGoneError: the client has gone.
        """
        limit_s = self._bodies._limits.body_s
        data = await received(self._content(request), limit_s, "send a smaller picture, or by a faster line")
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind == b"multipart/form-data":
            # In a thread: a large form takes a while to be looked through, in which others want answers.
            data = await asyncio.to_thread(file_of_form, data, options.get(b"boundary", b""))
        if not data:
            raise ProblemError(400, f"the body is empty; expected a picture, or a form with one in {FORM_FIELD!r}")
        return data

    def become(self, size: int) -> None:
        """Count an answer of so many bytes in place of the body that it answers.

        Raises:
            BusyError: what other clients have sent, or haven't taken yet, leaves no room for it.
        """
        others = self._bodies._held - self.size
        # One alone always has room: a map may well be larger than all the pictures that may be sent.
        if others and others + size > self._bodies._limits.buffered_bytes:
            why = "the answers that other clients haven't taken yet fill the memory that is set aside"
            raise BusyError(1.0, why, reason="memory")
        self._bodies._held, self.size = others + size, size

    async def _content(self, request: Request) -> bytes:
        limits = self._bodies._limits
        chunks: list[bytes] = []
        excess, busy = 0, False
        async for chunk in request.stream():
            if excess or busy or self.size + len(chunk) > limits.body_bytes:
                excess += len(chunk)
                chunks.clear()
                if excess > _LINGER:
                    break
            elif self._bodies._held + len(chunk) > limits.buffered_bytes:
                busy = True
                chunks.clear()
            else:
                self.size += len(chunk)
                self._bodies._held += len(chunk)
                chunks.append(chunk)
        if busy:
            raise BusyError(1.0, "the pictures of other requests fill the memory that is set aside", reason="memory")
        if excess:
            raise ProblemError(
                413,
                f"the body is larger than {limits.body_bytes / 1e6:g} MB; send a smaller picture, or a JPEG",
                headers={"Connection": "close"} if excess > _LINGER else {},
            )
        return b"".join(chunks)


async def received(content: Awaitable[Content], limit_s: float, advice: str) -> Content:
    """What comes of a request's body, which has to be there within a time.

    Args:
        content: reads it.
        limit_s: the time, in seconds.
        advice: what to do where it isn't enough.

    Raises:
        ProblemError: 408, the time is over.
        ClientGoneError: the client has gone.
        MidasError: what ``content`` raises.
    """
    try:
        return await asyncio.wait_for(content, limit_s)
    except asyncio.TimeoutError:
        late = f"the body isn't there after {limit_s:g} s; {advice}"
        raise ProblemError(408, late, headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise ClientGoneError from None


def file_of_form(body: bytes, boundary: bytes) -> bytes:
    """The one file of a multipart form.

    Raises:
        ProblemError: 400, the form is damaged, or holds something else than one part named ``file``.
    """
    form = _Form()
    try:
        if not boundary:
            raise FormParserError("there is no boundary in the Content-Type")
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.begin_part,
                "on_header_begin": form.begin_header,
                "on_header_field": form.add_name,
                "on_header_value": form.add_value,
                "on_header_end": form.end_header,
                "on_part_data": form.add_data,
                "on_end": form.end,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=_MOST_HEADER_BYTES,
        )
        # The parser takes line ends around a form one by one, of which somebody may send millions.
        parser.write(body.strip(b"\r\n"))
        parser.finalize()
    except FormParserError as error:
        raise ProblemError(400, f"the form is damaged ({error}); expected multipart/form-data (RFC 7578)") from error
    if not form.is_whole:
        raise ProblemError(400, "the form ends too early; expected the boundary with -- behind its last part")
    if form.names != [FORM_FIELD.encode()]:
        raise ProblemError(
            400, f"the form doesn't hold one part {FORM_FIELD!r} alone; parameters go into the query, not into the form"
        )
    return bytes(form.data)


class _Form:
    """What the parser finds: the names of the parts, and the bytes of the first of ours."""

    def __init__(self) -> None:
        self.names: list[bytes | None] = []
        self.data = bytearray()
        self.is_whole = False
        self._name = bytearray()
        self._value = bytearray()

    def begin_part(self) -> None:
        if self.names:
            raise FormParserError("it has several parts, where one is expected")
        self.names.append(None)

    def begin_header(self) -> None:
        self._name.clear()
        self._value.clear()

    def add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        if bytes(self._name).lower() == b"content-disposition":
            self.names[-1] = parse_options_header(bytes(self._value))[1].get(b"name")

    def add_data(self, data: bytes, start: int, end: int) -> None:
        self.data += data[start:end]

    def end(self) -> None:
        self.is_whole = True
