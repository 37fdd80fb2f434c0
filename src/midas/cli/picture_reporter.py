"""What the commands say of each picture: a bar, lines of JSON, errors, a summary."""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midas.cli.terminal import say, tell, tell_lines
from midas.folder import PictureReport

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Reporter(AbstractContextManager["Reporter"]):
    """Says what becomes of the pictures: JSON on standard output, all else on standard error.

    Args:
        total: number of pictures.
        output_dir: named in the summary.
        as_json: whether each picture gives a line of JSON.
        quiet: errors only, neither progress nor summary.
        debug: whether errors show their traceback.
        how: how scale and shift were found, where maps are metres.
    """

    def __init__(self, total: int, output_dir: Path, *, as_json: bool, quiet: bool, debug: bool, how: str = "") -> None:
        self.done = self.skipped = self.failed = 0
        self._output_dir = output_dir
        self._as_json = as_json
        self._quiet = quiet
        self._debug = debug
        self._how = how
        on_terminal = sys.stderr.isatty() and not (as_json and sys.stdout.isatty())
        self._talkative = on_terminal and not quiet
        self._bar: Progress | None = _progress_bar() if self._talkative and total > 1 else None
        self._tiles: TaskID | None = None
        self._task: TaskID | None = self._bar.add_task("depth maps", total=total) if self._bar else None

    def show_tiles(self, done: int, total: int) -> None:
        """Say how far the picture under way is, on a terminal; a lone picture gets a bar of its own."""
        if not self._talkative:
            return
        if self._bar is None:
            self._bar = _progress_bar()
            self._bar.start()
        if self._tiles is None:
            self._tiles = self._bar.add_task("tiles", total=total)
        self._bar.update(self._tiles, completed=done, total=total, visible=done < total)

    def __enter__(self) -> Reporter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._bar:
            self._bar.stop()
        if kind is None and not self._quiet and (self._talkative or self.skipped or self.failed):
            tell(self._summary())

    def show(self, report: PictureReport) -> None:
        """Count a picture and say what became of it."""
        self.done += report.size is not None
        self.skipped += report.skipped
        self.failed += report.error is not None
        if self._as_json:
            say(json.dumps(_json_of(report, self._how)))
        if report.error is not None:
            if self._debug:
                tell_lines("".join(traceback.format_exception(report.error)))
            tell(f"midas: error: {_error_text(report)}")
        if self._bar and self._task is not None:
            self._bar.advance(self._task)

    def _summary(self) -> str:
        parts = [f"{self.done} done, in {self._output_dir}"]
        if self.skipped:
            parts.append(f"{self.skipped} there already (--overwrite replaces them)")
        if self.failed:
            parts.append(f"{self.failed} failed")
        return "midas: " + "; ".join(parts)


def _progress_bar() -> Progress:
    # Takes as long to import as typer itself, and most runs show none.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True)


def _error_text(report: PictureReport) -> str:
    text = report.error.message if report.error else ""
    # An address that was taken for a path has lost one of its slashes.
    named = str(report.source) in text.replace("//", "/")
    return text if named else f"{report.source}: {text}"


def _json_of(report: PictureReport, how: str = "") -> dict[str, Any]:
    line: dict[str, Any] = {"input": str(report.source)}
    if report.error is not None:
        return {**line, "error": _error_text(report)}
    line["outputs"] = [str(path) for path in report.outputs]
    if report.size is None or report.value_range is None:
        return {**line, "skipped": True}
    minimum, maximum = report.value_range
    milliseconds = round(report.milliseconds, 1)
    tiles = {"tiles": report.tiles} if report.tiles else {}
    found = report.alignment
    metres = {} if found is None else {"scale": found.scale, "shift": found.shift, "found": how}
    shown = {"min": minimum, "max": maximum, **metres}
    return {**line, "size": list(report.size), "milliseconds": milliseconds, **tiles, **shown}
