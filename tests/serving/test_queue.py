"""The line in front of the work, and batches of what comes together."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.serving.conftest import picture

import midas
from midas.arrays import Array, Float32, UInt8
from midas.errors import ConfigError, MidasError, ModelError
from midas.loading import WholePredictor
from midas.serving import queue as queue_module
from midas.serving import shelf as shelf_module
from midas.serving.app import create_app
from midas.serving.limits import ServeOptions
from midas.serving.problems import BusyError
from midas.serving.queue import ClientGoneError, WorkQueue


async def here() -> bool:
    return False


def test_jobs_run_as_many_at_a_time_as_there_are_threads_and_in_their_order() -> None:
    begun, at_once, most = [], 0, 0
    lock = threading.Lock()

    def job(number: int) -> int:
        nonlocal at_once, most
        with lock:
            begun.append(number)
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.01)
        with lock:
            at_once -= 1
        return number

    async def all_of_them() -> list[int]:
        queue = WorkQueue(2, 30.0)
        done = await asyncio.gather(*(queue.run(lambda n=n: job(n), 1.0, here) for n in range(10)))  # type: ignore[misc]
        queue.close()
        return [each.result for each in done]

    assert asyncio.run(all_of_them()) == list(range(10))
    assert most <= 2
    assert all(abs(number - place) <= 1 for place, number in enumerate(begun))


def test_what_would_wait_longer_than_the_bound_is_refused_at_once_with_the_time_to_come_again() -> None:
    async def outcomes() -> tuple[list[object], float]:
        queue = WorkQueue(1, 0.2)
        await queue.run(lambda: time.sleep(0.1), 1.0, here)  # by which the mean is known
        start = time.monotonic()
        asked = [asyncio.create_task(queue.run(lambda: time.sleep(0.1), 1.0, here)) for _ in range(10)]
        for each in asked[5:]:
            with pytest.raises(BusyError) as caught:
                await each
            assert int(caught.value.headers["Retry-After"]) >= 1
        refused_s = time.monotonic() - start
        found = await asyncio.gather(*asked, return_exceptions=True)
        queue.close()
        return list(found), refused_s

    found, refused_s = asyncio.run(outcomes())
    accepted = [each for each in found if not isinstance(each, BaseException)]
    assert 2 <= len(accepted) <= 4
    assert refused_s < 0.1
    assert all(each.waited_s < 0.6 for each in accepted)  # type: ignore[attr-defined]


def test_a_dear_request_counts_for_many() -> None:
    async def expected() -> list[float]:
        queue = WorkQueue(1, 30.0)
        await queue.run(lambda: time.sleep(0.05), 1.0, here)
        waits = [queue.expected_wait_s()]
        running = asyncio.create_task(queue.run(lambda: time.sleep(0.3), 20.0, here))
        await asyncio.sleep(0.05)
        waits.append(queue.expected_wait_s())
        await running
        queue.close()
        return waits

    idle, busy = asyncio.run(expected())
    assert idle == 0
    assert busy > 0.9


def test_nothing_is_done_for_a_client_that_has_gone() -> None:
    done: list[int] = []

    async def gone() -> bool:
        return True

    async def ask() -> None:
        queue = WorkQueue(1, 1.0)
        with pytest.raises(ClientGoneError):
            await queue.run(lambda: done.append(1), 1.0, gone)
        assert (queue.waiting, queue.running) == (0, 0)
        queue.close()

    asyncio.run(ask())
    assert done == []


def test_a_line_that_stays_full_is_known_to_be_until_there_is_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(queue_module, "time", SimpleNamespace(monotonic=lambda: now))

    async def times() -> list[float]:
        nonlocal now
        queue, begun, release = WorkQueue(1, 1.0), threading.Event(), threading.Event()

        def job() -> None:
            begun.set()
            release.wait(30)

        asked = asyncio.create_task(queue.run(job, 1.0, here))
        await asyncio.to_thread(begun.wait, 30)
        now += 2.0
        release.set()
        await asked  # by which the mean is known: 2 s
        begun.clear()
        release.clear()
        asked = asyncio.create_task(queue.run(job, 1.0, here))
        await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(BusyError):
            await queue.run(job, 1.0, here)
        found = [queue.full_for_s()]
        now += 11.0
        found.append(queue.full_for_s())
        release.set()
        await asked
        queue.close()
        return [*found, queue.full_for_s()]

    assert asyncio.run(times()) == [0.0, 11.0, 0.0]


def test_a_server_that_has_long_been_full_or_is_to_end_is_not_ready(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = [client.get("/readyz")]
    monkeypatch.setattr(WorkQueue, "full_for_s", lambda _: 10.5)
    ready.append(client.get("/readyz"))
    monkeypatch.undo()
    client.app.state.service.is_draining = True  # type: ignore[attr-defined]
    ready.append(client.get("/readyz"))
    assert [answer.status_code for answer in ready] == [200, 503, 503]
    for answer, words in zip(ready[1:], ("more to do than can be done", "being stopped"), strict=True):
        assert words in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) >= 1
    assert client.get("/healthz").json() == {"status": "alive"}
    assert (client.head("/healthz").status_code, client.head("/readyz").status_code) == (200, 503)


def test_models_are_chosen_by_name_from_those_of_the_start_alone(tiny: Path) -> None:
    app = create_app(ServeOptions(models=("midas_nano_256", str(tiny)), threads=1))
    app.state.service.shelf.load()
    with TestClient(app) as client:
        ask = [client.post(f"/v1/depth?format=json{query}", content=picture()) for query in ("", "&model=tiny")]
        refused = client.post("/v1/depth?model=dpt_large_384", content=picture())
    assert [each.json()["model"] for each in ask] == ["midas_nano_256", "tiny"]
    assert (refused.status_code, "midas_nano_256, tiny" in refused.json()["detail"]) == (422, True)


def test_two_models_of_one_name_are_refused_at_the_start(tiny: Path) -> None:
    with pytest.raises(ConfigError, match="two models"):
        create_app(ServeOptions(models=(str(tiny), str(tiny)), threads=1)).state.service.shelf.load()


def test_until_the_models_are_there_requests_are_told_to_come_again(tiny: Path) -> None:
    client = TestClient(create_app(ServeOptions(models=(str(tiny),), threads=1)))  # whose start nobody has told it of
    first = client.post("/v1/depth", content=picture())
    assert first.status_code in (200, 503)
    for _ in range(200):
        if client.get("/readyz").status_code == 200:
            break
        time.sleep(0.05)
    assert client.post("/v1/depth", content=picture()).status_code == 200


def test_until_the_models_are_there_they_are_not_listed_and_a_failure_is_no_waiting(tiny: Path) -> None:
    client = TestClient(create_app(ServeOptions(models=("no such model",))))
    shelf = client.app.state.service.shelf  # type: ignore[attr-defined]
    with pytest.raises(MidasError):
        shelf.load()
    for path in ("/v1/models", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, "can't be loaded" in answer.json()["detail"]) == (503, True)


class Whole:
    """A back end of a file that takes pictures as they are."""

    metadata: Mapping[str, str] = {}
    takes_pictures = True

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        raise ModelError("it takes whole pictures")

    def on_picture(self, image: UInt8[Array, "H W 3"]) -> Float32[Array, "H W"]:
        means: Float32[Array, "H W"] = image.mean(axis=-1, dtype=np.float32)
        return means


def test_a_model_that_resizes_pictures_itself_is_asked_for_no_other_size(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = WholePredictor("whole", midas.load(tiny).input, Whole())
    monkeypatch.setattr(shelf_module, "load", lambda *_, **__: whole)
    app = create_app(ServeOptions(models=("whole",)))
    app.state.service.shelf.load()
    with TestClient(app) as client:
        statuses = {
            query: client.post(f"/v1/depth?format=json&{query}", content=picture()).status_code
            for query in ("", "map-size=half", "size=128", "tile=2", "size=128&tile=2")
        }
        assert client.post("/v1/live/a-camera", content=picture()).status_code == 200
    assert list(statuses.values()) == [200, 200, 422, 422, 422]


def test_every_answer_bears_a_number_and_the_headers_that_guard_a_page(client: TestClient) -> None:
    answers = [client.get("/"), client.get("/nothing"), client.post("/v1/depth", content=b"x")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]


def test_no_answer_of_the_api_is_kept_by_a_browser_or_a_proxy(client: TestClient) -> None:
    asked = [
        client.get(f"/{path}") for path in ("v1/models", "healthz", "readyz", "metrics", "nothing", "v1/films/any")
    ]
    asked += [client.post("/v1/depth?format=glb", content=picture()), client.post("/v1/depth", content=b"")]
    asked.append(client.post("/v1/live/any-camera", content=picture()))
    assert {answer.headers["cache-control"] for answer in asked} == {"no-store"}
    assert client.get("/").headers["cache-control"] == "no-cache"  # asks whether it has changed


def test_in_another_application_all_is_below_its_place(tiny: Path) -> None:
    inner = create_app(ServeOptions(models=(str(tiny),), threads=1))
    inner.state.service.shelf.load()
    with TestClient(Starlette(routes=[Mount("/depth", inner)])) as client:
        assert client.post("/depth/v1/depth?format=npy", content=picture()).status_code == 200
        assert "<title" in client.get("/depth/").text
        assert client.post("/depth/v1/depth?size=0").json()["type"] == "/depth/docs.html#parameter"
        assert 'midas_requests_total{format="npy",status="200"} 1.0' in client.get("/depth/metrics").text
