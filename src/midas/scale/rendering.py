"""``midas data render`` on a cluster: each worker keeps a process of the generator, and gives it one scene at a time.

The environment, the library and the output folder lie on a file system that all machines share: the generator writes a
scene's views there, and who began the run develops and keeps them.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from midas.scale.engine import Engine
from midas.scale.share import Share
from midas.scale.spread import spread
from midas.scenes.rendered.workers import Job, Outcome, Worker, worker_environment


class RenderWorker:
    """Renders scenes by a process of the generator on its machine.

    Args:
        command: starts that process.
        jobs: all of the round.
        logs: folder of its log.
        limit_s: the most that a scene may take.
        share: its cores are the generator's threads.
    """

    def __init__(self, command: Sequence[str], jobs: Sequence[Job], logs: str, limit_s: float, *, share: Share) -> None:
        self._jobs, self._limit_s = jobs, limit_s
        log = Path(logs) / f"worker-{platform.node()}-{os.getpid()}.log"
        self._worker = Worker(command, worker_environment(max(1, share.cores)), log)

    def __call__(self, item: int) -> Outcome:
        """What became of a job."""
        return self._worker.answer(self._jobs[item], self._limit_s)

    def close(self) -> None:
        """End the generator's process; it ends by itself where this one does."""
        self._worker.close()


def outcomes_by(
    engine: Engine, command: Sequence[str], logs: Path, limit_s: float, next_job: Callable[[], Job | None]
) -> Iterator[Outcome]:
    """What ``WorkerPool.outcomes`` gives, on a cluster: in rounds, each of as many scenes as are still wanted.

    Args:
        engine: where.
        command: starts a process of the generator.
        logs: folder of log files.
        limit_s: the most that a scene may take.
        next_job: gives the next scene, or None when enough are under way.

    Raises:
        MidasError: workers can't be made or keep dying.
    """
    # The generator computes on processors, those of nodes with cards too; and no scene may come twice.
    engine = replace(engine, device="cpu")
    while jobs := list(iter(next_job, None)):
        make = partial(RenderWorker, tuple(command), jobs, str(logs.resolve()), limit_s)
        with closing(spread(make, range(len(jobs)), engine)) as outcomes:  # type: ignore[type-var]
            yield from outcomes
