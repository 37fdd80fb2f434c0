"""Films of exact values: 16-bit grey, lossless (FFV1 in Matroska), and a JSON file that says what they are."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from midas.arrays import Array, UInt16
from midas.errors import OutputError, net
from midas.maps.depth_map import DepthMap
from midas.maps.kinds import INVERSE, KIND_KEY, kind_said
from midas.maps.resize import Interpolation, resize_map
from midas.maps.value_range import ValueRange
from midas.storage.atomic import atomic_file
from midas.version import __version__
from midas.video.frame import FilmFormat, Sound
from midas.video.library import pyav
from midas.video.sinks import FullFrame
from midas.video.spill import MapSpill

SUFFIX, SIDECAR_SUFFIX = ".mkv", ".json"
_FORMAT = "midas film of values, 1"
_LARGEST = 65535
_MILLISECOND = Fraction(1, 1000)  # Matroska's tick
_OPTIONS = {"level": "3", "slices": "4", "slicecrc": "1", "coder": "1", "context": "0"}
_THREADS = 2


class ValuesSink(AbstractContextManager["ValuesSink"]):
    """A film of values in the making: one range for all of it, which is known at the end, so that maps wait on disk.

    Args:
        path: of the film; the JSON file lies beside it.
        film: what it is made of.
        about: what the JSON file says of all frames.
        restore: how a map grows to the frame's size.
        overwrite: whether files may be replaced.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, path: Path, film: FilmFormat, about: dict[str, Any], restore: Interpolation, *, overwrite: bool
    ) -> None:
        self._path, self._film, self._about, self._restore, self._overwrite = path, film, about, restore, overwrite
        path.parent.mkdir(parents=True, exist_ok=True)
        self._spill = MapSpill(path.parent)
        self._low, self._high = math.inf, -math.inf
        self._size = (0, 0)
        # 32 bytes a frame: as lists of Python's numbers they would be the memory that grows with a film.
        self._frames: dict[str, array[Any]] = {
            "ticks": array("q"), "time_s": array("d"), "scale": array("d"), "shift": array("d"),
        }  # fmt: skip
        self._cuts: list[int] = []

    def write(self, full: FullFrame) -> None:
        """Take the next frame."""
        self._spill.append(full.mapped.values)
        self._low, self._high = min(self._low, float(full.values.min())), max(self._high, float(full.values.max()))
        self._size = (full.values.shape[0], full.values.shape[1])
        gauge, frame = full.mapped.gauge, full.frame
        if full.mapped.is_cut:
            self._cuts.append(len(self._frames["ticks"]))
        for name, value in zip(self._frames, (frame.ticks, frame.time_s, gauge.scale, gauge.shift), strict=True):
            self._frames[name].append(value)

    def finish(self, sound: Sound) -> None:
        """Write both files; films of values are silent."""
        value_range = ValueRange(self._low, self._high)
        with atomic_file(self._path, overwrite=self._overwrite) as file, self._sidecar() as sidecar:
            self._encode(file, value_range)
            for part in json.JSONEncoder().iterencode(self._description(value_range)):
                sidecar.write(part.encode())

    def __exit__(self, *_: object) -> None:
        self._spill.close()

    def _sidecar(self) -> Any:
        return atomic_file(self._path.with_suffix(SIDECAR_SUFFIX), overwrite=self._overwrite)

    def _description(self, value_range: ValueRange) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "software": f"midas-depth {__version__}",
            **self._about,
            "size": list(self._size),
            "low": value_range.low,
            "high": value_range.high,
            "step": value_range.step(_LARGEST),
            "time_base": str(self._film.time_base),
            "cuts": self._cuts,
            "frames": {name: numbers.tolist() for name, numbers in self._frames.items()},
        }

    def _encode(self, file: IO[bytes], value_range: ValueRange) -> None:
        av = pyav()
        with av.open(file, mode="w", format="matroska") as container:
            stream = container.add_stream("ffv1", rate=self._film.rate_hz)
            stream.height, stream.width = self._size
            stream.pix_fmt, stream.options = "gray16le", _OPTIONS
            stream.time_base = stream.codec_context.time_base = _MILLISECOND
            stream.codec_context.thread_count, stream.codec_context.thread_type = _THREADS, "SLICE"
            last = -1
            for values, ticks in zip(self._spill, self._frames["ticks"], strict=True):
                codes = value_range.codes_16bit(resize_map(values, self._size, self._restore))
                frame = av.VideoFrame.from_ndarray(codes, format="gray16le")
                last = max(last + 1, round(ticks * self._film.time_base / _MILLISECOND))
                frame.pts, frame.time_base = last, _MILLISECOND
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))


def read_values(path: str | Path) -> Generator[DepthMap, None, None]:
    """The maps of a film of values, in order, one at a time: within half a ``step`` of what was written.

    Args:
        path: the film (.mkv) that ``midas video --format values`` wrote, or its JSON file; both must lie together.

    Raises:
        OutputError: either is missing or damaged, or it is no such film.
        MissingExtraError: PyAV is not installed.
    """
    path = Path(path)
    film, sidecar = path.with_suffix(SUFFIX), path.with_suffix(SIDECAR_SUFFIX)
    with net(f"{film} can't be read as a film of values", OutputError, f"expected {sidecar.name} beside it"):
        about = json.loads(sidecar.read_text(encoding="utf-8"))
        if about["format"] != _FORMAT:
            raise OutputError(f"{sidecar} says {about['format']!r}: expected {_FORMAT!r}")
        kind, low, step = kind_said({KIND_KEY: about[KIND_KEY]}, sidecar), float(about["low"]), float(about["step"])
        times = about["frames"]["time_s"]
        size = tuple(about["size"])
        count = 0
        for codes in _codes(film):
            if codes.shape != size or kind is None:
                raise OutputError(f"{film} holds frames of {codes.shape}: expected {size}, of a known kind")
            values = (low + step * codes.astype(np.float64)).astype(np.float32)
            yield DepthMap(values, about["model"], about["source"], kind, time_s=times[count])
            count += 1
        if count != len(times):
            raise OutputError(f"{film} ends after {count} of {len(times)} frames: write it anew")


def description(model: str, source: str | None, kind: str, steady: str, start_s: float) -> dict[str, Any]:
    """What a film of values says of itself, beside its frames."""
    nearer = "larger" if kind in INVERSE else "smaller"
    return {KIND_KEY: kind, "nearer_is": nearer, "model": model, "source": source, "steady": steady, "start_s": start_s}


def _codes(film: Path) -> Iterator[UInt16[Array, "H W"]]:
    av = pyav()
    with av.open(f"file:{film}") as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "SLICE", _THREADS
        for frame in container.decode(stream):
            yield frame.to_ndarray()
