"""How steady a model's maps of a film are, with each way of making them so, and how true where the truth is known.

All that is measured without truth follows the picture's own optical flow, finer than the one by which films are made
steady, over pixels that both frames show. Figures are sums that go along with the film; of its maps nothing is kept but
the column of the strip, and where there is truth a coarse grid of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.errors import ConfigError, VideoError
from midas.evaluation.film_truth import FilmTruth
from midas.maps.kinds import nearness
from midas.metrics import self_consistency
from midas.video.cuts import with_cuts
from midas.video.flow import FlowFinder, Motion
from midas.video.frame import Frame
from midas.video.gauges import Gauge
from midas.video.job import FilmSettings
from midas.video.mapping import FramePredictor, MappedFrame, joint_gauges, mapped_frames
from midas.video.reading import FilmSource
from midas.video.spill import MapSpill
from midas.video.steady import Steady, SteadyMode, small_picture

OWN_RANGE, NETWORK = "own range", "network"
STEADIED: tuple[SteadyMode, ...] = ("flow", "fast", "two-pass")
WAYS = (OWN_RANGE, NETWORK, *STEADIED)
"""Each frame from 0 to 1 by its own least and greatest value; the network's values; the ways of ``midas video``.
``"two-pass"`` is left out for films that can't be read twice, such as pipes."""

STRIP_FRAMES = 4000
_SEEN = 0.7  # trust in the flow, from which on a pixel counts as seen in both frames
_LEAST_SEEN = 0.1  # share of the picture, below which two frames have too little in common
_GRID = (slice(None, None, 2),) * 2


@dataclass
class FilmStrip:
    """One column of a film over time: what flickers is seen at a glance as upright stripes.

    Attributes:
        at: where the column is, from 0 at the left to 1 at the right.
        picture: columns of the film.
        near: way → columns of the maps, larger is nearer.
        cuts: frames that begin a shot.
    """

    at: float = 0.5
    picture: list[UInt8[Array, "h 3"]] = field(default_factory=list)
    near: dict[str, list[Float32[Array, " h"]]] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)

    def add(self, picture: UInt8[Array, "h w 3"], near: dict[str, Array], *, is_cut: bool) -> None:
        """Take a frame; after so many that a picture has no room for more, none."""
        if len(self.picture) == STRIP_FRAMES:
            return
        if is_cut:
            self.cuts.append(len(self.picture))
        self.picture.append(picture[:, self._column(picture)].copy())
        for way, values in near.items():
            self.near.setdefault(way, []).append(values[:, self._column(values)].copy())

    def _column(self, values: Array) -> int:
        return round(self.at * (int(values.shape[1]) - 1))


@dataclass
class WayScores:
    """What is found of one way.

    Attributes:
        consistency: of each pair of neighbours in a shot: ``midas.metrics.self_consistency``.
        ranges: second of the film → range of each of its frames, 5th to 95th percentile.
        figures: against the truth, by the names of ``midas.metrics``; empty where there is none.
    """

    consistency: list[float] = field(default_factory=list)
    ranges: dict[int, list[float]] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def flicker_percent(self) -> float:
        """Mean change along the flow, percent of the map's own range per frame; NaN where no two frames compare."""
        return 100 * float(np.mean(self.consistency)) if self.consistency else float("nan")


@dataclass(frozen=True)
class FilmScores:
    """What is found of a film.

    Attributes:
        model, film: names.
        frames, shots: how many.
        ways: name → what is found of it, in the order of ``WAYS``.
        strip: one column over time.
    """

    model: str
    film: str
    frames: int
    shots: int
    ways: dict[str, WayScores]
    strip: FilmStrip

    def range_ratio(self, way: str) -> tuple[float, float]:
        """Least and greatest ratio, over the film's seconds, of the frames' median range to that of the network's."""
        network = self.ways[NETWORK].ranges
        ratios = [
            float(np.median(ranges) / np.median(network[second]))
            for second, ranges in self.ways[way].ranges.items()
            if np.median(network[second]) > 0
        ]
        return (min(ratios), max(ratios)) if ratios else (float("nan"), float("nan"))


def measure_film(
    predictor: FramePredictor,
    source: FilmSource,
    truth: Path | None = None,
    *,
    settings: FilmSettings | None = None,
    strip_at: float = 0.5,
    limit: int | None = None,
    on_frame: Callable[[int], object] | None = None,
) -> FilmScores:
    """Map a film and measure how steady that is.

    Args:
        predictor: the model.
        source: the film, or a folder of pictures.
        truth: folder of measured depth, one file per frame, as ``FilmTruth`` takes it.
        settings: which part of the film; what concerns files is not looked at. None for all of it.
        strip_at: where the column of the strip is, from 0 to 1.
        limit: at most so many frames.
        on_frame: called with the number of frames so far, in the first pass over the film and again in the second.

    Raises:
        VideoError: it can't be read, has no frames, or not as many as there is truth.
        ModelError: the network fails.
        OutputError: a file of the truth can't be read.
        ConfigError: ``strip_at`` out of range.
    """
    if not 0 <= strip_at <= 1:
        raise ConfigError(f"the strip's column is at {strip_at}; expected a share of the width, from 0 to 1")
    name = Path(source).name if isinstance(source, str | Path) else "-"
    settings = settings or FilmSettings()
    judge = _Judge(predictor, FilmTruth(truth, predictor.kind) if truth else None, FilmStrip(strip_at))
    show = on_frame or (lambda count: None)
    with ExitStack() as stack:
        for count, (mapped, gauge) in enumerate(_mapped(predictor, source, settings, limit, show, stack), 1):
            judge.take(mapped, gauge)
            show(count)
    return judge.scores(name, whole=limit is None)


def _mapped(
    predictor: FramePredictor,
    source: FilmSource,
    settings: FilmSettings,
    limit: int | None,
    show: Callable[[int], object],
    stack: ExitStack,
) -> Iterator[tuple[MappedFrame, Gauge | None]]:
    """The network's maps, and scale and shift of each by two passes where the film can be read twice."""
    if not isinstance(source, str | Path):
        film = stack.enter_context(closing(settings.opened(source)))
        frames = mapped_frames(predictor, islice(film, limit), film.format, steady="off", batch=settings.batch)
        for mapped in stack.enter_context(closing(frames)):
            yield mapped, None
        return
    spill = stack.enter_context(MapSpill())
    with closing(settings.opened(source)) as film:
        counted = _counted(islice(film, limit), show)
        gauges = joint_gauges(predictor, counted, film.format, spill, batch=settings.batch)
    again = stack.enter_context(closing(settings.opened(source)))
    # A stream may be shorter the second time; what has no map then ends the film.
    frames_again = with_cuts(islice(again, limit), again.format.rate_hz)
    for (frame, is_cut), values, gauge in zip(frames_again, spill, gauges, strict=False):
        yield MappedFrame(frame, values, Gauge(), is_cut), gauge


def _counted(frames: Iterable[Frame], show: Callable[[int], object]) -> Iterator[Frame]:
    for count, frame in enumerate(frames, 1):
        show(count)
        yield frame


class _Judge:
    def __init__(self, predictor: FramePredictor, truth: FilmTruth | None, strip: FilmStrip) -> None:
        self._predictor, self._truth, self._strip = predictor, truth, strip
        self._steadiers = {mode: Steady(mode, kind=predictor.kind) for mode in STEADIED}
        self._flow = FlowFinder("fine")
        self._scores = {way: WayScores() for way in WAYS}
        self._before: tuple[Array, dict[str, Array]] | None = None
        self._frames = self._shots = 0

    def take(self, mapped: MappedFrame, gauge: Gauge | None) -> None:
        picture, values = mapped.frame.picture, mapped.values
        small = small_picture(picture, values.shape)
        maps = {OWN_RANGE: in_own_range(values), NETWORK: values}
        for mode, steadier in self._steadiers.items():
            if mode != "two-pass":
                maps[mode] = steadier.update(picture, values, cut=mapped.is_cut)
            elif gauge is not None:
                maps[mode] = steadier.update(picture, values, cut=mapped.is_cut, gauge=gauge)
        ranges = {way: _range(each) for way, each in maps.items()}
        self._scores = {way: self._scores[way] for way in maps}
        for way, scores in self._scores.items():
            scores.ranges.setdefault(int(mapped.frame.time_s), []).append(ranges[way])
        if self._before is not None and not mapped.is_cut and all(value > 0 for value in ranges.values()):
            self._compare(small, maps)
        near = {way: nearness(each, self._predictor.kind) for way, each in maps.items()}
        self._strip.add(small, near, is_cut=mapped.is_cut)
        if self._truth is not None:
            self._truth.take(maps)
        self._before = small, maps
        self._frames, self._shots = self._frames + 1, self._shots + mapped.is_cut

    def scores(self, name: str, *, whole: bool) -> FilmScores:
        if not self._frames:
            raise VideoError(f"{name} has no frame that can be decoded there")
        if self._truth is not None:
            for way, figures in self._truth.figures(whole=whole).items():
                self._scores[way].figures = figures
        return FilmScores(self._predictor.name, name, self._frames, self._shots, self._scores, self._strip)

    def _compare(self, small: Array, maps: dict[str, Array]) -> None:
        earlier, before = self._before  # type: ignore[misc]
        shape = maps[NETWORK].shape
        if earlier.shape != small.shape or before[NETWORK].shape != shape:
            return
        motion = self._flow.motion(earlier, small).at_size((shape[0], shape[1]))
        seen = np.zeros(shape, np.bool_)
        seen[_GRID] = motion.trust[_GRID] > _SEEN
        if seen[_GRID].mean() < _LEAST_SEEN:
            return
        flow = _displacement(motion)
        for way, scores in self._scores.items():
            scores.consistency.append(self_consistency(before[way], maps[way], seen, flow))


def in_own_range(values: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
    """A map as programs without a memory show it: its least value becomes 0, its greatest 1."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.zeros_like(values)
    return (values - np.float32(low)) / np.float32(high - low)


def _range(values: Array) -> float:
    low, high = np.percentile(values[_GRID], (5, 95))
    return float(high - low)


def _displacement(motion: Motion) -> Array:
    height, width = motion.trust.shape
    columns = motion.columns_px - np.arange(width, dtype=np.float32)
    rows = motion.rows_px - np.arange(height, dtype=np.float32)[:, None]
    return np.stack([columns, rows], axis=2)
