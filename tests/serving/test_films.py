"""Films through the API: watched, fetched, removed; and nothing stays on the disk that shouldn't."""

from __future__ import annotations

import asyncio
import errno
import io
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from tests.serving.conftest import Client
from tests.video.clips import ramp, times_of, write_clip

from midas.serving import films
from midas.serving.bodies import received
from midas.serving.limits import Limits
from midas.serving.problems import ProblemError


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where films lie; empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def film(folder: Path, frames: int = 10) -> bytes:
    return write_clip(folder / "clip.mp4", map(ramp, range(frames))).read_bytes()


def ended(client: TestClient, name: str) -> dict[str, object]:
    for _ in range(600):
        job: dict[str, object] = client.get(f"/v1/films/{name}").json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.1)
    raise AssertionError("the film isn't done after 60 s")


def test_a_film_is_mapped_shown_and_removed(client: TestClient, tmp_path: Path, temporary: Path) -> None:
    sent = client.post("/v1/films", params={"format": "stereo"}, content=film(tmp_path))
    assert sent.status_code == 202
    name = sent.json()["id"]
    job = ended(client, name)
    assert (job["state"], job["frames"], job["total"]) == ("done", 10, 10)
    assert Image.open(io.BytesIO(client.get(f"/v1/films/{name}/preview.jpg").content)).size == (128, 48)
    (tmp_path / "depth.mp4").write_bytes(client.get(f"/v1/films/{name}/result.mp4").content)
    assert times_of(tmp_path / "depth.mp4") == times_of(tmp_path / "clip.mp4")
    assert client.delete(f"/v1/films/{name}").status_code == 204
    assert client.get(f"/v1/films/{name}").status_code == 404
    assert 'midas_requests_total{format="film",status="202"} 1.0' in client.get("/metrics").text
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("limits", "detail"),
    [
        ({"film_s": 0.2}, "expected at most 0.2 s"),
        ({"film_frames": 4}, "more than 4 frames"),
        ({"film_work_s": 0.001}, "more than 0.001 s"),
        ({"pixels": 1000}, "at most 1000"),
    ],
)
def test_a_film_beyond_a_limit_fails_with_a_sentence(
    limits: dict[str, float], detail: str, served: Client, tmp_path: Path
) -> None:
    client = served(Limits(**limits))  # type: ignore[arg-type]
    name = client.post("/v1/films", content=film(tmp_path)).json()["id"]
    assert detail in str(ended(client, name)["problem"])
    assert client.get(f"/v1/films/{name}/result.mp4").status_code == 422


def test_what_is_no_film_or_too_large_is_refused_and_leaves_nothing(
    served: Client, tmp_path: Path, temporary: Path
) -> None:
    client = served(Limits(film_bytes=1000))
    playlist = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n" * 3
    for body, status in ((b"", 415), (playlist, 415), (b"ffconcat version 1.0\nfile x\n", 415), (film(tmp_path), 413)):
        assert client.post("/v1/films", content=body).status_code == status
    assert list(temporary.iterdir()) == []


def test_a_damaged_film_fails_and_the_next_one_is_mapped(client: TestClient, tmp_path: Path) -> None:
    whole = film(tmp_path)
    broken, good = (client.post("/v1/films", content=body).json()["id"] for body in (whole[:60] + bytes(500), whole))
    assert ended(client, broken)["state"] == "failed"
    assert str(tmp_path) not in str(ended(client, broken)["problem"])
    assert ended(client, good)["state"] == "done"


def test_frames_that_are_too_large_are_refused_before_one_is_decoded(
    served: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped: list[object] = []
    monkeypatch.setattr(films, "write_film", lambda *given: mapped.append(given))
    client = served(Limits(pixels=1000))
    name = client.post("/v1/films", content=film(tmp_path)).json()["id"]
    assert "scale the film down" in str(ended(client, name)["problem"])
    assert mapped == []


def test_a_disk_that_is_full_is_said_and_holds_nothing(
    client: TestClient, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(films, "_write_all", full)
    answer = client.post("/v1/films", content=film(tmp_path))
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert "No space left on device" in answer.json()["detail"]
    assert list(temporary.iterdir()) == []


def test_a_film_that_is_given_up_is_closed_when_its_last_piece_is_written_and_leaves_nothing(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    head = film(tmp_path)[:100]

    def slow(file: IO[bytes], _: bytes) -> None:
        threading.Event().wait(0.2)
        closed.append(file.closed)

    async def pieces() -> AsyncIterator[bytes]:
        yield head + bytes(2_000_000)

    monkeypatch.setattr(films, "_write_all", slow)
    kept = films.Films(Limits())
    with pytest.raises(ProblemError) as refused:
        asyncio.run(received(kept.receive(pieces()), 0.05, "send a smaller film"))
    kept.close()
    assert (refused.value.status, closed) == (408, [False])
    assert list(temporary.iterdir()) == []


def test_there_are_only_so_many_films(served: Client, tmp_path: Path) -> None:
    client = served(Limits(films=1))
    assert client.post("/v1/films", content=film(tmp_path)).status_code == 202
    refused = client.post("/v1/films", content=film(tmp_path))
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)


def test_a_server_that_ends_ends_its_films_and_removes_them(served: Client, tmp_path: Path, temporary: Path) -> None:
    client = served()
    for _ in range(2):
        client.post("/v1/films", content=film(tmp_path, 400))
    client.app.state.service.stop()  # type: ignore[attr-defined]
    assert list(temporary.iterdir()) == []


def test_films_need_the_key_as_pictures_do(served: Client, tmp_path: Path) -> None:
    client = served(keys=("a secret of many letters",))
    assert client.post("/v1/films", content=film(tmp_path)).status_code == 401
    assert client.get("/v1/films/any").status_code == 401


def test_a_film_that_is_too_slow_is_refused_and_its_connection_closed() -> None:
    with pytest.raises(ProblemError, match="send a smaller film") as refused:
        asyncio.run(received(asyncio.Event().wait(), 0.01, "send a smaller film"))
    assert (refused.value.status, refused.value.headers) == (408, {"Connection": "close"})
