"""A film's maps as single files in a folder, and a table of their times."""

from __future__ import annotations

import csv
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import IO

from midas.maps.depth_map import DepthMap
from midas.maps.formats import format_by_name
from midas.maps.kinds import Kind
from midas.storage.atomic import atomic_folder
from midas.video.frame import Sound
from midas.video.sinks import FullFrame

FRAME_FORMATS = ("png16", "exr", "npy")
TABLE_NAME = "times.csv"
_COLUMNS = ("frame", "file", "time_s", "scale", "shift", "is_cut")


class FramesSink(AbstractContextManager["FramesSink"]):
    """A folder of maps in the making; it appears when all are there.

    Args:
        path: the folder.
        format_name: of each map: one of ``FRAME_FORMATS``.
        model, source, kind: as for a ``DepthMap``.
        overwrite: whether a folder of that name may be replaced.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, path: Path, format_name: str, model: str, source: str | None, kind: Kind, *, overwrite: bool
    ) -> None:
        self._format = format_by_name(format_name)
        self._model, self._source, self._kind = model, source, kind
        with ExitStack() as stack:
            self._folder = stack.enter_context(atomic_folder(path, overwrite=overwrite))
            self._table: IO[str] = stack.enter_context(
                (self._folder / TABLE_NAME).open("w", newline="", encoding="utf-8")
            )
            self._stack = stack.pop_all()
        self._rows = csv.writer(self._table)
        self._rows.writerow(_COLUMNS)
        self._count = 0

    def write(self, full: FullFrame) -> None:
        """Take the next frame."""
        self._count += 1
        name = f"{self._count:06d}{self._format.suffix}"
        frame, gauge = full.frame, full.mapped.gauge
        depth_map = DepthMap(full.values, self._model, self._source, self._kind, time_s=frame.time_s)
        depth_map.save(self._folder / name, self._format.name)
        self._rows.writerow(
            (self._count, name, repr(frame.time_s), repr(gauge.scale), repr(gauge.shift), int(full.mapped.is_cut))
        )

    def finish(self, sound: Sound) -> None:
        """All are there; single files are silent."""
        self._table.flush()

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        self._stack.__exit__(kind, *details)  # type: ignore[arg-type]
