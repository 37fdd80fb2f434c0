"""Picture files in, depth map files out: reading, the network and writing overlap."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from midas.alignment import Alignment
from midas.arrays import Array, UInt8
from midas.errors import FileThereError, ImageError, MidasError, OutputError, net
from midas.maps.aligned_depth import AlignedDepth
from midas.maps.depth_map import DepthMap
from midas.maps.formats import encode_map, format_by_name
from midas.maps.map_size import NET, MapSize
from midas.maps.metres import KnownDistances
from midas.maps.names import PictureJob
from midas.maps.resize import Interpolation
from midas.pictures.reading import DEFAULT_MAX_PIXELS, ImageSource
from midas.pipeline import group_alike, run_ahead
from midas.predictor import Predictor
from midas.tiling.prepared import Prepared

# Encoding a 16-bit PNG takes three times as long as decoding a photograph of the same size, so that one reader feeds
# three writers; more would only hold more pictures in memory. Half of the cores are left to the other two stages.
READERS = 1
WRITERS = min(3, max(1, (os.cpu_count() or 2) // 2))


@dataclass(frozen=True)
class PictureReport:
    """What became of one picture.

    Attributes:
        source: the picture.
        outputs: its output files; where ``error`` is set, not all of them are there.
        size: (height, width) of its depth map in pixels; None if there is none, or the files were there already.
        value_range: smallest and largest value of its depth map; None like ``size``.
        milliseconds: time that its reading, prediction and writing took, without waiting.
        tiles: how many tiles refined it; 0 for a picture that was predicted in one piece.
        alignment: scale and shift that made metres of it, where they were asked for.
        error: why it failed; None if all its files are there.
    """

    source: Path
    outputs: tuple[Path, ...]
    size: tuple[int, int] | None = None
    value_range: tuple[float, float] | None = None
    milliseconds: float = 0.0
    tiles: int = 0
    alignment: Alignment | None = None
    error: MidasError | None = None

    @property
    def skipped(self) -> bool:
        """Whether there was nothing to do, because all files were there already."""
        return self.error is None and self.size is None


@dataclass(frozen=True, eq=False)
class Work:
    """A picture with its map, and a file that is to be made of them.

    Attributes:
        source: the picture's file.
        depth_map: its map.
        image: the picture, where the product asked for it.
        format_name: which of the product's formats.
        path: the file to write.
        overwrite: whether it may replace another.
        colormap: of formats that have colours.
        metres: depth, where the file is to hold that in place of the map.
    """

    source: Path
    depth_map: DepthMap
    image: UInt8[Array, "H W 3"] | None
    format_name: str
    path: Path
    overwrite: bool
    colormap: str
    metres: AlignedDepth | None = None


@dataclass(frozen=True)
class Product:
    """What is made of each picture and its map.

    Attributes:
        needs_image: whether the format of a name needs the picture too.
        save: writes a file, complete or not at all.
    """

    needs_image: Callable[[str], bool]
    save: Callable[[Work], None]


def _save_map(work: Work) -> None:
    values = work.depth_map if work.metres is None else work.metres
    values.save(work.path, work.format_name, image=work.image, colormap=work.colormap, overwrite=work.overwrite)


MAPS = Product(lambda name: format_by_name(name).shows_image, _save_map)
"""The maps themselves, in the formats of ``midas.maps.formats``."""


@dataclass(frozen=True)
class Settings:
    """How the pictures of a folder are predicted and written.

    Attributes:
        interpolation: how the network's output becomes as large as the picture; None is the model's own way.
        max_pixels: a picture with more is refused.
        colormap: of the formats that have colours.
        overwrite: whether existing files are replaced; if not, their pictures are left out.
        batch: how many pictures, or tiles of a picture, go through the network at once, where neighbours have inputs
            of one size.
        full_decode: whether large JPEG files are decoded at their full size; those shown in an output always are.
        strict: whether JPEG files that lack the last of their data are refused.
        known: what makes metres of the maps; None leaves them as they are. Of a job with ``metric_outputs``, these are
            metres and ``outputs`` stay relative.
        map_size: how large the maps become.
        product: what is written.
    """

    interpolation: Interpolation | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS
    colormap: str = "inferno"
    overwrite: bool = False
    batch: int = 1
    full_decode: bool = False
    strict: bool = False
    known: KnownDistances | None = None
    product: Product = MAPS
    map_size: MapSize = field(default_factory=MapSize)


def predict_bytes(predictor: Predictor, data: bytes, format_name: str, settings: Settings = Settings()) -> bytes:
    """One picture file's bytes in, the bytes of one depth map file out.

    Args:
        predictor: the model.
        data: a picture file.
        format_name: a name of ``midas.maps.formats.FORMATS``.
        settings: how.

    Raises:
        ImageError: the data are no picture.
        ModelError: the network can't run, or gives numbers that are not finite.
        OutputError: an unknown format.
    """
    prepared = prepared_picture(predictor, settings, data, [format_name])
    sized = replace(prepared, size=map_size_of(settings, prepared))
    depth_map = predictor.infer(sized, interpolation=settings.interpolation)
    result = depth_map if settings.known is None else settings.known.in_metres(depth_map, prepared.size)
    return encode_map(
        result.values,
        format_name,
        metadata=result.metadata,
        kind=result.kind,
        image=prepared.image,
        colormap=settings.colormap,
    )


def predict_files(
    predictor: Predictor, jobs: Iterable[PictureJob], settings: Settings = Settings()
) -> Generator[PictureReport, None, None]:
    """Predict pictures and write their depth maps; one that fails doesn't stop the others.

    A reading thread, the consumer's thread with the network, and writing threads work on neighbouring pictures at the
    same time; each holds one or two, or a batch, so that memory stays flat. When the iterator is closed, files in
    writing are finished and nothing more is begun.

    Args:
        predictor: the model.
        jobs: pictures and their files.
        settings: how.

    Yields:
        One report per picture, in order.
    """
    read = partial(_read, predictor, settings)
    write = partial(_write, settings)
    with closing(run_ahead(read, jobs, workers=READERS, waiting=settings.batch)) as pictures:
        groups = group_alike((picture.result() for picture in pictures), _input_shape, most=settings.batch)
        predictions = (predicted for group in groups for predicted in _infer(predictor, settings, group))
        with closing(run_ahead(write, predictions, workers=WRITERS)) as reports:
            for report in reports:
                yield report.result()


@dataclass(frozen=True)
class _File:
    format_name: str
    path: Path
    in_metres: bool


def _files(settings: Settings, job: PictureJob) -> list[_File]:
    alone = settings.known is not None and not job.metric_outputs
    files = [_File(name, path, alone) for name, path in job.outputs.items()]
    return files + [_File(name, path, True) for name, path in job.metric_outputs.items()]


@dataclass(frozen=True)
class _Ready:
    job: PictureJob
    files: tuple[_File, ...]
    prepared: Prepared
    map_size: tuple[int, int]
    seconds: float


@dataclass(frozen=True)
class _Predicted:
    ready: _Ready
    depth_map: DepthMap
    seconds: float


def _read(predictor: Predictor, settings: Settings, job: PictureJob) -> _Ready | PictureReport:
    """First stage; a picture that needs no more work, or can't have it, goes through the others as its report."""
    start = time.perf_counter()
    try:
        with net(f"{job.source} can't be read", ImageError):
            # A folder of that name is no finished output, and writing says so.
            files = _files(settings, job)
            wanted = tuple(file for file in files if settings.overwrite or not os.path.isfile(file.path))  # noqa: PTH113
            if not wanted:
                return _report(job)
            prepared = prepared_picture(predictor, settings, job.source, [file.format_name for file in wanted])
            size = map_size_of(settings, prepared)
    except MidasError as error:
        return _report(job, error=error)
    return _Ready(job, wanted, prepared, size, time.perf_counter() - start)


def prepared_picture(predictor: Predictor, settings: Settings, source: ImageSource, formats: Sequence[str]) -> Prepared:
    """The first half of a prediction, by settings and for the formats that are to be written.

    Raises:
        ImageError: the picture can't be read.
    """
    keep_image = any(settings.product.needs_image(name) for name in formats)
    # Maps of the network's size don't grow.
    interpolation = settings.interpolation or ("cubic" if settings.map_size.text == NET else None)
    return predictor.prepare(
        source,
        interpolation=interpolation,
        max_pixels=settings.max_pixels,
        keep_image=keep_image,
        full_decode=settings.full_decode,
        strict=settings.strict,
    )


def map_size_of(settings: Settings, prepared: Prepared) -> tuple[int, int]:
    """(height, width) of the map of a picture, in pixels.

    Raises:
        OutputError: it has more pixels than are allowed.
    """
    height, width = settings.map_size.of(prepared.size, prepared.network_size)
    if height * width > max(settings.max_pixels, math.prod(prepared.size)):
        raise OutputError(f"a map of {width}x{height} has more than the {settings.max_pixels} pixels that are allowed")
    return height, width


def _input_shape(ready: _Ready | PictureReport) -> tuple[int, ...] | None:
    return ready.prepared.pixels.shape if isinstance(ready, _Ready) else None


def _infer(
    predictor: Predictor, settings: Settings, group: Sequence[_Ready | PictureReport]
) -> Iterator[_Predicted | PictureReport]:
    start = time.perf_counter()
    ready = [each for each in group if isinstance(each, _Ready)]
    sized = [replace(each.prepared, size=each.map_size) for each in ready]
    outcomes = predictor.infer_batch(
        sized,
        interpolation=settings.interpolation,
        at_once=settings.batch,
    )
    seconds = (time.perf_counter() - start) / len(group)
    yield from (each for each in group if isinstance(each, PictureReport))
    for each, outcome in zip(ready, outcomes, strict=True):
        if isinstance(outcome, DepthMap):
            yield _Predicted(each, outcome, each.seconds + seconds)
        else:
            yield _report(each.job, error=outcome)


def _write(settings: Settings, predicted: _Predicted | PictureReport) -> PictureReport:
    if isinstance(predicted, PictureReport):
        return predicted
    start = time.perf_counter()
    ready, depth_map = predicted.ready, predicted.depth_map
    try:
        with net(f"the depth map of {ready.job.source} can't be written", OutputError):
            metric = None if settings.known is None else settings.known.in_metres(depth_map, ready.prepared.size)
            alignment = None if metric is None else Alignment(metric.scale, metric.shift)
            written = [_save(settings, ready, depth_map, metric, file) for file in ready.files]
            shown = depth_map if metric is None or ready.job.metric_outputs else metric
            value_range = (float(shown.values.min()), float(shown.values.max()))
    except MidasError as error:
        return _report(ready.job, error=error)
    if not any(written):
        return _report(ready.job)
    milliseconds = 1000 * (predicted.seconds + time.perf_counter() - start)
    tiles = ready.prepared.finer.grid.count if ready.prepared.finer else 0
    return _report(
        ready.job,
        size=depth_map.size,
        value_range=value_range,
        milliseconds=milliseconds,
        tiles=tiles,
        alignment=alignment,
    )


def _save(settings: Settings, ready: _Ready, depth_map: DepthMap, metres: AlignedDepth | None, file: _File) -> bool:
    """Write one file; False if another run has written it since it was looked for."""
    try:
        work = Work(
            ready.job.source,
            depth_map,
            ready.prepared.image,
            file.format_name,
            file.path,
            settings.overwrite,
            settings.colormap,
            metres if file.in_metres else None,
        )
        settings.product.save(work)
    except FileThereError:
        if not file.path.is_file():
            raise
        return False
    return True


def _report(job: PictureJob, **outcome: Any) -> PictureReport:
    return PictureReport(job.source, job.files, **outcome)
