"""A cluster on this machine whose workers, nodes and drivers are killed while they work through a job.

    python -m tests.scale --pictures 3000 --nodes 5 --kill-every 3

Runs the job undisturbed first, then on the cluster: a worker is killed every few seconds, a node is removed, the driver
is killed and begun again, two of it at once. Checks that every output is there once, valid, and equal to that of the
undisturbed run, and that no shard that was finished before the second start was done again; says how long it took.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.scale.small_pictures import outputs_of, write_pictures

MARK = "MIDAS_FAULTS"
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_DATA_DISABLE_PROGRESS_BARS": "1"}


@dataclass
class Options:
    """What is done, and how often it is disturbed."""

    pictures: int = 3000
    nodes: int = 2
    cpus_per_node: int = 1
    kill_every_s: float = 3.0
    remove_after_s: float = 20.0
    driver_killed_after_s: float = 30.0
    limit_s: float = 1200.0
    arguments: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """What came of it."""

    killed_workers: int = 0
    removed_nodes: int = 0
    finished_before_second_start: int = 0
    redone: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    summaries: list[dict[str, Any]] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, changed or done again."""
        return not (self.redone or self.different or self.missing) and all(each["complete"] for each in self.summaries)


def disturbed_run(folder: Path, options: Options) -> Outcome:
    """Do a job on a cluster that falls apart, and compare."""
    write_pictures(folder / "in", options.pictures)
    job = [str(folder / "in"), "--backend", "onnxruntime", "--pack", "parquet", *options.arguments]
    run([*job, "-o", str(folder / "calm"), "--engine", "local"])
    began = time.monotonic()
    with MarkedCluster(options) as cluster:
        outcome = _disturbed(folder, [*job, "-o", str(folder / "out"), "--engine", "ray"], cluster, options)
    outcome.seconds = time.monotonic() - began
    calm, out = outputs_of(folder / "calm"), outputs_of(folder / "out")
    outcome.missing = sorted(set(calm) ^ set(out))
    outcome.different = sorted(name for name in set(calm) & set(out) if calm[name] != out[name])
    return outcome


def _disturbed(folder: Path, job: list[str], cluster: MarkedCluster, options: Options) -> Outcome:
    outcome = Outcome()
    receipts = folder / "out" / "_midas" / "receipts"
    command = [*job, "--address", cluster.address, "--cores", "1", "--json", "--quiet"]
    first = start(command)
    deadline = time.monotonic() + options.driver_killed_after_s
    while time.monotonic() < deadline or not any_in(receipts):
        if first.poll() is not None:
            break
        time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    for pipe in (first.stdout, first.stderr):
        if pipe is not None:
            pipe.close()
    before = {path.name: path.read_bytes() for path in receipts.glob("*.json")}
    outcome.finished_before_second_start = len(before)
    both = [start(command) for _ in range(2)]
    for process in both:
        text, errors = process.communicate(timeout=options.limit_s)
        if process.returncode:
            raise SystemExit(f"the driver ended with status {process.returncode}: {errors}")
        outcome.summaries.append(json.loads(text.splitlines()[-1]))
        outcome.noise += text.splitlines()[:-1]
    outcome.redone = [name for name, data in before.items() if (receipts / name).read_bytes() != data]
    outcome.killed_workers, outcome.removed_nodes = cluster.killed, cluster.removed
    return outcome


def any_in(folder: Path) -> bool:
    """Whether a folder holds something."""
    return folder.is_dir() and any(folder.iterdir())


def run(arguments: list[str]) -> None:
    """``midas batch`` to its end."""
    subprocess.run([sys.executable, "-m", "midas", "batch", *arguments, "--quiet"], check=True)


def start(arguments: list[str]) -> subprocess.Popen[str]:
    """``midas batch``, begun."""
    command = [sys.executable, "-m", "midas", "batch", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | QUIET)


class MarkedCluster:
    """A cluster whose processes bear a mark, by which they, and no others, are killed."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.killed = self.removed = 0
        self._mark = uuid.uuid4().hex
        self._stop = threading.Event()

    def __enter__(self) -> MarkedCluster:
        os.environ.update(QUIET)
        os.environ[MARK] = self._mark
        from ray.cluster_utils import Cluster

        small = {"object_store_memory": 100 * 1024 * 1024, "include_dashboard": False}
        # The head has no processors: it is never removed, and what runs elsewhere may be.
        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
        self._nodes = [
            self._cluster.add_node(num_cpus=self.options.cpus_per_node, object_store_memory=100 * 1024 * 1024)
            for _ in range(self.options.nodes)
        ]
        self._cluster.wait_for_nodes()
        self.address = self._cluster.address
        self._thread = threading.Thread(target=self._disturb, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._cluster.shutdown()

    def _disturb(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(self.options.kill_every_s):
            if not self.removed and time.monotonic() - began > self.options.remove_after_s and len(self._nodes) > 1:
                self._cluster.remove_node(self._nodes.pop(), allow_graceful=False)
                self.removed += 1
            workers = self._workers()
            if workers:
                os.kill(random.choice(workers), signal.SIGKILL)
                self.killed += 1

    def _workers(self) -> list[int]:
        """Processes of this cluster in which a worker of ours has been made."""
        return marked_processes(self._mark, "RayWorker")


def marked_processes(mark: str, called: str) -> list[int]:
    """Processes whose environment bears a mark, and whose command line says what they are called."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            ours = f"{MARK}={mark}".encode() in (folder / "environ").read_bytes()
            if ours and called.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended
            continue
    return found
