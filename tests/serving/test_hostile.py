"""Bodies and fields of people who mean harm: refused, each with a sentence, and nothing is left behind."""

from __future__ import annotations

import gc
import importlib
import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from tests.campaign.mutations import mutate
from tests.campaign.seeds import maps, pictures
from tests.serving.conftest import Client
from tests.serving.test_refusals import bomb

from midas.serving.limits import Limits

FIELDS = ("model", "size", "tile", "format", "colormap", "map-size", "known", "near", "far", "file", "path", "url")
TEXTS = (
    "../../../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:1/x.png",
    "C:\\Windows\\win.ini",
    "\x00",
    "a" * 5000,
    "-1",
    "1e309",
    "NaN",
    "999999999999999999999",
    "'; DROP TABLE maps; --",
    "{{7*7}}",
    "__class__",
    "\u202e\ud7ff",
    "%00",
    "0x10",
    "١",  # a digit, but not of ASCII
)
ALLOWED = {200, 400, 406, 413, 415, 422}


def form(rng: np.random.Generator, content: bytes) -> tuple[bytes, str]:
    """A multipart body with something wrong in it, as often as not, and its content type."""
    boundary = str(rng.choice(["x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "", "a" * 300, "--", "é"]))
    name = str(rng.choice(["file", "file", "file", "other", "../file", 'fi"le', ""]))
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="../../x.jpg"'
    headers = rng.choice([disposition, disposition, f"{disposition}\r\nX: {'y' * 10_000}", "X: y", ""])
    begin = f"--{boundary}\r\n{headers}\r\n\r\n".encode()
    end = rng.choice([f"\r\n--{boundary}--\r\n", f"\r\n--{boundary}\r\n", "", "\r\n--\r\n"]).encode()
    body = (begin + content) * int(rng.choice([1, 1, 1, 2, 50])) + end
    if rng.random() < 0.3:
        body = mutate(body, rng)
    return body, f"multipart/form-data; boundary={boundary}"


def hostile(count: int) -> Iterator[tuple[dict[str, str], bytes, str]]:
    """Parameters, body and content type of so many requests, the same ones every time."""
    seeds = [content for _, content in (*pictures().values(), *maps().values())]
    seeds += [bomb(30_000), bomb(60_000), b"<svg/>", b"%PDF-1.7", b"\x80\x04\x95", b"GIF89a"]
    rng = np.random.default_rng(18)
    for _ in range(count):
        content = seeds[rng.integers(len(seeds))]
        body = mutate(content, rng, seeds[rng.integers(len(seeds))]) if rng.random() < 0.8 else content
        kind = str(rng.choice(["image/jpeg", "application/x-www-form-urlencoded", "text/html", "\xff", ""]))
        if rng.random() < 0.25:
            body, kind = form(rng, body)
        query = {"format": "json"}
        if rng.random() < 0.15:
            query[str(rng.choice(FIELDS))] = str(rng.choice(TEXTS))
        yield query, body, kind


def files_below(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}


def ask_all(client: TestClient, count: int) -> dict[int, int]:
    """How often each status came."""
    counts: dict[int, int] = {}
    for query, body, kind in hostile(count):
        headers = {"content-type": kind.encode("latin-1", "replace")} if kind else {}
        answer = client.post("/v1/depth", params=query, content=body, headers=headers)  # type: ignore[arg-type]
        counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            detail = answer.json()["detail"]
            assert detail
            assert "Traceback" not in detail
            assert "root:" not in detail
        assert answer.status_code in ALLOWED, (query, body[:200], kind, answer.text)
    return counts


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_hostile_requests_are_refused_or_answered_and_leave_nothing(
    count: int, served: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("TMPDIR", str(folder))
    client = served(Limits(body_bytes=2_000_000, pixels=1_000_000))
    caplog.set_level(logging.WARNING)
    threads = threading.active_count()
    counts = ask_all(client, count)
    assert counts[400] > count / 20
    assert counts[415] > count / 20
    assert counts[413] > 0
    assert files_below(here, folder) == set()
    assert [record.getMessage() for record in caplog.records if record.name.startswith("midas")] == []
    assert threading.active_count() <= threads + 4
    gc.collect()
    assert client.get("/readyz").status_code == 200


NAMES = (
    "a-camera-of-a-browser",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "a" * 5000,
    "%ff%fe",
    "__class__",
    "..",
    "x;y",
    "%2e%2e",
)


def ask_films_and_cameras(client: TestClient, count: int) -> dict[int, int]:
    """How often each status came, by the routes beside ``/v1/depth``."""
    rng = np.random.default_rng(19)
    counts: dict[int, int] = {}
    for query, body, kind in hostile(count):
        name = str(rng.choice(NAMES))
        method, path = [
            ("POST", f"/v1/live/{name}"),
            ("POST", "/v1/films"),
            ("GET", f"/v1/films/{name}"),
            ("GET", f"/v1/films/{name}/result.mp4"),
            ("GET", f"/v1/films/{name}/preview.jpg"),
            ("DELETE", f"/v1/films/{name}"),
        ][rng.choice(6, p=(0.4, 0.4, 0.05, 0.05, 0.05, 0.05))]
        parameters = {each: text for each, text in query.items() if each != "format"} if method == "POST" else {}
        headers = {"content-type": kind.encode("latin-1", "replace")} if kind else {}
        answer = client.request(method, path, params=parameters, content=body, headers=headers)  # type: ignore[arg-type]
        counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
        assert answer.status_code in {200, 202, 400, 404, 405, 413, 415, 422}, (method, path, body[:200], answer.text)
        if answer.status_code == 202:  # its beginning was that of a film
            client.delete(f"/v1/films/{answer.json()['id']}")
        elif answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert "root:" not in answer.text
    return counts


@pytest.mark.parametrize("count", [100, pytest.param(3000, marks=pytest.mark.slow)])
def test_hostile_films_and_cameras_are_refused_or_answered_and_leave_nothing(
    count: int, served: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    for folder in (here, temporary):
        folder.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    client = served(Limits(body_bytes=2_000_000, film_bytes=2_000_000, pixels=1_000_000))
    caplog.set_level(logging.WARNING)
    counts = ask_films_and_cameras(client, count)
    assert counts[415] > count / 10
    assert counts[404] > count / 50
    client.app.state.service.stop()  # type: ignore[attr-defined]
    assert files_below(here, temporary) == set()
    assert [record.getMessage() for record in caplog.records if record.name.startswith("midas")] == []


@pytest.mark.slow
def test_schemathesis_finds_no_500(served: Client) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    client = served(Limits(size_px=128, tile=1))
    schema = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    settle = settings(max_examples=200, suppress_health_check=list(HealthCheck))
    tried = []
    # No schema can say which bytes are a picture.
    checks = importlib.import_module("schemathesis.specs.openapi.checks")

    def check(case: Any) -> None:
        tried.append(case.path)
        case.call_and_validate(excluded_checks=[checks.positive_data_acceptance])

    for found in schema.get_all_operations():
        settle(given(case=found.ok().as_strategy())(check))()
    films = "/v1/films"
    assert set(tried) == {
        *("/v1/depth", "/v1/models", "/healthz", "/readyz", "/metrics", "/v1/live/{name}"),
        *(films, f"{films}/{{name}}", f"{films}/{{name}}/preview.jpg", f"{films}/{{name}}/result.mp4"),
    }
