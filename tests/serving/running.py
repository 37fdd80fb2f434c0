"""The command itself, as a process, and plain sockets that talk to it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_S = 60.0


@dataclass(frozen=True)
class Running:
    """A server.

    Attributes:
        url: of its page.
        process: the command.
        log: what it writes to standard error.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urllib.parse.urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of an answer, by a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A plain connection."""
        return socket.create_connection(self.address, timeout=60)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and give the exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def running(*options: str) -> Iterator[Running]:
    """The server with these options, ready; ended on leaving if it runs still."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        command = [sys.executable, "-m", "midas", "serve", "--threads", "1", *options]
        if "--port" not in options:
            command += ["--port", "0"]
        with log.open("wb") as file:
            process = subprocess.Popen(command, stderr=file, env={**os.environ, "TMPDIR": folder})
        try:
            server = Running(_announced(process, log), process, log)
            _wait_until_ready(server)
            yield server
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _announced(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(int(START_S / 0.05)):
        found = [word for word in log.read_text().split() if word.startswith("http://")]
        if found:
            return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(f"no address after {START_S} s: {log.read_text()}")


def _wait_until_ready(server: Running) -> None:
    for _ in range(int(START_S / 0.05)):
        try:
            if server.ask("GET", "/readyz")[0] == 200:
                return
        except ConnectionError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not ready after {START_S} s: {server.log.read_text()}")
