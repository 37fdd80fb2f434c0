"""What the server counts, in the text form of Prometheus. No label bears a path, an address or a key."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from midas.errors import ConfigError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

PROCESSES_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which several processes count together."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one application.

    Raises:
        ConfigError: several processes are to count in a folder that there isn't.
    """

    def __init__(self) -> None:
        folder = os.environ.get(PROCESSES_FOLDER)
        if folder is not None and not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigError(f"${PROCESSES_FOLDER} is {folder!r}; expected an empty folder that may be written to")
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "midas_requests", "Requests for a map, by status and format.", ("status", "format"), registry=self._registry
        )
        self._rejected = Counter("midas_rejected", "Requests refused, by reason.", ("reason",), registry=self._registry)
        self._pixels = Counter("midas_pixels", "Pixels of the pictures predicted.", registry=self._registry)
        self._stage = Histogram(
            "midas_stage_seconds",
            "Time that a request spent waiting, and in each step.",
            ("stage",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._waiting = self._gauge("midas_queue_depth", "Requests that wait for their turn.")
        self._running = self._gauge("midas_in_flight", "Requests that are worked on.")
        self._model = Gauge(
            "midas_model_info",
            "1 for each model that is ready.",
            ("model",),
            registry=self._registry,
            multiprocess_mode="livemax",
        )

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry, multiprocess_mode="livesum")

    def count(self, status: int, format_name: str, reason: str | None = None) -> None:
        """Count an answer, and why it refuses where it does."""
        self._requests.labels(str(status), format_name).inc()
        if reason is not None:
            self._rejected.labels(reason).inc()

    def observe(self, seconds: dict[str, float], pixels: int) -> None:
        """Count a prediction: the time of each of its stages, and the pixels of its picture."""
        for stage, each in seconds.items():
            self._stage.labels(stage).observe(each)
        self._pixels.inc(pixels)

    def show_queue(self, waiting: int, running: int) -> None:
        """Note how many wait and how many are worked on."""
        self._waiting.set(waiting)
        self._running.set(running)

    def show_model(self, name: str) -> None:
        """Note that a model is ready."""
        self._model.labels(name).set(1)

    def text(self) -> bytes:
        """All of it; where several processes count together, their sum."""
        if PROCESSES_FOLDER not in os.environ:
            return generate_latest(self._registry)
        forget_the_dead(Path(os.environ[PROCESSES_FOLDER]))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def forget_the_dead(folder: Path) -> None:
    """Take out the gauges of processes that have ended; what they counted stays in the sums.

    ``prometheus_client.multiprocess.mark_process_dead`` is for whoever knows that a process died. That is uvicorn, or
    whatever else holds the processes, and it doesn't tell; so we look when somebody asks. Several may look at a time.

    Args:
        folder: in which the processes count together.
    """
    for path in folder.glob("gauge_live*_*.db"):
        number = path.stem.rpartition("_")[2]
        if number.isdecimal() and not _is_alive(int(number)):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":  # where `os.kill` ends the process, whatever the signal
        return True
    try:
        os.kill(process, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
