"""Which films are meant, and which files their maps go to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from midas.errors import ConfigError
from midas.video.reading import is_url
from midas.video.writing import CONTAINERS

STANDARD_INPUT, STANDARD_INPUT_NAME = "-", "stdin"
VALUES, FRAMES = "values", "frames"
_VALUES_SUFFIX = ".mkv"


@dataclass(frozen=True)
class FilmJob:
    """A film and the files that its maps go to.

    Attributes:
        source: a path or URL.
        outputs: format → file, or folder of the single frames.
    """

    source: str
    outputs: Mapping[str, Path]

    @property
    def done(self) -> bool:
        """Whether all are there already."""
        return all(os.path.lexists(path) for path in self.outputs.values())


def plan_film_outputs(
    sources: Sequence[str], out: Path, formats: Sequence[str], suffix: str, tags: Mapping[str, str] | None = None
) -> list[FilmJob]:
    """Give each film output files of its own, named after it; two films of one name keep their suffix too.

    Args:
        sources: paths, URLs, ``-``.
        out: the folder; or a file, where there is one film for the eye in one format.
        formats: names of formats, each once.
        suffix: of films for the eye: a key of ``CONTAINERS``.
        tags: format → what stands behind a film's name in its file's, where that is not the format.

    Raises:
        ConfigError: a file for more than one output, or two films that can't be told apart.
    """
    if out.suffix.lower() in (*CONTAINERS, _VALUES_SUFFIX) and not out.is_dir():
        if len(sources) > 1 or len(formats) > 1:
            raise ConfigError(
                f"{out} is one file: expected a folder for {len(sources)} films in {len(formats)} formats"
            )
        if formats[0] != FRAMES:
            return [FilmJob(sources[0], {formats[0]: out})]
    names = [_name_of(source) for source in sources]
    sharing = Counter(Path(name).stem.casefold() for name in names)
    jobs = []
    for source, name in zip(sources, names, strict=True):
        stem = Path(name).stem if sharing[Path(name).stem.casefold()] == 1 else name
        outputs = {each: out / f"{stem}_{(tags or {}).get(each, each)}{_suffix_of(each, suffix)}" for each in formats}
        jobs.append(FilmJob(source, outputs))
    taken = Counter(str(path).casefold() for job in jobs for path in job.outputs.values())
    if taken and max(taken.values()) > 1:
        twice = next(path for path, count in taken.items() if count > 1)
        raise ConfigError(f"two films would be written to {twice}: map them one by one, with -o")
    return jobs


def _suffix_of(format_name: str, suffix: str) -> str:
    return {VALUES: _VALUES_SUFFIX, FRAMES: ""}.get(format_name, suffix)


def _name_of(source: str) -> str:
    if source == STANDARD_INPUT:
        return STANDARD_INPUT_NAME
    if is_url(source):
        return source.rstrip("/").rpartition("/")[2].partition("?")[0] or "stream"
    path = Path(source)
    return (
        path.resolve().name if path.is_dir() else path.name.partition("%")[0].strip("*_-.") or path.parent.name
    ) or "film"
