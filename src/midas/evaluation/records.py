"""Figures of single pictures in a CSV file: written as they come, so that a run that stopped can go on."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from midas.errors import ConfigError, OutputError
from midas.evaluation.scoring import PictureScore

_FIXED = ("model", "set", "protocol", "index", "picture", "pixels")


@dataclass(frozen=True)
class RunKey:
    """What tells one run from another in a file that holds several.

    Attributes:
        model: what is measured.
        dataset: on which set.
        protocol: by which rules.
    """

    model: str
    dataset: str
    protocol: str


class ScoreFile:
    """A CSV file with one line per picture.

    Args:
        path: the file.
        metrics: names of the figures that any run will write.
        resume: whether a file that is there is read and continued.
        overwrite: whether a file that is there is replaced.

    Raises:
        OutputError: the file is there and neither was asked for, or it can't be read or written.
        ConfigError: the file that is to be continued has other columns.
    """

    def __init__(self, path: Path, metrics: tuple[str, ...], *, resume: bool = False, overwrite: bool = False) -> None:
        self.path = path
        self.metrics = metrics
        self._known: dict[tuple[RunKey, int], list[str]] = {}
        there = path.is_file() and path.stat().st_size > 0
        if there and not (resume or overwrite):
            raise OutputError(f"{path} exists already: continue it (--resume), or allow overwriting (--overwrite)")
        try:
            if there and resume:
                self._read()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("a" if there and resume else "w", encoding="utf-8", newline="")
        except OSError as error:
            raise OutputError(f"{path} can't be written: {error.strerror or error}") from error
        self._writer = csv.writer(self._file, lineterminator="\n")
        if not (there and resume):
            self._write((*_FIXED, *metrics))

    def __enter__(self) -> ScoreFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def known(self, key: RunKey, index: int, metrics: tuple[str, ...]) -> PictureScore | None:
        """The score of a set's picture if the file held it already, with all of these metrics."""
        row = self._known.get((key, index))
        if row is None:
            return None
        picture, pixels, *cells = row
        figures = dict(zip(self.metrics, cells, strict=True))
        wanted = [figures[name] for name in metrics]
        return PictureScore(picture, int(pixels), tuple(map(float, wanted))) if all(wanted) else None

    def write(self, key: RunKey, index: int, score: PictureScore, metrics: tuple[str, ...]) -> None:
        """Add a line; the system has it when this returns.

        Raises:
            OutputError: the file can't be written.
        """
        figures = {name: f"{value:.9g}" for name, value in zip(metrics, score.figures, strict=True)}
        cells = [figures.get(name, "") for name in self.metrics]
        self._write((key.model, key.dataset, key.protocol, str(index), score.name, str(score.pixels), *cells))

    def _write(self, row: tuple[str, ...]) -> None:
        try:
            self._writer.writerow(row)
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self.path} can't be written: {error.strerror or error}") from error

    def _read(self) -> None:
        whole = self.path.read_bytes()
        complete = whole[: whole.rfind(b"\n") + 1]  # a run that was killed may have left half a line
        header, *rows = csv.reader(complete.decode("utf-8").splitlines()) or [[]]
        if tuple(header) != (*_FIXED, *self.metrics):
            raise ConfigError(
                f"{self.path} has the columns {', '.join(header) or 'none'}; expected "
                f"{', '.join((*_FIXED, *self.metrics))}: continue it with the same metrics, or write another file"
            )
        for model, dataset, protocol, index, *rest in rows:
            self._known[RunKey(model, dataset, protocol), int(index)] = rest
        if complete != whole:
            with self.path.open("r+b") as file:
                file.truncate(len(complete))
