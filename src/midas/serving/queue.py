"""The line in front of the work: bounded by the time that waiting takes, not by a number."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from midas.serving.problems import BusyError, ProblemError

Result = TypeVar("Result")

# The share that the latest job has in the mean. Its half-life is 14 jobs.
_NEWEST = 0.05


@dataclass(frozen=True)
class Done(Generic[Result]):
    """A job's result, and how long it had waited for its turn, in seconds."""

    result: Result
    waited_s: float


class ClientGoneError(ProblemError):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__(400, "the client has gone", reason="client-gone")


class WorkQueue:
    """Threads that work, and the requests that wait for one in their order. Belongs to one event loop.

    A request's cost is told in units, 1 being a picture at the model's own size, so that one that takes thirty times
    as long counts thirty times.

    Args:
        threads: how many jobs run at a time.
        queue_s: a request that would have to wait longer is refused at once; one that has waited twice as long is
            given up.
    """

    def __init__(self, threads: int, queue_s: float) -> None:
        self.threads = threads
        self.queue_s = queue_s
        self.waiting = 0
        self.running = 0
        self._owed = 0.0
        self._full_since: float | None = None
        self._seconds_per_unit = 0.0
        self._slots: asyncio.Semaphore | None = None
        self._pool: ThreadPoolExecutor | None = None

    def widen(self, threads: int) -> None:
        """Let at least so many jobs run at a time; it must be known before the first one."""
        if threads > self.threads:
            assert self._pool is None, "jobs run already"
            self.threads = threads

    def expected_wait_s(self) -> float:
        """How long a request that comes now would wait for its turn, by the mean of the last ones."""
        # Those count too that have come in this very moment and are on their way to a free thread.
        all_taken = self.waiting + self.running >= self.threads
        return self._owed * self._seconds_per_unit / self.threads if all_taken else 0.0

    def full_for_s(self) -> float:
        """For how long every request has been refused, in seconds."""
        if self.expected_wait_s() <= self.queue_s:  # nobody needs to have come since to find it so
            self._full_since = None
        return 0.0 if self._full_since is None else time.monotonic() - self._full_since

    async def run(self, job: Callable[[], Result], cost: float, gone: Callable[[], Awaitable[bool]]) -> Done[Result]:
        """Do a job in a thread when it is its turn.

        Args:
            job: what to do.
            cost: of it, in units.
            gone: whether nobody waits for the result; looked up before the job begins.

        Raises:
            BusyError: there is more to do than ``queue_s`` allows.
            ClientGoneError: as ``gone`` says.
        """
        if self._slots is None or self._pool is None:  # made in the loop to which it belongs
            self._slots = asyncio.Semaphore(self.threads)
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="midas-serve")
        expected_s = self.expected_wait_s()
        if expected_s > self.queue_s:
            self._full_since = self._full_since or time.monotonic()
            raise BusyError(expected_s, f"{self.waiting} requests are waiting, as many as can be done in time")
        self._full_since = None
        start = time.monotonic()
        self._owed += cost
        try:
            await self._turn(self._slots)
            waited_s = time.monotonic() - start
            self.running += 1
            try:
                if await gone():
                    raise ClientGoneError
                began = time.monotonic()
                result = await asyncio.get_running_loop().run_in_executor(self._pool, job)
                self._learn((time.monotonic() - began) / cost)
            finally:
                self.running -= 1
                self._slots.release()
        finally:
            self._owed -= cost
        return Done(result, waited_s)

    async def _turn(self, slots: asyncio.Semaphore) -> None:
        self.waiting += 1
        try:
            await asyncio.wait_for(slots.acquire(), 2 * self.queue_s)
        except asyncio.TimeoutError:
            raise BusyError(self.queue_s, "the request has waited as long as it may", reason="waited") from None
        finally:
            self.waiting -= 1

    def _learn(self, seconds: float) -> None:
        known = self._seconds_per_unit
        self._seconds_per_unit = known + _NEWEST * (seconds - known) if known else seconds

    def close(self) -> None:
        """Let the threads end."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
