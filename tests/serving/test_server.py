"""The server as a process: how it starts, how it bears slow and many clients, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import http.client
import os
import re
import signal
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.serving.conftest import picture
from tests.serving.running import Running, running

from midas.errors import ConfigError
from midas.serving import server as server_module
from midas.serving.limits import Address, ServeOptions
from midas.serving.server import app_of_process, serve


@pytest.fixture(scope="module")
def server(tiny: Path) -> Iterator[Running]:
    """A server that bears little."""
    with running("--model", str(tiny), "--max-megabytes", "0.1", "--body-seconds", "3") as started:
        yield started


def test_the_start_shows_the_limits_and_a_stop_is_no_error(tiny: Path) -> None:
    with running("--model", str(tiny), "--max-megapixels", "7") as server:
        assert server.ask("POST", "/v1/depth?format=json", picture())[0] == 200
        whole = picture((480, 640))
        assert server.ask("POST", "/v1/depth?format=json", whole[: -len(whole) // 200])[0] == 200  # of no interest here
        assert server.url.startswith("http://127.0.0.1:")
        assert server.stop() == 0
        text = server.log.read_text()
    assert "pictures up to 7 megapixels" in text
    assert len(text.splitlines()) == 2, text


def test_answers_on_a_connection_that_stays_open_are_not_held_back(server: Running) -> None:
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        connection.request("GET", "/v1/models")
        connection.getresponse().read()
        times.append(time.perf_counter() - start)
    connection.close()
    assert min(times[1:]) < 0.03  # with Nagle's algorithm, each takes 0.04 s more


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(tiny: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = Address(port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="try another --port"):
            serve(address, ServeOptions(models=(str(tiny),), threads=1), announce=print)


def test_a_stop_under_load_loses_no_request_that_was_taken(tiny: Path) -> None:
    body = picture((900, 1200))
    statuses: list[object] = []

    with running("--model", str(tiny), "--queue-seconds", "30") as server:

        def ask(_: int) -> None:
            with server.connect() as connection:
                connection.sendall(
                    b"POST /v1/depth HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                )
                taken.release()
                statuses.append(connection.makefile("rb").readline().split()[1:2])

        taken = threading.Semaphore(0)
        with ThreadPoolExecutor(12) as pool:
            answers = [pool.submit(ask, number) for number in range(12)]
            for _ in range(12):
                assert taken.acquire(timeout=30)
            time.sleep(0.3)  # until the last one has been accepted
            assert server.stop() == 0
            for answer in answers:
                answer.result()
        text = server.log.read_text()
    assert statuses == [[b"200"]] * 12
    assert "Traceback" not in text


def test_while_it_stops_it_is_not_ready_and_ends_connections(tiny: Path) -> None:
    with running("--model", str(tiny)) as server:
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        with server.connect() as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = connection.makefile("rb").read()
        assert server.process.wait(30) == 0
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"connection: close" in answer.lower()


def health_times(server: Running, count: int) -> list[float]:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        assert server.ask("GET", "/healthz")[0] == 200
        times.append(time.perf_counter() - start)
    return times


def test_two_hundred_slow_senders_do_not_delay_health_checks_and_are_cut_off(server: Running) -> None:
    with ExitStack() as connections:
        alone = statistics.median(health_times(server, 20))
        slow = [connections.enter_context(server.connect()) for _ in range(200)]
        for connection in slow:
            connection.sendall(b"POST /v1/depth HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc")
        times = health_times(server, 50)
        # A picture is served too.
        assert server.ask("POST", "/v1/depth", picture())[0] == 200
        statuses = [connection.makefile("rb").readline().split()[1] for connection in slow]
    assert statistics.median(times) < max(0.05, 5 * alone)
    assert set(statuses) == {b"408"}


def test_a_body_that_is_too_large_is_answered_and_not_reset(server: Running) -> None:
    assert [server.ask("POST", "/v1/depth", bytes(5_000_000))[0] for _ in range(3)] == [413] * 3
    assert server.ask("POST", "/v1/depth?size=0", bytes(5_000_000))[0] == 422


@pytest.mark.parametrize("length", [b"-1", b"abc", b"1" * 400], ids=["negative", "letters", "long"])
def test_a_length_that_is_none_is_a_400(length: bytes, server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"POST /v1/depth HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n\r\nabc")
        answer = connection.makefile("rb").read()
    assert answer.split()[1] == b"400"
    assert b"application/problem+json" in answer


def test_more_than_can_be_done_in_time_is_refused_at_once_and_the_rest_is_done(tiny: Path) -> None:
    body = picture((1200, 1600))
    with running("--model", str(tiny), "--queue-seconds", "0.2", "--decodes", "1") as server:

        def ask(_: int) -> tuple[int, float]:
            start = time.perf_counter()
            status, _body = server.ask("POST", "/v1/depth", body)
            return status, time.perf_counter() - start

        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(ask, range(60)))
        metrics = server.ask("GET", "/metrics")[1].decode()
    statuses = [status for status, _ in answers]
    assert set(statuses) == {200, 503}
    accepted = [seconds for status, seconds in answers if status == 200]
    assert max(accepted) < 10
    counted = {
        status: float(number)
        for status, number in re.findall(r'midas_requests_total{format="png16",status="(\d+)"} (\S+)', metrics)
    }
    assert counted == {"200": statuses.count(200), "503": statuses.count(503)}


def test_the_client_in_the_documents_gets_values(
    server: Running, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (repository / "docs" / "serve.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```py\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(repository)
    names: dict[str, object] = {}
    exec(block.replace("http://127.0.0.1:8000/", server.url), names)
    assert names["values"].shape == (300, 451)  # type: ignore[attr-defined]


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.mark.parametrize("host", ["no host of this machine", "a" * 300])
def test_a_host_that_is_none_is_an_error_that_says_what_to_do(host: str, tiny: Path) -> None:
    with pytest.raises(ConfigError, match="try another --port"):
        serve(Address(host), ServeOptions(models=(str(tiny),), threads=1), announce=print)


def test_one_of_several_processes_gives_notice_before_it_stops(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = threading.Event()
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)
    monkeypatch.setattr(gc, "freeze", frozen.set)
    monkeypatch.setattr(server_module, "_NOTICE_S", 0.01)
    monkeypatch.setenv("MIDAS_SERVE_OPTIONS", ServeOptions(models=(str(tiny),), threads=1).to_json())

    async def live() -> int:
        app = app_of_process()
        stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        before = signal.signal(signal.SIGTERM, lambda number, _: stopped.set_result(number))  # as uvicorn does
        try:
            async with app.router.lifespan_context(app):
                assert app.state.service.why_not_ready() != "the server is being stopped"
                signal.raise_signal(signal.SIGTERM)
                assert app.state.service.why_not_ready() == "the server is being stopped"
                assert not stopped.done()
                return await asyncio.wait_for(stopped, 30)
        finally:
            signal.signal(signal.SIGTERM, before)

    assert asyncio.run(live()) == signal.SIGTERM
    assert frozen.wait(30)


@pytest.mark.slow
def test_several_processes_say_that_they_stop_and_lose_nothing(tiny: Path) -> None:
    with running("--model", str(tiny), "--workers", "2", "--port", free_port()) as server:
        server.process.send_signal(signal.SIGTERM)
        statuses = []
        while 503 not in statuses:  # the processes hear of it within half a second
            statuses.append(server.ask("GET", "/readyz")[0])
        assert server.process.wait(60) == 0
    assert set(statuses) == {200, 503}


@pytest.mark.slow
def test_several_processes_count_together(tiny: Path) -> None:
    with running("--model", str(tiny), "--workers", "2", "--port", free_port()) as server:
        assert [server.ask("POST", "/v1/depth", picture())[0] for _ in range(20)] == [200] * 20
        metrics = server.ask("GET", "/metrics")[1].decode()
        assert server.stop() == 0
    assert 'midas_requests_total{format="png16",status="200"} 20.0' in metrics


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_its_gauges_go(tiny: Path) -> None:
    with running("--model", str(tiny), "--workers", "2", "--port", free_port()) as server:
        assert [server.ask("POST", "/v1/depth", picture())[0] for _ in range(20)] == [200] * 20
        (counts,) = server.log.parent.glob("midas-metrics-*")
        killed = min(int(path.stem.rpartition("_")[2]) for path in counts.glob("gauge_livesum_*"))
        os.kill(killed, signal.SIGKILL)
        patience = time.monotonic() + 30
        while list(counts.glob(f"gauge_live*_{killed}.db")):
            assert time.monotonic() < patience
            with suppress(ConnectionError):  # one that had been given to the killed one
                metrics = server.ask("GET", "/metrics")[1].decode()
        assert server.ask("POST", "/v1/depth", picture())[0] == 200
        assert server.stop() == 0
    assert 'midas_requests_total{format="png16",status="200"} 20.0' in metrics
