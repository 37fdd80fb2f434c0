"""What ``midas batch`` shows while it runs: a bar on a terminal, elsewhere a line a minute; and shards that failed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from midas.cli.terminal import tell

if TYPE_CHECKING:
    from midas.scale.job import Plan
    from midas.scale.worker import ShardReport


SECONDS_BETWEEN_LINES = 60.0


class BatchReporter(AbstractContextManager["BatchReporter"]):
    """Counts what a run does.

    Args:
        planned: its job.
        quiet: neither bar nor lines.
        clock: seconds, from whenever.
    """

    def __init__(self, planned: Plan, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._job, self._quiet, self._clock = planned.job, quiet, clock
        self._done, self._failed, self._new = planned.done, planned.failed, 0
        self._began = self._last_line = clock()
        self._bar = None
        if sys.stderr.isatty() and not quiet:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True)
            self._task = self._bar.add_task("depth maps", total=planned.job.pictures, completed=planned.done)

    def __enter__(self) -> BatchReporter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, report: ShardReport) -> None:
        """Take a shard into account."""
        if report.error is not None:
            tell(f"midas: shard {report.shard} is tried again: {report.error}")
            return
        pictures = self._job.count(report.shard)
        self._done += pictures
        self._new += report.pictures
        self._failed += report.failed
        if self._bar:
            self._bar.update(self._task, advance=pictures, description=f"depth maps{self._failures}")
        elif not self._quiet and self._clock() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = self._clock()
            tell(f"midas: {self._done} of {self._job.pictures}{self._failures}{self._pace}")

    @property
    def _failures(self) -> str:
        return f", {self._failed} failed" if self._failed else ""

    @property
    def _pace(self) -> str:
        from midas.scale.status import duration

        per_second = self._new / max(self._clock() - self._began, 1e-3)
        if not per_second:
            return ""
        return f", {per_second:.1f} pictures/s, {duration((self._job.pictures - self._done) / per_second)} to go"
