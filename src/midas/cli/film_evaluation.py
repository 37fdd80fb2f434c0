"""What ``midas evaluate --video`` measures: films, one model at a time, under a bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from midas.backends.choice import for_films
from midas.errors import ConfigError
from midas.loading import load


@dataclass(frozen=True)
class FilmsJob:
    """What is measured, and how.

    Attributes:
        films: paths or addresses.
        models: names or files.
        truth: folder of the one film's measured depth.
        strip: picture of the one film and model to write.
        strip_at: its column, from 0 to 1.
        size, backend, device: as ``midas.load`` takes them.
        limit: at most so many frames of each.
        overwrite: whether the strip may be replaced.
    """

    films: Sequence[str]
    models: Sequence[str]
    truth: Path | None = None
    strip: Path | None = None
    strip_at: float = 0.5
    size: int | None = None
    backend: str = "auto"
    device: str = "auto"
    limit: int | None = None
    overwrite: bool = False

    def run(self, *, as_json: bool) -> str:
        """Measure all, and give the table.

        Raises:
            ConfigError: several films and one truth, or one strip for several.
            MidasError: a film, a model or the truth can't be read.
        """
        from midas.evaluation.film_report import films_json, films_markdown, write_strip
        from midas.evaluation.films import measure_film

        if self.truth is not None and len(self.films) > 1:
            raise ConfigError(f"--truth belongs to one film, and there are {len(self.films)}")
        if self.strip is not None and len(self.films) * len(self.models) > 1:
            raise ConfigError("--strip is one picture: give one --video and one --model")
        results = []
        for model in self.models:
            backend = for_films(self.backend, model, self.device)
            predictor = load(model, size=self.size, device=self.device, backend=backend)
            for film in self.films:
                with _counter(film) as on_frame:
                    found = measure_film(
                        predictor, film, self.truth, strip_at=self.strip_at, limit=self.limit, on_frame=on_frame
                    )
                results.append(found)
                if self.strip is not None:
                    write_strip(self.strip, found.strip, overwrite=self.overwrite)
        return films_json(results) if as_json else films_markdown(results)


@contextmanager
def _counter(film: str) -> Iterator[Callable[[int], object] | None]:
    """Counts frames on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status(film) as status:
        yield lambda count: status.update(f"{film}: {count} frames")
