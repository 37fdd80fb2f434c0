"""An S3 server on this machine that answers 503, or breaks the connection, now and then."""

from __future__ import annotations

import logging
import random
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

Start = Callable[..., Any]


class FaultyS3(AbstractContextManager["FaultyS3"]):
    """The server; its buckets live as long as it does.

    Args:
        refused_share: of requests that are answered by 503.
        cut_share: of requests whose connection is cut.

    Attributes:
        address: where it listens, as ``AWS_ENDPOINT_URL`` has it.
        refused, cut: how many there were.
    """

    def __init__(self, refused_share: float = 0.0, cut_share: float = 0.0) -> None:
        self.refused_share, self.cut_share = refused_share, cut_share
        self.refused = self.cut = self.requests = 0
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would tell of each request
        self._chance = random.Random(0)
        self._lock = threading.Lock()
        self._application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self, threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> FaultyS3:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """One request."""
        with self._lock:
            self.requests += 1
            drawn = self._chance.random()
        if drawn < self.refused_share:
            self.refused += 1
            body = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
            start_response("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        if drawn < self.refused_share + self.cut_share:
            self.cut += 1
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        return self._application(environ, start_response)  # type: ignore[no-any-return]
