"""Processes of the generator: each takes one job as a line of JSON and answers it with one; a dead one is replaced."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midas.errors import RenderError

Job = Mapping[str, Any]

# Blender keeps a part of what each scene took; a fresh process now and then gives it back.
JOBS_PER_PROCESS = 12
FAILURES_BEFORE_GIVING_UP = 4

# Less than the files of a scene take.
_FULL_BYTES = 1 << 16

READY = '{"ready": true}'


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: as it was given.
        reply: the generator's answer; empty if there is none.
        error: why there is none, in one line; None if there is one.
        fatal: the process died before it was ready to do any job: the next one will too.
    """

    job: Job
    reply: Mapping[str, Any]
    error: str | None = None
    fatal: bool = False


class Worker:
    """One process of the generator, started when the first job comes and again after it died.

    Args:
        command: how to start it.
        environment: its variables.
        log: file that its standard error goes to.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path):
        self.command = list(command)
        self.environment = dict(environment)
        self.log = log
        self._process: subprocess.Popen[str] | None = None
        self._jobs_done, self._ready = 0, False
        self._starting, self._closed = threading.Lock(), False

    def answer(self, job: Job, limit_s: float) -> Outcome:
        """Have a job done. Whatever happens to the process is told in the outcome, not raised.

        Args:
            limit_s: after so many seconds the process is ended.
        """
        process = self._started()
        if process is None:
            return Outcome(job, {}, "stopped")
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(limit_s, end)
        watch.start()
        try:
            line = self._exchange(process, job)
        finally:
            watch.cancel()
        reply = _parsed(line)
        if reply is None:
            fatal = not (self._ready or late.is_set())
            self.stop()
            reason = (
                f"took longer than {limit_s:g} s" if late.is_set() else f"the generator ended: {self._last_words()}"
            )
            return Outcome(job, {}, reason, fatal=fatal)
        self._jobs_done += 1
        if self._jobs_done >= JOBS_PER_PROCESS:
            self.stop()
        return Outcome(job, reply)

    def close(self) -> None:
        """End the process and start none any more; a job under way ends without an answer."""
        with self._starting:
            self._closed = True
            self.stop()

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        self._jobs_done, self._ready = 0, False
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _close_quietly(stream)

    def _exchange(self, process: subprocess.Popen[str], job: Job) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if line.strip() == READY:  # the first line of a process that has loaded what it needs
                self._ready = True
                line = process.stdout.readline()
            return line
        except (OSError, ValueError):  # it died while it was written to, or was stopped while it was read
            return ""

    def _started(self) -> subprocess.Popen[str] | None:
        with self._starting:
            if self._process is not None or self._closed:
                return self._process
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                # A session of its own: Ctrl-C reaches this program alone, which then ends the processes in order.
                self._process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=self.environment,
                    text=True,
                    encoding="utf-8",
                    start_new_session=True,
                )
            return self._process

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if lines:
            return lines[-1].strip()
        # Where its files have no room its words have none either.
        full = shutil.disk_usage(self.log.parent).free < _FULL_BYTES
        return f"{os.strerror(errno.ENOSPC)}: {self.log.parent}" if full else "it said nothing"


def _close_quietly(stream: Any) -> None:
    try:
        stream.close()
    except OSError:  # what was still to be written has no reader any more
        return


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        reply = json.loads(line)
    except json.JSONDecodeError:
        return None
    return reply if isinstance(reply, dict) else None


def worker_environment(threads: int) -> dict[str, str]:
    """The variables of a process of the generator that has so many threads."""
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MIDAS_RENDER_THREADS")
    environment = os.environ | dict.fromkeys(variables, str(threads))
    # The generator has packages of its own; ours would be the wrong ones.
    return {key: value for key, value in environment.items() if key not in ("PYTHONPATH", "PYTHONHOME")}


class WorkerPool:
    """Several workers on one sequence of jobs.

    Args:
        command: how to start a process.
        workers: how many there are at a time.
        logs: folder of their log files.
        limit_s: the most that one job may take.
        threads: processor threads of each process.
    """

    def __init__(self, command: Sequence[str], workers: int, logs: Path, *, limit_s: float, threads: int = 1):
        environment = worker_environment(threads)
        self.limit_s = limit_s
        self._workers = [Worker(command, environment, logs / f"worker-{number}.log") for number in range(workers)]

    def outcomes(self, next_job: Callable[[], Job | None]) -> Iterator[Outcome]:
        """Do jobs, and give what became of them as they end.

        Close the iterator (or let an exception pass through the loop) and the processes are ended at once.

        Args:
            next_job: gives a job when a worker is free, or None for none now; it is asked again after each outcome, and
                when it gives none and nothing is under way, that is the end.

        Raises:
            RenderError: processes keep dying before they have answered once.
        """
        idle, running = list(self._workers), dict[Future[Outcome], Worker]()
        fatal = 0
        with ThreadPoolExecutor(len(self._workers)) as threads:
            try:
                while True:
                    while idle and (job := next_job()) is not None:
                        worker = idle.pop()
                        running[threads.submit(worker.answer, job, self.limit_s)] = worker
                    if not running:
                        return
                    ended = next(iter(wait(running, return_when=FIRST_COMPLETED).done))
                    idle.append(running.pop(ended))
                    outcome = ended.result()
                    fatal = fatal + 1 if outcome.fatal else 0
                    if fatal >= FAILURES_BEFORE_GIVING_UP:
                        raise RenderError(f"the generator can't be run; {outcome.error}")
                    yield outcome
            finally:
                for worker in self._workers:
                    worker.close()
