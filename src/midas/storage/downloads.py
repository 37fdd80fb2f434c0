"""Files from the web: continued where a connection broke, checked, and under their name complete or not at all."""

from __future__ import annotations

import errno
import http.client
import os
import re
import shutil
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from midas.errors import ConfigError, DownloadError
from midas.storage.partial_files import PartialFile, sha256_of

# Called with the number of bytes that are there and, once it is known, that of the whole file.
Progress = Callable[[int, int | None], object]

TIMEOUT_S = 20.0
ATTEMPTS = 3
# The pause after the first attempt that brought nothing; it doubles with each further one.
PAUSE_S = 0.5

# How often who waits for another download looks how far it is.
_POLL_S = 0.1

_SCHEMES = ("https", "http")
_CHUNK_BYTES = 1024 * 1024
_SHOWN_DIGITS = 8
_PARTIAL, _RANGE_NOT_SATISFIABLE = 206, 416
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def download(
    url: str,
    target: Path,
    *,
    sha256_prefix: str = "",
    advice: str = "try again",
    progress: Progress | None = None,
    timeout_s: float = TIMEOUT_S,
    attempts: int = ATTEMPTS,
) -> str:
    """Fetch a file, unless it is there already.

    What arrives is kept in ``<target>.part``. A later attempt, of this call or of another one, goes on from there if
    the server still has the same version of the file. Of several calls for one target, in whatever process, one
    downloads and the others wait.

    Args:
        url: where the file is published; http or https, through the proxies that the environment names.
        target: where it goes; missing folders are created.
        sha256_prefix: the first hexadecimal digits of its SHA-256, where they are known.
        advice: what to do where another file arrives, for the message.
        progress: called as bytes arrive.
        timeout_s: how long a silent connection is waited for, in seconds.
        attempts: how many attempts in a row may bring nothing new.

    Returns:
        The SHA-256 of the file, in hexadecimal digits.

    Raises:
        ConfigError: the URL is neither http nor https.
        DownloadError: the file can't be fetched or written, or isn't the expected one.
    """
    _check_scheme(url)
    source = _Source(url, target, sha256_prefix, advice, timeout_s, progress or (lambda done, total: None))
    try:
        with _part_path(source) as path:
            if target.is_file():
                return source.checked(sha256_of(target), f"{target} is there already", "delete it and try again")
            return _download_alone(source, path, attempts)
    except OSError as error:
        raise DownloadError(
            f"{target} can't be written: {error.strerror or error}; choose a folder that can be written to"
        ) from error


@contextmanager
def progress_bar(description: str) -> Iterator[Progress]:
    """A bar on standard error that shows a download's bytes, speed and time left; nothing where that is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.DownloadColumn(),
        bars.TransferSpeedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@dataclass(frozen=True)
class _Source:
    """What is to be fetched, and how."""

    url: str
    target: Path
    sha256_prefix: str
    advice: str
    timeout_s: float
    progress: Progress

    def failure(self, problem: str, status: int | None = None) -> DownloadError:
        advice = f"try again later, or get the file by other means and put it at {self.target}"
        return DownloadError(f"{self.url} can't be downloaded: {problem}; {advice}", status)

    def checked(self, sha256: str, subject: str, advice: str) -> str:
        if not sha256.startswith(self.sha256_prefix.lower()):
            found, expected = sha256[:_SHOWN_DIGITS], self.sha256_prefix[:_SHOWN_DIGITS]
            raise _WrongFileError(f"{subject}, and its SHA-256 begins with {found}, expected {expected}; {advice}")
        return sha256


class _WrongFileError(DownloadError):
    """A file that isn't the expected one."""


class _AttemptError(Exception):
    """An attempt that broke off, for a reason that may pass."""


def _download_alone(source: _Source, path: Path, attempts: int) -> str:
    part = PartialFile(path, source.url, verified=bool(source.sha256_prefix))
    try:
        _fetch(source, part, attempts)
        advice = f"it was removed: {source.advice}"
        sha256 = source.checked(part.sha256.hexdigest(), f"{source.url} gave another file", advice)
        part.finish(source.target)
    except _WrongFileError:
        part.remove()
        raise
    except OSError as error:
        raise (_no_room(source, part) if error.errno in _NO_ROOM else error) from error
    finally:
        part.close()
    return sha256


def _fetch(source: _Source, part: PartialFile, attempts: int) -> None:
    fruitless, most = 0, part.size
    while part.total is None or part.size != part.total:
        try:
            _receive(source, part)
            return
        except _AttemptError as error:
            fruitless = 0 if part.size > most else fruitless + 1
            most = max(most, part.size)
            if fruitless >= attempts:
                raise source.failure(str(error)) from error
            time.sleep(PAUSE_S * 2 ** (fruitless - 1))


def _receive(source: _Source, part: PartialFile) -> None:
    """One request for all that is missing."""
    try:
        response = _opener().open(Request(source.url, headers=_headers(part)), timeout=source.timeout_s)
    except HTTPError as error:
        error.close()
        _judge_refusal(error, source, part)
        return
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise source.failure(_reason(reason)) from error
        raise _AttemptError(_reason(reason)) from error
    with response:
        _agree(response.status, response.headers, source, part)
        _check_room(source, part)
        source.progress(part.size, part.total)
        while chunk := _read(response):
            part.append(chunk)
            source.progress(part.size, part.total)
    if part.total is not None and part.size < part.total:
        raise _AttemptError(f"the connection broke off after {part.size} of {part.total} bytes")


def _headers(part: PartialFile) -> dict[str, str]:
    headers = {"User-Agent": "midas-depth"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.version:
            headers["If-Range"] = part.version
    return headers


def _read(response: Any) -> bytes:
    try:
        chunk: bytes = response.read1(_CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _AttemptError(_reason(error)) from error
    return chunk


def _agree(status: int, headers: Message, source: _Source, part: PartialFile) -> None:
    """Make sure that what is about to arrive follows what is there; where it is the whole file, begin anew."""
    if status != _PARTIAL:
        if headers.get_content_type() == "text/html":
            raise source.failure("the server answers with a web page")
        part.restart(_version(headers), _whole_number(headers["Content-Length"]))
        return
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers["Content-Range"] or "")
    begin, total = (int(match[1]), _whole_number(match[2])) if match else (None, None)
    given = headers.get("ETag" if part.version.startswith('"') else "Last-Modified")
    changed = bool(given and part.version) and given != part.version
    if begin != part.size or changed or part.total not in (None, total):
        part.restart()
        raise _AttemptError("the server gave a piece that doesn't follow what was received before")
    part.total = total


def _judge_refusal(error: HTTPError, source: _Source, part: PartialFile) -> None:
    """Return if all is there already.

    Raises:
        _AttemptError: it is worth another attempt.
        DownloadError: it isn't.
    """
    if error.code == _RANGE_NOT_SATISFIABLE and part.size:
        if error.headers["Content-Range"] == f"bytes */{part.size}":
            return
        part.restart()
        raise _AttemptError("the file on the server is shorter than what was received before")
    problem = f"the server answers {error.code} {error.reason}"
    if error.code in _TRANSIENT:
        raise _AttemptError(problem)
    raise source.failure(problem, error.code)


def _version(headers: Message) -> str:
    """What `If-Range` may ask for: a strong entity tag, else a date."""
    tag = headers.get("ETag") or ""
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified") or ""


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _reason(error: object) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__


def _check_room(source: _Source, part: PartialFile) -> None:
    if part.total is not None and shutil.disk_usage(source.target.parent).free < part.total - part.size:
        raise _no_room(source, part)


def _no_room(source: _Source, part: PartialFile) -> DownloadError:
    needed = "more room" if part.total is None else f"{(part.total - part.size) / 1e6:.0f} MB more"
    return DownloadError(
        f"no room for {source.target}: it needs {needed}; make room, or choose another folder, and try again: what has "
        "arrived stays there, and the download goes on from it"
    )


def _check_scheme(url: str) -> None:
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in _SCHEMES:
        raise ConfigError(f"{url!r} is no address to download from; expected one that begins with https:// or http://")


class _Redirects(HTTPRedirectHandler):
    """Follows redirections to other web addresses, but none that leaves encryption behind."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in _SCHEMES or (req.type == "https" and scheme != "https"):
            raise HTTPError(req.full_url, code, f"and leads to {newurl}, which is not safe", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> Any:
    return build_opener(_Redirects)


@contextmanager
def _part_path(source: _Source) -> Iterator[Path]:
    """The file that takes in the bytes, which nobody else writes to while the block runs."""
    target = source.target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")

    def show_the_other() -> None:
        with suppress(OSError):
            source.progress(part.stat().st_size, None)

    with _only_one(target.with_name(f"{target.name}.lock"), while_waiting=show_the_other) as held:
        if held:
            yield part
            return
        own = target.with_name(f"{target.name}.{os.urandom(4).hex()}.part")
        try:
            yield own
        finally:
            own.unlink(missing_ok=True)


@contextmanager
def _only_one(path: Path, *, while_waiting: Callable[[], object]) -> Iterator[bool]:
    """Be the only one, of all threads and processes that name this file, to run the block.

    Yields:
        Whether that is so; False where the file system knows no locks.
    """
    # Takes half as long to import as NumPy, which the commands that download nothing needn't wait for.
    from filelock import FileLock, Timeout

    lock = FileLock(path, fallback_to_soft=False)
    while True:
        try:
            lock.acquire(timeout=_POLL_S)
            break
        except Timeout:
            while_waiting()
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            yield False
            return
    try:
        yield True
    finally:
        with suppress(OSError):  # those who wait notice that the file has lost its name; Windows keeps an open one
            path.unlink()
        lock.release()
