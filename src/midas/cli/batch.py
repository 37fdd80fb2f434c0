"""``midas batch``: pictures by the million, on this machine or on a cluster; may be stopped and started again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midas.backends import AUTO, BACKENDS, QUICK
from midas.cli import STATUS_FAILED, DebugOption, command_app, finite
from midas.cli.batch_reporter import BatchReporter
from midas.cli.pictures_in import ModelOption, OfflineOption, QuietOption, SizeOption
from midas.cli.terminal import say, tell
from midas.errors import ConfigError, MissingExtraError
from midas.maps.formats import FORMATS
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.reading import DEFAULT_MAX_PIXELS
from midas.pipeline import MAX_THREADS

if TYPE_CHECKING:
    from midas.scale.engine import Engine
    from midas.scale.job import Manner, Plan
    from midas.scale.settings import Recipe
    from midas.storage.addresses import Place

app = command_app()

PACKAGES = ("fsspec", "pyarrow")

EPILOG = """\b
Examples:
  midas batch photos/ -o maps/                        files, as photos/ has them
  midas batch photos/ -o maps/ --pack tar             WebDataset shards
  midas batch 's3://bucket/in/*.tar' -o s3://bucket/out --pack parquet
  midas batch list.parquet -o s3://bucket/out --pack parquet --engine ray --address auto
  midas batch clip.mp4 -o frames/                     each frame of a film
  midas batch photos/ -o maps/                        again: goes on where it stopped
  midas batch --status maps/                          how far it is
  midas batch photos/ -o maps/ --retry-failed         tries once more what failed

\b
Sources: folders with all below them, pictures, patterns in quotes, text files
(.txt, one per line), Parquet files of paths or of pictures' bytes, tars, films.
Each picture's outcome is that of `midas predict --map-size net`, to the byte.
A job is its pictures, its model and its options; DEST/_midas holds what it
consists of and what is done. docs/scale.md says what happens when what dies.

\b
Exit status: 0 all done; 1 some pictures failed (DEST/errors.parquet), or the
job isn't finished; 2 wrong usage or another job's destination.
"""


@app.command(epilog=EPILOG)
def batch(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE", help="What to predict; see below.")] = [],  # noqa: B006
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="DEST", help="Folder or address of the outputs.")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="DEST", help="Say how far the job there is, and stop.")
    ] = None,
    pack: Annotated[
        str, typer.Option(metavar="HOW", help="Outputs as files, or in shards as tar or parquet.")
    ] = "files",
    formats: Annotated[str, typer.Option("--format", metavar="NAME,...", help=f"{', '.join(FORMATS)}.")] = "png16",
    model: ModelOption = DEFAULT_MODEL,
    size: SizeOption = None,
    map_size: Annotated[
        str, typer.Option(metavar="SIZE", help="Size of the maps: net, half, full or WIDTHxHEIGHT.")
    ] = "net",
    backend: Annotated[
        str, typer.Option(metavar="NAME", help=f"What runs the network: {', '.join((AUTO, QUICK, *BACKENDS))}.")
    ] = AUTO,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto takes a graphics card where a worker has one.")
    ] = AUTO,
    precision: Annotated[str, typer.Option(metavar="NAME", help="auto, float32, bfloat16, float16.")] = AUTO,
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="local, ray, or auto: local below ten thousand pictures.")
    ] = "auto",
    address: Annotated[
        str | None,
        typer.Option(metavar="A", help="Of a Ray cluster: auto, host:6379, ray://host:10001; else Ray starts here."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=100_000, help="How many at a time; by default what fits.")
    ] = None,
    cores: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MAX_THREADS, help="Cores of a worker; four by default.")
    ] = None,
    gpu_share: Annotated[
        float, typer.Option(metavar="X", min=0.01, max=1, help="With Ray: part of a graphics card per worker.")
    ] = 1.0,
    shard_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Pictures per shard; by default by their number, up to 1000.")
    ] = None,
    max_errors: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="End when more pictures than that have failed.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Do shards with failed pictures again.")] = False,
    as_listed: Annotated[
        bool, typer.Option("--as-listed", help="Go on with the pictures of before, without looking for new ones.")
    ] = False,
    column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of Parquet sources: where pictures or paths are.")
    ] = None,
    max_megapixels: Annotated[
        float, typer.Option(metavar="N", min=0, max=2000, callback=finite, help="Refuse larger pictures.")
    ] = DEFAULT_MAX_PIXELS / 1e6,
    full_decode: Annotated[
        bool, typer.Option("--full-decode", help="Decode large JPEGs at full size; slower.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse JPEGs that lack the last of their data.")] = False,
    metrics_port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65535, help="Serve metrics for Prometheus on this port.")
    ] = None,
    offline: OfflineOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary, or the status, as JSON.")] = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Predict pictures by the thousand or the million; what is done stays done when anything dies.

    The same command again goes on where it stopped. Needs midas-depth[scale].
    """
    if any(find_spec(package) is None for package in PACKAGES):
        raise MissingExtraError("midas batch", "scale")
    from midas.scale.engine import Engine
    from midas.scale.job import Manner
    from midas.scale.settings import Recipe
    from midas.storage.addresses import Place

    if status is not None:
        if sources or output is not None:
            raise ConfigError("--status DEST says how far a job is; leave out sources and --output")
        _say_status(Place.of(status), as_json=as_json)
        return
    if not sources or output is None:
        raise ConfigError("name sources, and a destination with --output; or a job with --status DEST")
    recipe = Recipe(
        model=model,
        packing=pack,
        formats=tuple(name.strip() for name in formats.split(",")),
        backend=backend,
        device=device,
        precision=precision,
        size=size,
        map_size=map_size,
        max_pixels=round(max_megapixels * 1e6),
        full_decode=full_decode,
        strict=strict,
        column=column,
    )
    where = Engine(engine, address, workers, cores, gpu_share)
    manner = Manner(max_errors, retry_failed, as_listed, offline, shard_size)
    complete = _run(sources, Place.of(output), recipe, where, manner, _Saying(as_json, quiet, metrics_port))
    raise typer.Exit(0 if complete else STATUS_FAILED)


class _Saying:
    """What a run says, and where."""

    def __init__(self, as_json: bool, quiet: bool, metrics_port: int | None) -> None:
        self.as_json, self.quiet, self.metrics_port = as_json, quiet, metrics_port


def _run(
    sources: list[str], destination: Place, recipe: Recipe, engine: Engine, manner: Manner, saying: _Saying
) -> bool:
    from midas.scale.job import plan, work

    planned = plan(sources, destination, recipe, manner)
    for source, error in planned.problems.items():
        tell(f"midas: error: {error.message if source in error.message else f'{source}: {error.message}'}")
    if not saying.quiet:
        tell(f"midas: {_described(planned, engine)}")
    with _metrics(planned, saying.metrics_port) as count, BatchReporter(planned, quiet=saying.quiet) as reporter:

        def show(report: Any) -> None:
            reporter.show(report)
            count(report)

        summary = work(planned, engine, manner, show)
    for shard, why in list(summary.unfinished.items())[:5]:
        tell(f"midas: error: shard {shard}: {why}")
    if summary.status.left:
        tell(f"midas: error: {summary.status.left} pictures are left; the same command goes on with them")
    if saying.as_json:
        say(json.dumps(summary.as_json()))
    elif not saying.quiet:
        tell(f"midas: {summary.status}; {summary.worked} by this run in {summary.seconds:.1f} s, in {destination}")
    if summary.status.failed and not saying.quiet:
        tell(f"midas: {summary.status.failed} failed: {destination}/errors.parquet says why")
    return summary.is_complete


def _described(planned: Plan, engine: Engine) -> str:
    job = planned.job
    there = f", {planned.done} of them done" if planned.receipts else ""
    chosen = engine.chosen(len(planned.left) * job.shard_size)
    return f"job {job.id[:12]}: {job.pictures} pictures in {job.shards} shards{there}; engine {chosen}"


@contextmanager
def _metrics(planned: Plan, port: int | None) -> Iterator[Any]:
    if port is None:
        yield lambda report: None
        return
    if find_spec("prometheus_client") is None:
        raise MissingExtraError("--metrics-port", "scale")
    from midas.scale.metrics import Metrics

    with Metrics(planned, port) as metrics:
        yield metrics.count


def _say_status(destination: Place, *, as_json: bool) -> None:
    from midas.scale.status import read_status

    found = read_status(destination)
    say(json.dumps(found.as_json()) if as_json else str(found))
