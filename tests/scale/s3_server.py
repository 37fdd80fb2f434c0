"""An S3 server on this machine that answers 503, or breaks the connection, now and then."""

from __future__ import annotations

import logging
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.request import Request, urlopen

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

Start = Callable[..., Any]

SILENCE_S = 4.0


class FaultyS3(AbstractContextManager["FaultyS3"]):
    """The server; its buckets live as long as it does.

    Args:
        refused_share: of requests that are answered by 503.
        cut_share: of requests whose connection is cut: before anything is done, in the midst of the answer, or when
            all is done and nothing is said.

    Attributes:
        address: where it listens, as ``AWS_ENDPOINT_URL`` has it.
        refused, cut: how many there were.
        asked: how often by method and path.
        silent: of objects whose name ends like that nothing is heard for so long as it takes to give up; None for none.
    """

    def __init__(self, refused_share: float = 0.0, cut_share: float = 0.0) -> None:
        self.refused_share, self.cut_share = refused_share, cut_share
        self.refused = self.cut = 0
        self.asked: Counter[tuple[str, str]] = Counter()
        self.silent: str | None = None
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would tell of each request
        self._chance = random.Random(0)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self, threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> FaultyS3:
        self._thread.start()
        urlopen(Request(f"{self.address}/moto-api/reset", method="POST")).close()  # its buckets outlive a server
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """One request."""
        asked = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        with self._lock:
            self.asked[asked] += 1
            drawn, moment = self._chance.random(), self._chance.randrange(3)
        if self.silent and asked[1].endswith(self.silent):
            self._ended.wait(SILENCE_S)
        if drawn < self.refused_share:
            self.refused += 1
            body = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
            start_response("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        if drawn < self.refused_share + self.cut_share:
            self.cut += 1
            return self._cut(moment, environ, start_response)
        return self._application(environ, start_response)  # type: ignore[no-any-return]

    def _cut(self, moment: int, environ: dict[str, Any], start_response: Start) -> Iterator[bytes]:
        connection = environ["werkzeug.socket"]
        if moment == 0:
            connection.shutdown(socket.SHUT_RDWR)
            return
        answer = b"".join(self._application(environ, start_response))
        if moment == 1:
            yield answer[: len(answer) // 2]
        connection.shutdown(socket.SHUT_RDWR)
