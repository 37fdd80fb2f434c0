"""The files of points and meshes: a suffix chooses the writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from midas.errors import OutputError
from midas.storage.atomic import atomic_file


def write_scene_file(
    path: str | Path, writers: Mapping[str, Callable[..., bytes]], content: tuple[Any, ...], *, overwrite: bool
) -> None:
    """Write a file, complete or not at all, by the writer of its suffix.

    Raises:
        OutputError: no such writer, a file that is there already, or one that can't be written.
    """
    path = Path(path)
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise OutputError(f"{path} has the suffix {path.suffix!r}: expected {' or '.join(writers)}")
    data = writer(*content)
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(data)
