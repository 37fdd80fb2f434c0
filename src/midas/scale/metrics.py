"""Numbers of a run for Prometheus: on a port of the machine that began it, as long as it runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from midas.errors import ConfigError

if TYPE_CHECKING:
    from midas.scale.job import Plan
    from midas.scale.worker import ShardReport


class Metrics(AbstractContextManager["Metrics"]):
    """Counters of a run; never by path or shard, whose number has no bound.

    Args:
        planned: the run's job.
        port: where they are served, on all of this machine's addresses; 0 for any that is free.

    Raises:
        ConfigError: the port can't be had.
    """

    def __init__(self, planned: Plan, port: int) -> None:
        self._planned = planned
        self.registry = CollectorRegistry()
        self._pictures = Counter(
            "midas_batch_pictures", "Pictures that were worked on, by outcome.", ["outcome"], registry=self.registry
        )
        self._shards = Counter("midas_batch_shards", "Shards, by outcome.", ["outcome"], registry=self.registry)
        self._stages = Counter(
            "midas_batch_stage_seconds", "Seconds of worker threads, by stage.", ["stage"], registry=self.registry
        )
        total = Gauge("midas_batch_job_pictures", "Pictures of the job.", registry=self.registry)
        total.set(planned.job.pictures)
        self._left = Gauge("midas_batch_job_pictures_left", "Pictures still to be done.", registry=self.registry)
        self._left.set(sum(map(planned.job.count, planned.left)))
        try:
            self._server, self._thread = start_http_server(port, registry=self.registry)
        except OSError as error:
            raise ConfigError(f"port {port} can't be had for metrics ({error.strerror}); choose another one") from error

    @property
    def port(self) -> int:
        """Where they are served."""
        return int(self._server.server_port)

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, report: ShardReport) -> None:
        """Take a shard into account."""
        if report.error is not None:
            self._shards.labels("tried again").inc()
            return
        if report.pictures:
            self._shards.labels("done").inc()
            self._pictures.labels("done").inc(report.pictures - report.failed)
            self._pictures.labels("failed").inc(report.failed)
        else:
            self._shards.labels("done before").inc()
        self._left.dec(self._planned.job.count(report.shard))
        for stage, seconds in report.stages.items():
            self._stages.labels(stage).inc(seconds)
