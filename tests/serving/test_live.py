"""The camera of a browser through the API: mapped as `midas live` does, one picture a request."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from tests.serving.conftest import Client, picture

import midas
from midas.pictures.reading import read_image
from midas.serving.limits import Limits
from midas.serving.live import Cameras
from midas.video.live import FrameMapper, jpeg_of

CAMERA = "a-camera-of-a-browser"


def test_a_cameras_pictures_have_the_colours_of_midas_live(client: TestClient, tiny: Path) -> None:
    mapper = FrameMapper(midas.load(tiny, threads=1))
    for seed in range(4):  # the maps of later ones depend on the earlier ones
        body = picture(seed=seed)
        answer = client.post(f"/v1/live/{CAMERA}?colormap=viridis", content=body)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.content == jpeg_of(mapper.colours(read_image(body), "viridis"))
    assert Image.open(io.BytesIO(answer.content)).size == (96, 64)


def test_one_camera_knows_nothing_of_another(client: TestClient) -> None:
    for seed in range(3):
        client.post(f"/v1/live/{CAMERA}", content=picture(seed=seed))
    first, other = (client.post(f"/v1/live/{name * 10}", content=picture(seed=9)).content for name in "ab")
    assert first == other


def test_only_so_many_cameras_are_remembered(tiny: Path) -> None:
    cameras, predictor = Cameras(most=2), midas.load(tiny, threads=1)
    kept = cameras.mapper("first", predictor)
    cameras.mapper("second", predictor)
    assert cameras.mapper("first", predictor) is kept
    cameras.mapper("third", predictor)  # the second is the one that was silent longest
    assert cameras.mapper("first", predictor) is kept
    assert len(cameras) == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{CAMERA}?colormap=gold", picture(), 422),
        (f"{CAMERA}?model=other", picture(), 422),
        (f"{CAMERA}?size=64", picture(), 422),
        ("short", picture(), 422),
        ("..%2f..%2fetc%2fpasswd", picture(), 404),
        (CAMERA, b"no picture", 415),
        (CAMERA, b"", 400),
        (CAMERA, picture((200, 300)), 413),
    ],
)
def test_what_is_no_cameras_picture_is_refused(path: str, body: bytes, status: int, served: Client) -> None:
    answer = served(Limits(pixels=50_000)).post(f"/v1/live/{path}", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_camera_needs_the_key_and_is_counted(served: Client) -> None:
    client = served(keys=("a secret of many letters",))
    key = {"authorization": "Bearer a secret of many letters"}
    assert client.post(f"/v1/live/{CAMERA}", content=picture()).status_code == 401
    assert client.post(f"/v1/live/{CAMERA}", content=picture(), headers=key).status_code == 200
    text = client.get("/metrics", headers=key).text
    for status in ("200", "401"):
        assert f'midas_requests_total{{format="live",status="{status}"}} 1.0' in text
    assert CAMERA not in text


def test_a_picture_of_one_colour_is_a_picture(client: TestClient) -> None:
    file = io.BytesIO()
    Image.fromarray(np.full((48, 64, 3), 7, np.uint8)).save(file, "PNG")
    assert client.post(f"/v1/live/{CAMERA}", content=file.getvalue()).status_code == 200
