"""Films that were sent: mapped one after the other in a thread, watched while they are, and removed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from midas.arrays import Array, Float32, UInt8
from midas.errors import MidasError, VideoError, net, reason_of
from midas.predictor import Predictor
from midas.serving.limits import Limits
from midas.serving.problems import BusyError, ProblemError
from midas.video.job import SIDE_BY_SIDE, FilmSettings, write_film
from midas.video.live import jpeg_of

FILMS_THERE = find_spec("av") is not None
"""Whether the extra "video" is installed."""

# Beginnings of files. Others may be lists of addresses and paths, which FFmpeg would follow: HLS, concat, SDP.
_SIGNATURES = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (8, b"AVI "), (4, b"moov"), (4, b"wide"), (4, b"mdat"))
_HEAD_BYTES = 16
_PREVIEW_EVERY_S = 0.5
# So much of a film is gathered before a thread writes it: a disk that is busy holds up no other request.
_WRITTEN_BYTES = 1 << 20


class FilmStoppedError(ProblemError):
    """Nobody wants the film any more, or the server ends."""

    def __init__(self) -> None:
        super().__init__(404, "the film was stopped", reason="stopped")


@dataclass
class FilmJob:
    """A film on its way.

    Attributes:
        name: of the job; nobody can guess it.
        folder: where its files lie.
        begun_s: when it came, on the monotonic clock.
        model: the name of the one that maps it.
        kind: of that model's values.
        total: about how many frames it has; None where the file doesn't say.
        frames: how many are mapped.
        preview: the newest of them beside its picture, as a JPEG.
        state: waiting, working, done or failed.
        problem: why it failed.
        stopped: set when it is to end.
    """

    name: str
    folder: Path
    begun_s: float
    model: str = ""
    kind: str = ""
    total: int | None = None
    frames: int = 0
    preview: bytes | None = field(default=None, repr=False)
    state: str = "waiting"
    problem: str | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def source(self) -> Path:
        """The film as it was sent."""
        return self.folder / "film"

    @property
    def result(self) -> Path:
        """The film of depth."""
        return self.folder / "depth.mp4"

    def described(self) -> dict[str, Any]:
        """What a client is told."""
        return {
            "id": self.name,
            "model": self.model,
            "state": self.state,
            "frames": self.frames,
            "total": self.total,
            "problem": self.problem,
        }


class Films:
    """The films of a server.

    Args:
        limits: of one, and of how many there are at a time.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: dict[str, FilmJob] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="midas-serve-film")

    async def receive(self, chunks: AsyncIterator[bytes]) -> FilmJob:
        """Take a film in, piece by piece; what is refused leaves nothing behind.

        Raises:
            BusyError: there are as many as there may be, or there is no room on the disk.
            ProblemError: 413 or 415, too large, or no film.
        """
        self.forget_old()
        if len(self._jobs) >= self._limits.films:
            raise BusyError(10.0, f"{len(self._jobs)} films are here, as many as there may be", reason="films")
        try:
            folder = Path(tempfile.mkdtemp(prefix="midas-film-"))
            job = FilmJob(uuid.uuid4().hex, folder, time.monotonic())
            self._jobs[job.name] = job
            with ExitStack() as unless_all_is_well:
                unless_all_is_well.callback(self.remove, job.name)
                await self._fill(job, chunks)
                unless_all_is_well.pop_all()
        except OSError as error:
            why = f"the film can't be kept here ({reason_of(error)}); send a smaller one"
            raise BusyError(10.0, why, reason="disk") from error
        return job

    async def _fill(self, job: FilmJob, chunks: AsyncIterator[bytes]) -> None:
        size, head, gathered = 0, b"", bytearray()
        with job.source.open("wb", buffering=0) as file:
            async for chunk in chunks:
                size += len(chunk)
                head = (head + chunk[:_HEAD_BYTES])[:_HEAD_BYTES]
                if size > self._limits.film_bytes:
                    most = self._limits.film_bytes / 1e6
                    raise ProblemError(413, f"the film is larger than {most:g} MB; cut it, or compress it")
                if len(head) == _HEAD_BYTES and not _is_film(head):
                    break
                gathered += chunk
                if len(gathered) >= _WRITTEN_BYTES:
                    await _written(file, bytes(gathered))
                    gathered.clear()
            await _written(file, bytes(gathered))
        if not _is_film(head):
            raise ProblemError(415, "the body is no film; expected MP4, MOV, MKV, WebM or AVI")

    def begin(self, job: FilmJob, predictor: Predictor, settings: FilmSettings) -> None:
        """Map a film when those before it are done."""
        job.model, job.kind = predictor.name, predictor.kind
        self._pool.submit(self._work, job, predictor, settings)

    def _work(self, job: FilmJob, predictor: Predictor, settings: FilmSettings) -> None:
        try:
            with net("the film can't be mapped", VideoError):
                if job.stopped.is_set():
                    raise FilmStoppedError
                job.state = "working"
                job.total = self._total(job, settings)
                watched = _Watched(job, self._limits, settings)
                write_film(predictor, job.source, {"watched": job.result}, watched.settings)
            job.state = "done"
        except MidasError as error:
            job.state, job.problem = "failed", error.message.replace(str(job.source), "the film")
        finally:
            job.source.unlink(missing_ok=True)
            if job.stopped.is_set():
                shutil.rmtree(job.folder, ignore_errors=True)

    def _total(self, job: FilmJob, settings: FilmSettings) -> int | None:
        """About how many frames there are, of a film whose frames and length are within the bounds."""
        with closing(settings.opened(job.source)) as film:
            _check_pixels(film.format.pixels or 0, self._limits)
            duration_s = film.format.duration_s
            if duration_s is None:
                return None
            if duration_s > self._limits.film_s:
                raise ProblemError(
                    413, f"the film lasts {duration_s:.0f} s; expected at most {self._limits.film_s:g} s: cut it"
                )
            return round(duration_s * film.format.rate_hz)

    def job(self, name: str) -> FilmJob:
        """The film of that name.

        Raises:
            ProblemError: 404, there is none, or not any more.
        """
        self.forget_old()
        if name not in self._jobs:
            raise ProblemError(404, f"there is no film here any more; each stays for {self._limits.film_keep_s:g} s")
        return self._jobs[name]

    def remove(self, name: str) -> None:
        """Stop a film and remove its files; one that is being mapped removes them itself, at its next frame."""
        job = self._jobs.pop(name, None)
        if job is not None:
            working = job.state == "working"
            job.stopped.set()
            if not working or job.state != "working":
                shutil.rmtree(job.folder, ignore_errors=True)

    def forget_old(self) -> None:
        """Remove what has been here long enough."""
        now = time.monotonic()
        for job in list(self._jobs.values()):
            if now - job.begun_s > self._limits.film_keep_s:
                self.remove(job.name)

    def close(self) -> None:
        """Stop all of them, and wait until their files are gone."""
        for name in list(self._jobs):
            self.remove(name)
        self._pool.shutdown(wait=True, cancel_futures=True)


class _Watched:
    """A film's painter that shows how far it is, and ends it where a limit is reached."""

    def __init__(self, job: FilmJob, limits: Limits, settings: FilmSettings) -> None:
        self._job, self._limits = job, limits
        self._paint = settings.painter(next(iter(settings.painters), SIDE_BY_SIDE))
        self._until_s = time.monotonic() + limits.film_work_s
        self._shown_s = 0.0
        self.settings = FilmSettings(end_s=limits.film_s, colormap=settings.colormap, painters={"watched": self._next})

    def _next(
        self, picture: UInt8[Array, "H W 3"], nearness: Float32[Array, "H W"], begins_shot: bool
    ) -> UInt8[Array, "H2 W2 3"]:
        job, limits, now = self._job, self._limits, time.monotonic()
        if job.stopped.is_set():
            raise FilmStoppedError
        if job.frames >= limits.film_frames:
            raise ProblemError(413, f"the film has more than {limits.film_frames} frames; cut it")
        if now > self._until_s:
            raise ProblemError(413, f"the film takes more than {limits.film_work_s:g} s; send a shorter or smaller one")
        _check_pixels(nearness.size, limits)  # the container may have said something else
        painted = self._paint(picture, nearness, begins_shot)
        job.frames += 1
        if now - self._shown_s > _PREVIEW_EVERY_S:
            self._shown_s, job.preview = now, jpeg_of(painted)
        return painted


async def _written(file: BinaryIO, data: bytes) -> None:
    """Write in a thread, to the end even where nobody waits for it any more: nobody may close the file meanwhile."""
    writing = asyncio.create_task(asyncio.to_thread(_write_all, file, data))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing])
        raise


def _write_all(file: BinaryIO, data: bytes) -> None:
    """Write bytes to a file without a buffer, which may take fewer than it is given."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _check_pixels(pixels: int, limits: Limits) -> None:
    if pixels > limits.pixels:
        raise ProblemError(413, f"frames of {pixels} pixels; expected at most {limits.pixels}: scale the film down")


def _is_film(head: bytes) -> bool:
    return any(head[at : at + len(word)] == word for at, word in _SIGNATURES)
