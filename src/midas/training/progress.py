"""How far a run is: a bar on a terminal, and elsewhere, in a log file say, a line a minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 60.0


class RunProgress:
    """Shows the steps of a run as they are done; a context, within which something may be shown.

    Args:
        epochs, steps_per_epoch: length of the run.
        visible: False where another process shows it.
        stream: text stream to write to; standard error if None.
        clock: seconds, from whenever.
    """

    def __init__(
        self,
        epochs: int,
        steps_per_epoch: int,
        *,
        visible: bool = True,
        stream: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.visible = visible
        self.stream = stream or sys.stderr
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=Console(file=self.stream),
            disable=not (visible and self.stream.isatty()),
        )
        self._task = self.bar.add_task("", total=steps_per_epoch, note="")
        self._clock = clock
        self._started = clock()
        self._steps = 0
        self._last_line = self._started

    def __enter__(self) -> RunProgress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.bar.stop()

    def begin_epoch(self, epoch: int, step: int) -> None:
        """Start over, or in the midst of an epoch where a run goes on.

        Args:
            epoch: finished ones.
            step: finished ones of this epoch.
        """
        self.bar.reset(self._task, completed=step, description=f"epoch {epoch + 1}/{self.epochs}", note="")

    def step(self, epoch: int, step: int, loss: float, pictures_per_s: float) -> None:
        """Show one more step.

        Args:
            epoch: finished ones.
            step: finished ones of this epoch.
            loss: mean over them.
            pictures_per_s: over them.
        """
        self._steps += 1
        now = self._clock()
        left = (self.epochs - epoch) * self.steps_per_epoch - step
        remaining = spoken((now - self._started) / self._steps * left)
        note = f"loss {loss:.4f}  {pictures_per_s:.1f} pictures/s  {remaining} left in all"
        self.bar.update(self._task, completed=step, note=note)
        if self.bar.disable and self.visible and now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            self.say(f"epoch {epoch + 1}/{self.epochs}, step {step}/{self.steps_per_epoch}: {note}")

    def say(self, line: str) -> None:
        """Print a line, above the bar where there is one."""
        if not self.visible:
            return
        if self.bar.disable:
            print(line, file=self.stream, flush=True)
        else:
            self.bar.console.print(line, markup=False, highlight=False)


def spoken(seconds: float) -> str:
    """A duration as one says it: ``42 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
