"""A camera's depth as it happens: the newest picture wins, the page answers to this machine alone."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.tiny_model import write_tiny_model
from tests.video.clips import SIZE, ramp, write_clip

import midas
from midas.predictor import Predictor
from midas.video.live import Camera, LiveView
from midas.video.live_page import LiveServer


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return midas.load(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


class Slow:
    """A model that takes a tenth of a second."""

    def __init__(self, predictor: Predictor) -> None:
        self.name, self.input, self.kind, self._predictor = predictor.name, predictor.input, predictor.kind, predictor

    def prepare(self, image, /, **how):
        return self._predictor.prepare(image, **how)

    def infer_batch(self, batch, /, **how):
        time.sleep(0.1)
        return self._predictor.infer_batch(batch, **how)


@pytest.fixture
def page(predictor: Predictor) -> Iterator[tuple[LiveView, str]]:
    with LiveView(predictor, None) as view:
        server = LiveServer(view, 0)
        yield view, server.address
        server.close()


def fetch(address: str, data: bytes | None = None, **headers: str) -> bytes:
    request = urllib.request.Request(address, data, headers, method="GET" if data is None else "POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def test_a_slow_model_drops_frames_and_never_falls_behind(tmp_path: Path, predictor: Predictor) -> None:
    clip = write_clip(tmp_path / "clip.mkv", map(ramp, range(75)))
    with Camera(str(clip)) as camera, LiveView(Slow(predictor), camera) as view:
        time.sleep(2.5)
        figures = view.figures
    assert figures["shown"] >= 5
    assert figures["dropped"] > figures["shown"] / 2
    assert figures["age_ms"] < 1000
    assert 0.7 * figures["seen"] <= figures["shown"] + figures["dropped"] <= figures["seen"] + 1


def test_a_camera_that_is_not_there_is_tried_again_and_said(tmp_path: Path) -> None:
    with Camera(str(tmp_path / "clip.mkv")) as camera:
        time.sleep(0.3)
        assert camera.problem is not None
        write_clip(tmp_path / "new.mkv", map(ramp, range(50))).rename(tmp_path / "clip.mkv")
        assert camera.newest.after(0, 5.0) is not None


def test_the_page_maps_the_pictures_of_a_browsers_camera(page: tuple[LiveView, str]) -> None:
    view, address = page
    file = io.BytesIO()
    Image.fromarray(ramp(0)).save(file, "JPEG")
    shown = np.asarray(Image.open(io.BytesIO(fetch(f"{address}map", file.getvalue()))))
    assert shown.shape == (SIZE[0], 2 * SIZE[1], 3)
    assert fetch(f"{address}snapshot.jpg")[:2] == b"\xff\xd8"
    assert json.loads(fetch(f"{address}figures"))["shown"] == 1
    assert b"getUserMedia" in fetch(address)
    fetch(f"{address}colormap?name=viridis", b"")
    fetch(f"{address}pause?on=1", b"")
    assert (view.colormap, view.paused) == ("viridis", True)


@pytest.mark.parametrize(
    ("path", "data", "headers", "status"),
    [
        ("", None, {"Host": "elsewhere.example:80"}, 403),
        ("pause?on=1", b"", {"Origin": "http://elsewhere.example"}, 403),
        ("nothing", None, {}, 404),
        ("map", b"no picture", {}, 400),
        ("colormap?name=gold", b"", {}, 400),
    ],
)
def test_the_page_refuses_strangers_and_nonsense(
    page: tuple[LiveView, str], path: str, data: bytes | None, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(page[1] + path, data, **headers)
    assert caught.value.code == status
    caught.value.close()
