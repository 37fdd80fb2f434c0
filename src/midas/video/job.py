"""One film in, its map films out: the job behind ``midas video`` and ``Predictor.video``."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from midas.errors import ConfigError, OutputError, VideoError
from midas.maps.depth_map import DepthMap
from midas.maps.resize import unguided
from midas.storage.atomic import atomic_file
from midas.video.frame import FilmFormat
from midas.video.frame_files import FramesSink
from midas.video.mapping import FramePredictor, MappedFrame, at_frame_size, joint_gauges, mapped_again, mapped_frames
from midas.video.outputs import FRAMES, VALUES
from midas.video.reading import Damage, FilmSource
from midas.video.sequences import OpenFilm, open_film
from midas.video.sinks import EyeSink, FullFrame, Painter, Sink, map_painter
from midas.video.spill import MapSpill
from midas.video.steady import SteadyMode
from midas.video.values import ValuesSink, description
from midas.video.writing import DEFAULT_CRF

COLOR, SIDE_BY_SIDE = "color", "side-by-side"
EYE_FORMATS = (COLOR, SIDE_BY_SIDE)
FILM_FORMATS = (*EYE_FORMATS, VALUES, FRAMES)

_MISSING_S, _MISSING_SHARE = 1.0, 0.02


@dataclass(frozen=True)
class FilmSettings:
    """How a film is read, mapped and written.

    Attributes:
        steady: one of ``midas.video.STEADY_MODES``.
        start_s, end_s: which part of it.
        rate_hz: frames per second of a folder of pictures.
        batch: how many frames go through the network at once.
        colormap: of the films for the eye.
        crf: their quality, from 0 (lossless) to 51.
        frame_format: of single files: one of ``midas.video.frame_files.FRAME_FORMATS``.
        overwrite: whether existing files are replaced.
        painters: further films for the eye: name of the format → what they show.
    """

    steady: SteadyMode = "flow"
    start_s: float = 0.0
    end_s: float | None = None
    rate_hz: float = 25.0
    batch: int = 1
    colormap: str = "inferno"
    crf: int = DEFAULT_CRF
    frame_format: str = "png16"
    overwrite: bool = False
    painters: Mapping[str, Painter] = field(default_factory=dict)

    def painter(self, format_name: str) -> Painter:
        """What a film for the eye shows.

        Raises:
            OutputError: no such format.
        """
        if format_name in EYE_FORMATS:
            return map_painter(self.colormap, with_picture=format_name == SIDE_BY_SIDE)
        if format_name not in self.painters:
            names = ", ".join((*FILM_FORMATS, *self.painters))
            raise OutputError(f"unknown format {format_name!r}: expected one of {names}")
        return self.painters[format_name]

    def opened(self, source: FilmSource) -> OpenFilm:
        """The part of a film that is wanted."""
        return open_film(source, self.start_s, self.end_s, self.rate_hz)


@dataclass(frozen=True)
class FilmReport:
    """What became of a film.

    Attributes:
        source: the film.
        outputs: the files that are there now.
        frames: how many were mapped.
        size: (height, width) of a frame, in pixels.
        cuts: how many shots begin, after the first.
        seconds: how long it took.
        damage: what was wrong with the film.
        notes: what the user should know, a sentence each.
        missing_s: how much of its end a damaged film lacks; 0 where it is all there.
    """

    source: str
    outputs: tuple[Path, ...]
    frames: int
    size: tuple[int, int]
    cuts: int
    seconds: float
    damage: Damage
    notes: tuple[str, ...] = ()
    missing_s: float = 0.0


def film_maps(
    predictor: FramePredictor, source: FilmSource, settings: FilmSettings = FilmSettings()
) -> Generator[DepthMap, None, None]:
    """The maps of a film, one per frame, each at the frame's size.

    Args:
        predictor: the model.
        source: the film.
        settings: how; what concerns files is not looked at.

    Raises:
        VideoError: it can't be read, or has no frames.
        ModelError: the network fails.
    """
    name = Path(source).name if isinstance(source, str | Path) else None
    with ExitStack() as stack:
        film = stack.enter_context(closing(settings.opened(source)))
        for mapped in stack.enter_context(closing(_mapped(predictor, source, film, settings, stack))):
            values = at_frame_size(predictor, mapped)
            yield DepthMap(values, predictor.name, name, predictor.kind, time_s=mapped.frame.time_s)


def write_film(
    predictor: FramePredictor,
    source: FilmSource,
    outputs: Mapping[str, Path],
    settings: FilmSettings = FilmSettings(),
) -> FilmReport:
    """Map a film and write what comes of it; the files appear when all of them are complete.

    Args:
        predictor: the model.
        source: the film.
        outputs: format → file.
        settings: how.

    Raises:
        VideoError: it can't be read, or has no frames.
        ModelError: the network fails.
        OutputError: a file can't be written, or is there already.
    """
    begun, film_name = time.perf_counter(), _name_of(source)
    count, cuts, size = 0, 0, (0, 0)
    notes: list[str] = []
    with ExitStack() as stack:
        film = stack.enter_context(closing(settings.opened(source)))
        sinks = []
        for name, path in outputs.items():
            sinks.append(_open_sink(stack, name, path, predictor, film.format, settings))
        frames = stack.enter_context(closing(_mapped(predictor, source, film, settings, stack)))
        for mapped in frames:
            full = FullFrame(mapped, at_frame_size(predictor, mapped))
            for sink in sinks:
                sink.write(full)
            count, cuts, size = count + 1, cuts + mapped.is_cut, (full.values.shape[0], full.values.shape[1])
        if count == 0:
            raise VideoError(f"{film.format.name} has no frame that can be decoded there")
        for sink in sinks:
            sink.finish(film.sound_left)
            notes += sink.notes
    return FilmReport(
        film_name,
        tuple(outputs.values()),
        count,
        size,
        cuts - 1,
        time.perf_counter() - begun,
        film.damage,
        tuple(notes),
        _missing_s(film, settings),
    )


def _mapped(
    predictor: FramePredictor, source: FilmSource, film: OpenFilm, settings: FilmSettings, stack: ExitStack
) -> Generator[MappedFrame, None, None]:
    """The film's frames with their maps, in one pass over it or in two."""
    if settings.steady != "two-pass":
        return mapped_frames(predictor, film, film.format, steady=settings.steady, batch=settings.batch)
    if not isinstance(source, str | Path):
        raise ConfigError("two passes need a film that can be read twice: expected a file, no pipe")
    spill = stack.enter_context(MapSpill())
    with closing(settings.opened(source)) as first:
        gauges = joint_gauges(predictor, first, first.format, spill, batch=settings.batch)
    return mapped_again(film, film.format, spill, gauges, predictor.kind)


def _open_sink(
    stack: ExitStack,
    name: str,
    path: Path,
    predictor: FramePredictor,
    film: FilmFormat,
    settings: FilmSettings,
) -> Sink:
    """The sink of a format; what the stack holds of it makes its files appear, or go."""
    if name == VALUES:
        about = description(predictor.name, film.name, predictor.kind, settings.steady, settings.start_s)
        return stack.enter_context(
            ValuesSink(path, film, about, unguided(predictor.input.restore), overwrite=settings.overwrite)
        )
    if name == FRAMES:
        return stack.enter_context(
            FramesSink(
                path, settings.frame_format, predictor.name, film.name, predictor.kind, overwrite=settings.overwrite
            )
        )
    paint = settings.painter(name)
    file = stack.enter_context(atomic_file(path, overwrite=settings.overwrite))
    return stack.enter_context(
        EyeSink(
            file,
            path.suffix.lower(),
            film,
            predictor.kind,
            paint,
            crf=settings.crf,
            steady=settings.steady != "off",
        )
    )


def _name_of(source: FilmSource) -> str:
    return str(source) if isinstance(source, str | Path) else "-"


def _missing_s(film: OpenFilm, settings: FilmSettings) -> float:
    """How much of the end is missing of what the container promised."""
    if film.format.duration_s is None:
        return 0.0
    promised = min(film.format.duration_s, settings.end_s or math.inf)
    missing = promised - film.damage.last_time_s - float(1 / film.format.rate_hz)
    return missing if missing > max(_MISSING_S, _MISSING_SHARE * promised) else 0.0
