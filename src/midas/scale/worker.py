"""Who does shards: holds a predictor, and makes of a shard's pictures its outputs and its receipt.

Reading, the network and writing overlap, as in ``midas.folder``, of whose functions the pictures go through the same
ones: so each map is the one that ``midas predict`` gives, to the last byte.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from midas.backends import AUTO
from midas.backends.choice import for_pictures
from midas.backends.exactness import is_exact
from midas.errors import ConfigError, DamageWarning, MidasError, StorageError, net
from midas.folder import READERS, Settings, map_size_of, prepared_picture
from midas.loading import load
from midas.maps.depth_map import DepthMap
from midas.maps.formats import encode_map
from midas.maps.map_size import MapSize
from midas.maps.value_range import ValueRange
from midas.models.zoo import MODELS
from midas.pipeline import drawn_ahead, group_alike, run_ahead
from midas.predictor import Predictor
from midas.scale.manifest import Job, read_job, read_shard
from midas.scale.opening import IN_TURN, Opened, opened
from midas.scale.packing import Made, Packer, packer_for
from midas.scale.receipts import Failure, Receipt, holds, read_receipt, write_receipt
from midas.scale.settings import Recipe, device_of, model_digest
from midas.scale.share import Share
from midas.storage.addresses import STORE_THREADS, Place
from midas.tiling.prepared import Prepared

GPU_BATCH = 32
"""Pictures that go through a graphics card at once; a processor gains nothing from several."""


@dataclass(frozen=True)
class ShardReport:
    """What became of a shard, for whoever counts.

    Attributes:
        shard: its number.
        pictures: that were worked on; 0 where the shard was done already.
        failed: how many of the shard's pictures have no map.
        seconds: that it took.
        stages: seconds by stage, summed over threads.
        error: why the shard couldn't be finished, though its pictures may be fine: it is to be tried again.
    """

    shard: int
    pictures: int = 0
    failed: int = 0
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    error: str | None = None


class ShardWorker:
    """Does shards of the job at a destination, one after the other.

    Args:
        address: of the destination.
        job: id of the job that is meant.
        again: shards that are to be done again although they are done, and when they were finished: one that was
            finished at another time has been done again by now.
        offline: whether nothing may be downloaded.
        share: what of this machine it may use.

    Raises:
        MidasError: the job isn't there, or the model can't be made ready here, or is another one than the job's.
    """

    def __init__(
        self, address: str, job: str, *, again: Mapping[int, float] | None = None, offline: bool = False, share: Share
    ) -> None:
        # A million lines of it are no help; --strict refuses such pictures.
        warnings.simplefilter("ignore", DamageWarning)
        self.destination = Place.of(address)
        there = read_job(self.destination)
        if there is None or there.id != job:
            raise ConfigError(
                f"{self.destination} holds {'no job' if there is None else 'another job'} by now; expected that of id "
                f"{job}: all machines need the same destination, and each job one of its own"
            )
        self.job = there
        self._again = again or {}
        self.predictor, self.batch = ready_predictor(there, share, offline=offline)
        self._settings = settings_of(there.recipe, self.batch)

    def __call__(self, shard: int) -> ShardReport:
        """Do a shard, unless it is done."""
        try:
            with net(f"shard {shard} can't be finished", StorageError):
                return self._do(shard)
        except MidasError as error:
            return ShardReport(shard, error=str(error))

    def _do(self, shard: int) -> ShardReport:
        earlier = read_receipt(self.destination, self.job, shard)
        retried = earlier is not None and self._again.get(shard) == earlier.finished
        if earlier is not None and not retried and holds(self.destination, earlier):
            return ShardReport(shard, failed=len(earlier.failures))
        began = time.perf_counter()
        clock = _Clock()
        entries = read_shard(self.destination, self.job, shard)
        failures: list[Failure] = []
        with packer_for(self.destination, self.job.recipe, shard) as packer:
            outcomes = _outcomes(self.predictor, self._settings, self.job.recipe, entries, packer, clock)
            for entry, outcome in zip(entries, outcomes, strict=True):
                packer.add(entry, outcome)
                if isinstance(outcome, Failure):
                    failures.append(outcome)
        seconds = time.perf_counter() - began
        receipt = Receipt(
            job=self.job.id,
            shard=shard,
            pictures=len(entries),
            outputs=packer.outputs,
            failures=tuple(failures),
            seconds=round(seconds, 3),
            stages=clock.seconds,
            finished=round(time.time(), 3),
            runs_on=_described(self.predictor, self.batch),
        )
        write_receipt(self.destination, receipt)
        return ShardReport(shard, len(entries), len(failures), seconds, dict(clock.seconds))


def ready_predictor(job: Job, share: Share, *, offline: bool = False) -> tuple[Predictor, int]:
    """The predictor for a share of a machine, and how many pictures go through it at once.

    With a graphics card it takes batches, in bfloat16 where that is known to be exact enough; on processors it has as
    many threads as the share has cores.

    Raises:
        MidasError: the model can't be made ready here, or its file is another one than the job's.
    """
    recipe = job.recipe
    how: dict[str, Any] = {"backend": for_pictures(recipe.backend, job.pictures), "precision": recipe.precision}
    wanted = device_of(recipe)
    how["device"] = share.device if wanted == AUTO else wanted
    batch = 1
    if how["device"].partition(":")[0] not in (AUTO, "cpu"):
        batch = GPU_BATCH
        if recipe.precision == AUTO and is_exact(recipe.model):
            how["precision"] = "bfloat16"
    # A card may run another of the files of a model of the table, which states their hashes.
    unsure = recipe.model_sha256 and (batch == 1 or recipe.model not in MODELS)
    if unsure and model_digest(recipe, offline=offline or None) != recipe.model_sha256:
        raise ConfigError(
            f"{recipe.model} is another file here than where the job was begun; expected the same everywhere"
        )
    threads = share.cores or None
    return load(recipe.model, size=recipe.size, threads=threads, offline=offline or None, **how), batch


def settings_of(recipe: Recipe, batch: int) -> Settings:
    """A recipe as the settings that ``midas predict`` has."""
    return Settings(
        max_pixels=recipe.max_pixels,
        colormap=recipe.colormap,
        batch=batch,
        full_decode=recipe.full_decode,
        strict=recipe.strict,
        map_size=MapSize(recipe.map_size),
    )


class _Clock:
    """Seconds by stage; each is written by one thread at a time, or by the one that gathers."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(("fetch", "decode", "network", "encode", "store"), 0.0)

    def add(self, stage: str, seconds: float) -> None:
        self.seconds[stage] = round(self.seconds[stage] + seconds, 6)


@dataclass(frozen=True, eq=False)
class _Ready:
    number: int
    entry: Any
    prepared: Prepared
    map_size: tuple[int, int]
    fetch_s: float
    decode_s: float


@dataclass(frozen=True, eq=False)
class _Mapped:
    ready: _Ready
    depth_map: DepthMap


def _outcomes(
    predictor: Predictor, settings: Settings, recipe: Recipe, entries: Sequence[Any], packer: Packer, clock: _Clock
) -> Iterator[Made | Failure]:
    """What becomes of each picture, in order."""
    formats = recipe.formats
    readers = READERS if all(Place(entry.source).is_local for entry in entries) else STORE_THREADS

    def read(numbered: tuple[int, Opened]) -> _Ready | Failure:
        number, item = numbered
        start = time.perf_counter()
        try:
            source = item.fetch()
            fetched = time.perf_counter()
            prepared = prepared_picture(predictor, settings, source, formats)
            size = map_size_of(settings, prepared)
        except StorageError:  # no fault of the picture's
            raise
        except MidasError as error:
            return Failure(item.entry.title, item.entry.place, error.message)
        named = replace(prepared, source=item.entry.label)
        return _Ready(number, item.entry, named, size, fetched - start, time.perf_counter() - fetched)

    def write(mapped: _Mapped | Failure) -> tuple[Made | Failure, float, float]:
        if isinstance(mapped, Failure):
            return mapped, 0.0, 0.0
        start = time.perf_counter()
        entry = mapped.ready.entry
        try:
            with net(f"the depth map of {entry.title} can't be written", MidasError):
                made = _encoded(mapped, recipe)
        except MidasError as error:
            return Failure(entry.title, entry.place, error.message), time.perf_counter() - start, 0.0
        encoded = time.perf_counter()
        return packer.store(made), encoded - start, time.perf_counter() - encoded

    items = opened(entries, recipe.column)
    if any(entry.kind in IN_TURN for entry in entries):  # takes time, which the network shouldn't wait for
        items = drawn_ahead(items)
    with (
        closing(items),
        closing(run_ahead(read, enumerate(items), workers=readers, waiting=settings.batch)) as pictures,
    ):
        groups = group_alike((picture.result() for picture in pictures), _shape, most=settings.batch)
        mapped = (each for group in groups for each in _infer(predictor, settings, group, clock))
        with closing(run_ahead(write, mapped, workers=packer.threads)) as written:
            for future in written:
                outcome, encode_s, store_s = future.result()
                clock.add("encode", encode_s)
                clock.add("store", store_s)
                yield outcome


def _shape(each: _Ready | Failure) -> tuple[int, ...] | None:
    return each.prepared.pixels.shape if isinstance(each, _Ready) else None


def _infer(
    predictor: Predictor, settings: Settings, group: Sequence[_Ready | Failure], clock: _Clock
) -> Iterator[_Mapped | Failure]:
    ready = [each for each in group if isinstance(each, _Ready)]
    for each in ready:
        clock.add("fetch", each.fetch_s)
        clock.add("decode", each.decode_s)
    yield from (each for each in group if isinstance(each, Failure))
    start = time.perf_counter()
    outcomes = predictor.infer_batch(
        [replace(each.prepared, size=each.map_size) for each in ready], at_once=settings.batch
    )
    clock.add("network", time.perf_counter() - start)
    for each, outcome in zip(ready, outcomes, strict=True):
        if isinstance(outcome, DepthMap):
            yield _Mapped(each, outcome)
        else:
            yield Failure(each.entry.title, each.entry.place, outcome.message)


def _encoded(mapped: _Mapped, recipe: Recipe) -> Made:
    depth_map = mapped.depth_map
    files = {
        name: encode_map(
            depth_map.values,
            name,
            metadata=depth_map.metadata,
            kind=depth_map.kind,
            image=mapped.ready.prepared.image,
            colormap=recipe.colormap,
        )
        for name in recipe.formats
    }
    value_range = ValueRange.of(depth_map.values)
    return Made(
        mapped.ready.entry,
        mapped.ready.number,
        files,
        value_range.low,
        value_range.high,
        depth_map.size,
        depth_map.model or recipe.model,
        depth_map.kind,
    )


def _described(predictor: Predictor, batch: int) -> str:
    backend = predictor.backend
    precision = getattr(backend, "precision", "")
    return f"{type(backend).__name__} {precision}, batches of {batch}, {os.cpu_count()} cores".replace(" ,", ",")
