"""Frames in, steady maps out: reading, the network, steadying and what comes after overlap, a few frames apart."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol, runtime_checkable

import cv2

from midas.arrays import Array, Float32, UInt8
from midas.errors import ConfigError, MidasError
from midas.maps.depth_map import DepthMap
from midas.maps.kinds import Kind
from midas.maps.resize import Interpolation, unguided
from midas.pictures.preprocess import InputSpec
from midas.pipeline import MAX_BATCH, drawn_ahead, group_alike
from midas.tiling import Prepared
from midas.video.cuts import with_cuts
from midas.video.frame import FilmFormat, Frame
from midas.video.gauges import Gauge
from midas.video.spill import MapSpill
from midas.video.steady import Steady, SteadyMode
from midas.video.two_pass import JointGauges

AHEAD = 3
"""So many frames lie between two stages at most."""


def keep_stages_single_threaded() -> None:
    """Keep OpenCV to one thread per caller, in all of this process, which has to be ours to do so.

    The stages of a film run beside each other and fill the cores; OpenCV's own threads would take a third more
    processor time for pictures as small as these.
    """
    cv2.setNumThreads(1)


@runtime_checkable
class FramePredictor(Protocol):
    """What maps a film's frames: a ``midas.Predictor``."""

    name: str
    input: InputSpec
    kind: Kind

    def prepare(self, image: UInt8[Array, "H W 3"], /, *, interpolation: Interpolation | None = None) -> Prepared:
        """Make a picture the network's input."""
        ...

    def infer_batch(
        self, batch: Sequence[Prepared], /, *, interpolation: Interpolation | None = None
    ) -> list[DepthMap | MidasError]:
        """Run the network."""
        ...


@dataclass(frozen=True, eq=False)
class MappedFrame:
    """A frame and its map.

    Attributes:
        frame: the frame.
        values: its map, at the network's size.
        gauge: what was done to the network's map to steady it: ``scale * map + shift`` before fusion.
        is_cut: whether it begins a new shot.
    """

    frame: Frame
    values: Float32[Array, "h w"]
    gauge: Gauge
    is_cut: bool


@dataclass(frozen=True, eq=False)
class _Ready:
    frame: Frame
    is_cut: bool
    prepared: Prepared


@dataclass(frozen=True, eq=False)
class _Predicted:
    ready: _Ready
    values: Array


def mapped_frames(
    predictor: FramePredictor,
    frames: Iterable[Frame],
    film: FilmFormat,
    *,
    steady: SteadyMode = "flow",
    batch: int = 1,
) -> Generator[MappedFrame, None, None]:
    """Predict and steady a film's frames, in order; a fixed number of frames is in memory.

    Args:
        predictor: the model.
        frames: of the film, drawn in a thread.
        film: its shape and rate.
        steady: how its maps are made steady.
        batch: how many frames go through the network at once.

    Raises:
        ConfigError: an unknown ``steady``, or a ``batch`` out of range.
        ModelError: the network can't run, or gives numbers that are not finite.
    """
    if not 1 <= batch <= MAX_BATCH:
        raise ConfigError(f"batch is {batch}; expected a whole number from 1 to {MAX_BATCH}")
    steadier = Steady(steady, kind=predictor.kind)
    prepared = drawn_ahead(_prepared(predictor, frames, film), waiting=AHEAD + batch - 1)
    predicted = drawn_ahead(_predicted(predictor, prepared, batch), waiting=AHEAD)
    return drawn_ahead(_steadied(steadier, predicted), waiting=AHEAD)


def joint_gauges(
    predictor: FramePredictor, frames: Iterable[Frame], film: FilmFormat, spill: MapSpill, *, batch: int = 1
) -> list[Gauge]:
    """The first pass of two over a film: the network's maps go to disk; scale and shift of all frames come back.

    Args:
        predictor, frames, film, batch: as for ``mapped_frames``.
        spill: takes the maps.

    Raises:
        ModelError: as for ``mapped_frames``.
    """
    joint = JointGauges(predictor.kind)
    prepared = drawn_ahead(_prepared(predictor, frames, film), waiting=AHEAD + batch - 1)
    with closing(drawn_ahead(_predicted(predictor, prepared, batch), waiting=AHEAD)) as predicted:
        for each in predicted:
            spill.append(each.values)
            joint.add(each.ready.frame.picture, each.values, is_cut=each.ready.is_cut)
    return joint.solved()


def mapped_again(
    frames: Iterable[Frame], film: FilmFormat, spill: MapSpill, gauges: Sequence[Gauge], kind: Kind
) -> Generator[MappedFrame, None, None]:
    """The second pass: the film is read anew, the maps come from disk.

    Args:
        frames, film: the same film, opened again.
        spill, gauges: what the first pass gave.
        kind: what the maps' values are.
    """

    def mapped() -> Generator[MappedFrame, None, None]:
        steadier = Steady("two-pass", kind=kind)
        # A stream may be shorter the second time; what has no map then ends the film.
        for (frame, is_cut), values, gauge in zip(with_cuts(frames, film.rate_hz), spill, gauges, strict=False):
            steady = steadier.update(frame.picture, values, cut=is_cut, gauge=gauge)
            yield MappedFrame(frame, steady, gauge, is_cut)

    return drawn_ahead(mapped(), waiting=AHEAD)


def at_frame_size(predictor: FramePredictor, mapped: MappedFrame) -> Float32[Array, "H W"]:
    """A frame's map as large as the frame, by the model's own way to get there."""
    return DepthMap(mapped.values).resized(mapped.frame.picture.shape[:2], unguided(predictor.input.restore)).values


def _prepared(predictor: FramePredictor, frames: Iterable[Frame], film: FilmFormat) -> Generator[_Ready, None, None]:
    rule = unguided(predictor.input.restore)
    for frame, is_cut in with_cuts(frames, film.rate_hz):
        picture = _with_square_pixels(frame.picture, film.pixel_aspect)
        prepared = predictor.prepare(picture, interpolation=rule)
        if prepared.finer is None:  # the map stays at the network's size until all that is done to it is done
            prepared = replace(prepared, size=(prepared.pixels.shape[2], prepared.pixels.shape[3]))
        yield _Ready(frame, is_cut, prepared)


def _predicted(
    predictor: FramePredictor, prepared: Generator[_Ready, None, None], batch: int
) -> Generator[_Predicted, None, None]:
    rule = unguided(predictor.input.restore)
    with closing(prepared):
        for group in group_alike(prepared, lambda each: each.prepared.pixels.shape, most=batch):
            outcomes = predictor.infer_batch([each.prepared for each in group], interpolation=rule)
            for each, outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, MidasError):
                    raise outcome
                yield _Predicted(each, outcome.values)


def _steadied(steadier: Steady, predicted: Generator[_Predicted, None, None]) -> Generator[MappedFrame, None, None]:
    with closing(predicted):
        for each in predicted:
            frame = each.ready.frame
            values = steadier.update(frame.picture, each.values, cut=each.ready.is_cut)
            yield MappedFrame(frame, values, steadier.gauge, steadier.is_cut)


def _with_square_pixels(picture: UInt8[Array, "H W 3"], pixel_aspect: Fraction) -> UInt8[Array, "h w 3"]:
    """The picture as it is shown: networks know the world's proportions."""
    if pixel_aspect == 1:
        return picture
    height, width = picture.shape[:2]
    shown: Array = cv2.resize(picture, (max(1, round(width * pixel_aspect)), height), interpolation=cv2.INTER_LINEAR)
    return shown
