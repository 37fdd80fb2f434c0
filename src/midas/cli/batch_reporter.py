"""What ``midas batch`` shows while it runs: a bar of pictures, on a terminal; shards that failed, always."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from midas.cli.terminal import tell

if TYPE_CHECKING:
    from midas.scale.job import Plan
    from midas.scale.worker import ShardReport


class BatchReporter(AbstractContextManager["BatchReporter"]):
    """Counts what a run does.

    Args:
        planned: its job.
        quiet: no bar.
    """

    def __init__(self, planned: Plan, *, quiet: bool) -> None:
        self._failed = 0
        self._bar = None
        self._shard_size = planned.job.count
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
        self._failed += report.failed
        if report.error is not None:
            tell(f"midas: shard {report.shard} is tried again: {report.error}")
        elif self._bar:
            failed = f", {self._failed} failed" if self._failed else ""
            self._bar.update(self._task, advance=self._shard_size(report.shard), description=f"depth maps{failed}")
