"""`midas serve` under load: throughput beside the same work without a server, overload, and a stop under load.

Closed loop: --clients ask as fast as they are answered, in turns with `predict_files` on the same pictures, read from
files and written to files. Open loop: requests come at twice the capacity that was found, whether or not earlier ones
are answered, for --seconds; then the server is asked to stop while they go on coming. Last: what batches would bring.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

import midas
from midas.folder import predict_files
from midas.maps.names import plan_outputs
from midas.pictures.files import find_pictures

SIZE = (480, 640)
JPEG_QUALITY = 90
PICTURES = 48
BATCHES = (1, 4, 8)
QUEUE_S = 2.0
RETRY_MS = 50


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        status: of HTTP; 0 where the connection was reset or closed without an answer, -1 where none could be had.
        seconds: from the last byte sent to the last byte received.
    """

    status: int
    seconds: float


@dataclass(frozen=True)
class Server:
    """The command, and where it listens."""

    process: subprocess.Popen[str]
    port: int

    def resident_mb(self) -> float:
        """Memory that it holds now."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024


def main() -> None:
    """Run all parts and print what they gave."""
    options = read_options()
    body = photograph()
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as folder:
        capacity = compare_throughput(options, body, Path(folder))
    asyncio.run(overload(options, body, 2 * capacity))
    batches()


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="of overload")
    parser.add_argument("--round-seconds", type=float, default=10, help="of each round of throughput")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    return parser.parse_args()


def photograph() -> bytes:
    """A JPEG as large as that of a camera of that size."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    scene = 110 + 80 * np.sin(rows / 60)[..., None] * np.cos(columns / 40)[..., None]
    pixels = np.clip(scene + rng.normal(0, 6, (*SIZE, 3)), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


@contextmanager
def serving() -> Iterator[Server]:
    """The server, ready."""
    command = [sys.executable, "-m", "midas", "serve", "--port", "0", "--queue-seconds", str(QUEUE_S)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        port = next(int(found[1]) for line in process.stderr if (found := re.search(r"http://[^:]+:(\d+)/", line)))
        yield Server(process, port)
    finally:
        process.kill()
        process.wait()


async def ask(port: int, body: bytes, path: str = "/v1/depth") -> Answer:
    """One request by a connection of its own."""
    start = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return Answer(-1, time.perf_counter() - start)
    try:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        start = time.perf_counter()
        data = await reader.read()
    except OSError:
        return Answer(0, time.perf_counter() - start)
    finally:
        writer.close()
    status = data[9:12]
    return Answer(int(status) if status.isdigit() else 0, time.perf_counter() - start)


def compare_throughput(options: argparse.Namespace, body: bytes, folder: Path) -> float:
    """Pictures per second by the server and without it, in turns; gives the server's median."""
    (folder / "in").mkdir()
    for number in range(PICTURES):
        (folder / "in" / f"{number}.jpg").write_bytes(body)
    predictor = midas.load(backend="quick")
    served, alone = [], []
    with serving() as server:
        for _ in range(options.rounds):
            alone.append(pictures_per_s(predictor, folder, options.round_seconds))
            served.append(asyncio.run(closed_loop(server.port, body, options.clients, options.round_seconds)))
    ratios = [one / other for one, other in zip(served, alone, strict=True)]
    print(
        f"{SIZE[1]}x{SIZE[0]} JPEG of {len(body) / 1e3:.0f} kB, {options.rounds} rounds of {options.round_seconds:g} s"
    )
    print(f"  predict_files  {median(alone):7.1f} pictures/s")
    print(f"  midas serve    {median(served):7.1f} pictures/s, {options.clients} clients")
    print(f"  ratio          {median(ratios):7.2f}   (rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)})")
    return median(served)


def pictures_per_s(predictor: midas.Predictor, folder: Path, seconds: float) -> float:
    """Those of `predict_files`: reading, the network and writing overlap."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        shutil.rmtree(folder / "out", ignore_errors=True)
        found = find_pictures([str(folder / "in")], folder / "out", recursive=False)
        done += sum(
            report.error is None
            for report in predict_files(predictor, plan_outputs(found.pictures, folder / "out", ["png16"]))
        )
    return done / (time.perf_counter() - start)


async def closed_loop(port: int, body: bytes, clients: int, seconds: float) -> float:
    """Answers per second to so many clients."""
    end = time.perf_counter() + seconds

    async def client() -> int:
        done = 0
        while time.perf_counter() < end:
            done += (await ask(port, body)).status == 200
        return done

    start = time.perf_counter()
    done = sum(await asyncio.gather(*(client() for _ in range(clients))))
    return done / (time.perf_counter() - start)


async def overload(options: argparse.Namespace, body: bytes, rate: float) -> None:
    """Requests at a rate, whatever becomes of them; then a stop while they go on coming."""
    with serving() as server:
        memory: list[tuple[float, float]] = []
        late_ms: list[float] = []
        answers = await open_loop(server, body, rate, options.seconds, memory, late_ms)
        print(f"open loop, {rate:.0f} requests/s for {options.seconds:g} s")
        print(f"  statuses       {dict(Counter(answer.status for answer in answers))}")
        for status, name in ((200, "accepted"), (503, "refused ")):
            times = [1000 * answer.seconds for answer in answers if answer.status == status]
            if times:
                shares = np.percentile(times, (50, 99, 100))
                print(f"  {name} ms    p50 {shares[0]:.0f}, p99 {shares[1]:.0f}, most {shares[2]:.0f}")
        refused = [answer.seconds for answer in answers if answer.status == 503]
        quick = np.mean([1000 * seconds < RETRY_MS for seconds in refused]) if refused else 1.0
        print(f"  refused within {RETRY_MS} ms: {100 * quick:.1f} %")
        # Whatever holds this process up is in the times above too, though the server has answered by then.
        shares = np.percentile(late_ms, (50, 99, 100))
        print(f"  the clients' own lateness, ms   p50 {shares[0]:.0f}, p99 {shares[1]:.0f}, most {shares[2]:.0f}")
        half = [each for each in memory if each[0] > options.seconds / 3]
        slope = np.polyfit(*zip(*half, strict=True), 1)[0] * 3600 if len(half) > 2 else float("nan")
        print(
            f"  memory         {memory[0][1]:.0f} MB at first, {memory[-1][1]:.0f} MB at last, slope {slope:+.1f} MB/h"
        )
        await stop_under_load(server, body, rate / 2)


async def open_loop(
    server: Server, body: bytes, rate: float, seconds: float, memory: list[tuple[float, float]], late_ms: list[float]
) -> list[Answer]:
    """Ask at a rate; note the server's memory, and by how much each request went out late."""
    start = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        late_ms.append(1000 * (time.perf_counter() - start - number / rate))
        tasks.append(asyncio.create_task(ask(server.port, body)))
        if number % max(1, int(rate)) == 0:
            memory.append((time.perf_counter() - start, server.resident_mb()))
    return list(await asyncio.gather(*tasks))


async def stop_under_load(server: Server, body: bytes, rate: float) -> None:
    """SIGTERM while requests come: all whose connection was taken must be answered."""
    tasks = []
    for number in range(int(4 * rate)):
        if number == int(2 * rate):
            os.kill(server.process.pid, signal.SIGTERM)
        tasks.append(asyncio.create_task(ask(server.port, body)))
        await asyncio.sleep(1 / rate)
    statuses = Counter(answer.status for answer in await asyncio.gather(*tasks))
    status = server.process.wait(60)
    lost = f"lost {statuses[0]}, no connection {statuses[-1]}"
    print(f"stop under load: exit status {status}; answered {statuses[200]}, refused {statuses[503]}, {lost}")


def batches() -> None:
    """The time of a picture in batches on this processor: whether collecting them would pay."""
    predictor = midas.load(backend="quick")
    prepared = predictor.prepare(photograph())
    print("milliseconds per picture of the network, by pictures at once")
    times: dict[int, list[float]] = {size: [] for size in BATCHES}
    for _ in range(15):
        for size in BATCHES:
            start = time.perf_counter()
            predictor.infer_batch([prepared] * size)
            times[size].append(1000 * (time.perf_counter() - start) / size)
    print("  " + ", ".join(f"{size}: {median(each):.1f}" for size, each in times.items()))


if __name__ == "__main__":
    main()
