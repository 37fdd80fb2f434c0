"""Applications with a network small enough to write here, asked without a network."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from tests.tiny_model import write_tiny_model

from midas.serving.app import create_app
from midas.serving.limits import Limits, ServeOptions

Client = Callable[..., TestClient]


def picture(size: tuple[int, int] = (64, 96), form: str = "JPEG", seed: int = 0) -> bytes:
    """A file of a picture that the tiny model finds near on the right."""
    height, width = size
    ramp = np.linspace(40, 200, width)[None, :, None] + np.random.default_rng(seed).integers(0, 40, (height, width, 3))
    file = io.BytesIO()
    Image.fromarray(ramp.astype(np.uint8)).save(file, form)
    return file.getvalue()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("served") / "tiny.onnx")


@pytest.fixture
def served(tiny: Path) -> Iterator[Client]:
    """Makes a client of an application with these limits."""
    clients = []

    def make(limits: Limits | None = None, **options: object) -> TestClient:
        app = create_app(ServeOptions(models=(str(tiny),), threads=1, limits=limits or Limits(), **options))  # type: ignore[arg-type]
        app.state.service.shelf.load()
        client = TestClient(app)
        client.__enter__()
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(served: Client) -> TestClient:
    return served()
