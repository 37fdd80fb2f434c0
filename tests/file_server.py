"""A web server on this machine that holds files in memory and misbehaves as it is told."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """How one request is answered.

    Attributes:
        status: what is answered in place of the file; None gives the file.
        cut_after: number of bytes after which the connection breaks off.
        ranges: whether parts of the file are given.
        checks_version: whether a part is given only of the version that is asked for.
        pause_s: how long nothing happens first.
        headers: further headers.
    """

    status: int | None = None
    cut_after: int | None = None
    ranges: bool = True
    checks_version: bool = True
    pause_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FileServer:
    """What the server holds, what it is to do, and what it was asked.

    Attributes:
        url: address of its root.
        files: name → content.
        script: how the next requests are answered; when it is empty, as well as it can.
        always: how requests are answered when the script is empty.
        requests: (name, headers) of each request so far.
        body_bytes: number of bytes of files sent so far.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    script: list[Answer] = field(default_factory=list)
    always: Answer = Answer()
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    body_bytes: int = 0

    def ranges(self) -> list[str | None]:
        """The part that each request asked for."""
        return [headers.get("Range") for _, headers in self.requests]


def entity_tag(content: bytes) -> str:
    """What the server calls a version of a file."""
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


@contextmanager
def file_server() -> Iterator[FileServer]:
    """A server that runs while the block does."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.daemon_threads = True
    server = _Handler.servers[httpd.server_port] = FileServer(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    servers: dict[int, FileServer] = {}  # noqa: RUF012

    def do_GET(self) -> None:
        server = self.servers[self.server.server_port]
        name = self.path.rpartition("/")[2]
        answer = server.script.pop(0) if server.script else server.always
        server.requests.append((name, dict(self.headers)))
        time.sleep(answer.pause_s)
        content = server.files.get(name)
        if answer.status is not None or content is None:
            self._head(answer.status or 404, {"Content-Length": "0", **answer.headers})
            return
        begin = self._begin(content, answer)
        if begin >= len(content):
            self._head(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        body = content[begin:]
        headers = {"ETag": entity_tag(content), "Content-Length": str(len(body)), **answer.headers}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self._head(206 if begin else 200, {name: text for name, text in headers.items() if text})
        sent = body[: answer.cut_after]
        server.body_bytes += len(sent)
        self.wfile.write(sent)

    def _begin(self, content: bytes, answer: Answer) -> int:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        wanted = self.headers.get("If-Range", entity_tag(content))
        stale = answer.checks_version and wanted != entity_tag(content)
        return int(match[1]) if match and answer.ranges and not stale else 0

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass
