"""What the command says, whatever stands behind its streams: a terminal, a file, a full disk, or nothing."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from midas.errors import ImageError, MidasError, OutputError, net

# What moves the cursor, begins a line, or turns the direction of writing: in the name of a file it could pass for lines
# of ours. Nothing else is touched, so that names are shown as they are.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def say(text: str) -> None:
    """Write a line to standard output; what would break it, as the names of files may, is written as an escape.

    Raises:
        BrokenPipeError: its reader has gone.
        OutputError: it can't be written to.
    """
    say_lines(one_line(text))


def say_lines(text: str) -> None:
    """Write lines of our own making to standard output.

    Raises:
        BrokenPipeError: its reader has gone.
        OutputError: it can't be written to.
    """
    with _output():
        print(text, flush=True)


def say_bytes(data: bytes) -> None:
    """Write a file to standard output.

    Raises:
        BrokenPipeError: its reader has gone.
        OutputError: it can't be written to.
    """
    with _output():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def read_standard_input() -> bytes:
    """All of it.

    Raises:
        ImageError: it can't be read.
    """
    with net("standard input can't be read", ImageError):
        return sys.stdin.buffer.read()


def tell(text: str) -> None:
    """Write a line to standard error, if that is possible."""
    print(one_line(text), file=sys.stderr, flush=True)


def tell_lines(text: str) -> None:
    """Write lines of our own making to standard error, if that is possible."""
    print(text, file=sys.stderr, flush=True)


def tell_error(error: MidasError | str) -> None:
    """Write an error to standard error, as one line, and below it what we have to add."""
    below = error.below if isinstance(error, MidasError) else ""
    tell(f"midas: error: {error.message if isinstance(error, MidasError) else error}")
    if below:
        tell_lines(below)


def one_line(text: str) -> str:
    """The text with control characters as escapes."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def prepare_streams() -> None:
    """Make the standard streams fit for use.

    A closed one is opened on the null device: the next file that is opened would take its place, and get what is
    meant for it. Standard output then refuses all that is written, since that would be lost without a word. What an
    encoding lacks is written as an escape, and standard error takes what comes without ever failing.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            _open_null(number, readable=number != 2)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    if type(sys.stderr) is io.TextIOWrapper:
        sys.stderr = _Forgiving(sys.stderr)


def close_output() -> None:
    """Write what is left in the buffer of standard output.

    Raises:
        OutputError: it can't be written to.
    """
    with suppress(BrokenPipeError), _output():
        sys.stdout.flush()


def drop_output() -> None:
    """Let what is left in the buffer of standard output go nowhere, in place of failing once more at the very end."""
    with suppress(OSError, ValueError):  # some stand-ins for it have no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stdout.flush()


@contextmanager
def _output() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        drop_output()
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"standard output can't be written to: {error.strerror or error}") from error


def _open_null(number: int, *, readable: bool) -> None:
    opened = os.open(os.devnull, os.O_RDONLY if readable else os.O_WRONLY)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


class _Forgiving(io.TextIOWrapper):
    """Standard error: where it can't be written to, there is nobody left to tell."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        settings: dict[str, Any] = {"encoding": stream.encoding, "errors": stream.errors}
        super().__init__(stream.detach(), line_buffering=True, **settings)

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            super().flush()
