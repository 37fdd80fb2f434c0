"""A camera's depth as it happens: the newest frame wins, and nothing ever waits in a queue."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import cv2
import numpy as np

from midas.arrays import Array, UInt8
from midas.errors import ImageError, MidasError, VideoError, net
from midas.maps.colormaps import apply_colormap
from midas.maps.kinds import Kind, nearness
from midas.maps.resize import resize_map, unguided
from midas.video.mapping import FramePredictor
from midas.video.reading import Film, is_url
from midas.video.steady import Steady, SteadyMode
from midas.video.window import DisplayWindow

LIVE_FUSION = 0.7  # less than for films: who waves a hand wants to see it at once
_LIVE_NEWS = 1.0  # frames are skipped, and flow over many of them is wrong more often
_RETRY_S = (0.5, 5.0)
_RATE_OVER = 30  # frames
_JPEG_QUALITY = 85

Item = TypeVar("Item")


class Latest(Generic[Item]):
    """A place for one thing, which the next one replaces."""

    def __init__(self) -> None:
        self._there = threading.Condition()
        self._item: Item | None = None
        self.count = 0

    def put(self, item: Item) -> None:
        """Replace what is there."""
        with self._there:
            self._item, self.count = item, self.count + 1
            self._there.notify_all()

    def after(self, count: int, timeout_s: float) -> tuple[int, Item] | None:
        """What came after the one of that number, with its own number; None if nothing does in time."""
        with self._there:
            self._there.wait_for(lambda: self.count > count, timeout_s)
            return (self.count, self._item) if self.count > count and self._item is not None else None


@dataclass(frozen=True, eq=False)
class Grabbed:
    """A camera's picture.

    Attributes:
        picture: RGB.
        at_s: when it was there, on the monotonic clock.
    """

    picture: UInt8[Array, "H W 3"]
    at_s: float


@dataclass(frozen=True, eq=False)
class Shown:
    """What a viewer sees.

    Attributes:
        picture: the camera's picture, and to its right the colours of its map.
        jpeg: the same, compressed.
        grabbed_at_s: when the camera gave the picture.
        age_ms: how old that was when all was done.
    """

    picture: UInt8[Array, "H W 3"]
    jpeg: bytes
    grabbed_at_s: float
    age_ms: float


class Camera(AbstractContextManager["Camera"]):
    """Reads a source for ever, in a thread; only the newest picture is kept.

    Args:
        source: the number of a camera, its device, an address, or a film, which plays in its own time, over again.

    Attributes:
        newest: the picture.
        problem: why there is none at the moment; None while pictures come.
    """

    def __init__(self, source: str) -> None:
        self._source, self._stopped = source, threading.Event()
        self.newest: Latest[Grabbed] = Latest()
        self.problem: str | None = None
        self._thread = threading.Thread(target=self._grab, name="midas-camera", daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=1)

    def _grab(self) -> None:
        wait_s = _RETRY_S[0]
        while not self._stopped.is_set():
            try:
                with net(f"{self._source} can't be read", VideoError), closing(self._pictures()) as pictures:  # type: ignore[type-var]
                    for picture in pictures:
                        self.problem, wait_s = None, _RETRY_S[0]
                        self.newest.put(Grabbed(picture, time.monotonic()))
                        if self._stopped.is_set():
                            return
            except MidasError as error:
                self.problem = str(error)
                self._stopped.wait(wait_s)
                wait_s = min(2 * wait_s, _RETRY_S[1])

    def _pictures(self) -> Iterator[Array]:
        if self._source.isdigit() or self._source.startswith("/dev/"):
            yield from _camera_pictures(self._source)
            return
        begun = time.monotonic()
        with Film(self._source) as film:
            for frame in film:
                if not is_url(self._source):
                    self._stopped.wait(max(0.0, begun + frame.time_s - time.monotonic()))
                yield frame.picture


class LiveView(AbstractContextManager["LiveView"]):
    """Maps the newest picture, over and over, in a thread.

    Args:
        predictor: the model.
        camera: where pictures come from; None where viewers bring their own.
        colormap: of the maps.
        steady: how they are kept steady.
        on_shown: called with all that is shown, in the thread.

    Attributes:
        shown: what is to be seen now.
        colormap: may be changed at any time.
        paused: while true, nothing new is shown.
    """

    def __init__(
        self,
        predictor: FramePredictor,
        camera: Camera | None,
        *,
        colormap: str = "inferno",
        steady: SteadyMode = "flow",
        on_shown: Callable[[Shown], None] | None = None,
    ) -> None:
        self.shown: Latest[Shown] = Latest()
        self.colormap, self.paused = colormap, False
        self._camera, self._on_shown = camera, on_shown
        self._mapper = FrameMapper(predictor, steady)
        self._stopped = threading.Event()
        self._dropped = 0
        self._times: deque[tuple[float, float]] = deque(maxlen=_RATE_OVER)
        self.problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="midas-live", daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=1)

    @property
    def figures(self) -> dict[str, float | int | str | bool | None]:
        """Age of the newest map in milliseconds, maps per second, frames seen and dropped, and what is wrong."""
        times = list(self._times)
        span = times[-1][0] - times[0][0] if len(times) > 1 else 0.0
        problem = self.problem or (self._camera.problem if self._camera else None)
        return {
            "age_ms": round(float(np.median([age for _, age in times])), 1) if times else None,
            "rate_hz": round((len(times) - 1) / span, 1) if span > 0 else None,
            "seen": self._camera.newest.count if self._camera else self.shown.count,
            "shown": self.shown.count,
            "dropped": self._dropped,
            "paused": self.paused,
            "problem": problem,
        }

    def show(self, grabbed: Grabbed) -> Shown:
        """Map a picture and show it.

        Raises:
            ModelError: the network fails.
        """
        colours = self._mapper.colours(grabbed.picture, self.colormap)
        both = np.concatenate([grabbed.picture, colours], axis=1)
        data = jpeg_of(both)
        now = time.monotonic()
        shown = Shown(both, data, grabbed.at_s, 1000 * (now - grabbed.at_s))
        self._times.append((now, shown.age_ms))
        self.shown.put(shown)
        return shown

    def _run(self) -> None:
        seen = 0
        while self._camera is not None and not self._stopped.is_set():
            newest = self._camera.newest.after(seen, 0.2)
            if newest is None or self.paused:
                self._stopped.wait(0.02 if newest else 0)
                continue
            self._dropped += newest[0] - seen - 1
            seen = newest[0]
            try:
                shown = self.show(newest[1])
                if self._on_shown:
                    self._on_shown(shown)
                self.problem = None
            except MidasError as error:
                self.problem = str(error)


class FrameMapper:
    """Maps pictures of one camera, one after the other; several threads may ask, and wait for each other.

    Args:
        predictor: the model.
        steady: how maps are kept steady.
    """

    def __init__(self, predictor: FramePredictor, steady: SteadyMode = "flow") -> None:
        self._predictor, self._lock = predictor, threading.Lock()
        self._steady = Steady(steady, fusion=LIVE_FUSION, news=_LIVE_NEWS, kind=predictor.kind)
        self._window = DisplayWindow()

    def colours(self, picture: UInt8[Array, "H W 3"], colormap: str) -> UInt8[Array, "H W 3"]:
        """The colours of a picture's map, at the picture's size.

        Raises:
            ModelError: the network fails.
        """
        kind: Kind = self._predictor.kind
        rule = unguided(self._predictor.input.restore)
        with self._lock:
            prepared = self._predictor.prepare(picture, interpolation=rule)
            small = replace(prepared, size=(prepared.pixels.shape[2], prepared.pixels.shape[3]), finer=None)
            (outcome,) = self._predictor.infer_batch([small], interpolation=rule)
            if isinstance(outcome, MidasError):
                raise outcome
            values = self._steady.update(picture, outcome.values)
            near = nearness(values, kind)
            window = self._window.update(near, is_cut=self._steady.is_cut)
        height, width = picture.shape[:2]
        return apply_colormap(window.unit(resize_map(near, (height, width), rule)), colormap)


def jpeg_of(picture: UInt8[Array, "H W 3"]) -> bytes:
    """A picture as a JPEG file.

    Raises:
        ImageError: it can't be compressed.
    """
    done, data = cv2.imencode(".jpg", picture[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    if not done:
        raise ImageError(f"a picture of {picture.shape} can't be compressed as JPEG")
    return data.tobytes()


def _camera_pictures(source: str) -> Iterator[Array]:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(0)
    try:
        capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
    finally:
        cv2.utils.logging.setLogLevel(level)
    try:
        if not capture.isOpened():
            raise VideoError(f"camera {source} can't be opened: is it there, and are you in the group `video`?")
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))  # USB cameras are slow in raw formats
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        while True:
            there, picture = capture.read()
            if not there:
                raise VideoError(f"camera {source} gives no more pictures")
            yield np.ascontiguousarray(picture[..., ::-1])
    finally:
        capture.release()
