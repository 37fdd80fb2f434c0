"""``midas serve``: the page and the HTTP API."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, get_args

import typer

from midas.backends import AUTO, BACKENDS, QUICK
from midas.cli import DebugOption, command_app, one_of
from midas.cli.terminal import tell
from midas.errors import MissingExtraError
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.preprocess import Restoration
from midas.pipeline import MAX_BATCH, MAX_THREADS

app = command_app()

PACKAGES = ("fastapi", "uvicorn", "prometheus_client", "python_multipart")

EPILOG = """\b
Examples:
  midas serve                                  the page, on http://127.0.0.1:8000/
  curl --data-binary @photo.jpg 'localhost:8000/v1/depth?format=npy' -o depth.npy
  midas serve --model midas_nano_256 --model dpt_swin2_tiny_256
  midas serve --host 0.0.0.0 --key-file keys.txt --rate 60

\b
Keys: one a line in --key-file, or between blanks in the variable
MIDAS_SERVE_KEYS. A request bears one as Authorization: Bearer KEY.
"""


@app.command(epilog=EPILOG)
def serve(
    host: Annotated[str, typer.Option(help="Where to listen; anything but this machine itself needs a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8000,
    models: Annotated[
        list[str],
        typer.Option("--model", metavar="NAME|FILE", help="A model that may be asked for; several by several options."),
    ] = [DEFAULT_MODEL],  # noqa: B006
    backend: Annotated[
        str, typer.Option(metavar="NAME", help=f"What runs the network: {', '.join((AUTO, QUICK, *BACKENDS))}.")
    ] = QUICK,
    device: Annotated[str, typer.Option(metavar="NAME", help="Where it runs; as for `midas predict`.")] = AUTO,
    precision: Annotated[str, typer.Option(metavar="NAME", help="Number format; as for `midas predict`.")] = AUTO,
    interpolation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=lambda name: name and one_of(get_args(Restoration))(name),
            help=f"How maps grow to their pictures' size: {', '.join(get_args(Restoration))}; by default the model's "
            "own way. Guided puts outlines where the picture has them, cubic takes less time.",
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MAX_THREADS, help="Threads of the network for one picture.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, max=64, help="Processes that share the port.")
    ] = 1,
    batch: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MAX_BATCH,
            help="Pictures that go through the network at once. Default: 8 on a graphics card, 1 on a processor.",
        ),
    ] = None,
    batch_wait_ms: Annotated[
        float, typer.Option(metavar="MS", min=0, max=1000, help="How long the first of a batch waits for others.")
    ] = 4.0,
    key_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Keys that requests must bear.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Listen to other machines without a key.")] = False,
    cors_origins: Annotated[
        list[str], typer.Option("--cors-origin", metavar="URL", help="Another site whose pages may call the API.")
    ] = [],  # noqa: B006
    allow_hosts: Annotated[
        list[str],
        typer.Option("--allow-host", metavar="NAME", help="Another name by which browsers may ask for this server."),
    ] = [],  # noqa: B006
    root_path: Annotated[str, typer.Option(metavar="PATH", help="What a proxy in front cuts off the path.")] = "",
    max_megabytes: Annotated[float, typer.Option(metavar="N", min=0.001, help="Refuse larger bodies.")] = 25.0,
    max_megapixels: Annotated[float, typer.Option(metavar="N", min=0.001, help="Refuse larger pictures.")] = 50.0,
    max_size: Annotated[int, typer.Option(metavar="N", min=1, help="Refuse a larger size of the network's input.")] = (
        1024
    ),
    max_tile: Annotated[int, typer.Option(metavar="N", min=1, help="Refuse more tiles along a side.")] = 4,
    body_seconds: Annotated[float, typer.Option(metavar="S", min=0.1, help="Refuse bodies that take longer.")] = 30.0,
    max_buffered: Annotated[
        float, typer.Option("--max-buffered-megabytes", metavar="N", min=0.001, help="Of all bodies held at a time.")
    ] = 400.0,
    queue_seconds: Annotated[
        float, typer.Option(metavar="S", min=0.01, help="Refuse at once what would have to wait longer.")
    ] = 2.0,
    decodes: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MAX_THREADS, help="Pictures that are worked on at a time.")
    ] = None,
    rate: Annotated[
        float, typer.Option(metavar="N", min=0, help="Requests per minute and key, or address; 0 for no limit.")
    ] = 0.0,
    films: Annotated[
        bool, typer.Option("--films/--no-films", help="Take films too, with midas-depth[video] and one worker.")
    ] = True,
    max_films: Annotated[int, typer.Option(metavar="N", min=1, help="Films here at a time; one is mapped.")] = 4,
    max_film_megabytes: Annotated[float, typer.Option(metavar="N", min=0.001, help="Refuse larger films.")] = 200.0,
    max_film_seconds: Annotated[float, typer.Option(metavar="S", min=0.1, help="Refuse films that last longer.")] = (
        120.0
    ),
    max_film_frames: Annotated[int, typer.Option(metavar="N", min=1, help="End films with more frames.")] = 7200,
    film_upload_seconds: Annotated[
        float, typer.Option(metavar="S", min=0.1, help="Refuse films that take longer to arrive.")
    ] = 300.0,
    film_work_seconds: Annotated[
        float, typer.Option(metavar="S", min=0.1, help="End films that take longer to be mapped.")
    ] = 900.0,
    film_keep_seconds: Annotated[
        float, typer.Option(metavar="S", min=1, help="Remove a film so long after it came.")
    ] = 1800.0,
    drain_seconds: Annotated[
        float, typer.Option(metavar="S", min=0, help="How long requests may take to finish on a stop.")
    ] = 10.0,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.")] = False,
    access_log: Annotated[bool, typer.Option("--access-log", help="A line of the log for each request.")] = False,
    debug: DebugOption = False,
) -> None:
    """Serve a page for people and an HTTP API for programs, on this machine; pictures don't leave it."""
    if any(find_spec(package) is None for package in PACKAGES):
        raise MissingExtraError("serve", "serve")
    from midas.serving.films import FILMS_THERE
    from midas.serving.limits import KEYS_VARIABLE, Address, Limits, ServeOptions, check_exposure, keys_from
    from midas.serving.server import serve as run

    given = {} if decodes is None else {"decodes": decodes}
    limits = Limits(
        body_bytes=round(max_megabytes * 1e6),
        pixels=round(max_megapixels * 1e6),
        body_s=body_seconds,
        buffered_bytes=round(max_buffered * 1e6),
        queue_s=queue_seconds,
        size_px=max_size,
        tile=max_tile,
        rate=rate,
        films=max_films,
        film_bytes=round(max_film_megabytes * 1e6),
        film_s=max_film_seconds,
        film_frames=max_film_frames,
        film_upload_s=film_upload_seconds,
        film_work_s=film_work_seconds,
        film_keep_s=film_keep_seconds,
        drain_s=drain_seconds,
        **given,
    )
    address = Address(host, port, processes, root_path.rstrip("/"))
    keys = keys_from(key_file, KEYS_VARIABLE)
    options = ServeOptions(
        models=tuple(models),
        backend=backend,
        device=device,
        precision=precision,
        interpolation=interpolation,  # type: ignore[arg-type]
        threads=threads,
        offline=offline,
        batch=batch,
        batch_wait_s=batch_wait_ms / 1000,
        keys=keys,
        films=films,
        cors_origins=tuple(cors_origins),
        hosts=address.names(allow_hosts, has_keys=bool(keys)),
        limits=limits,
    )
    check_exposure(address, options, insecure=insecure)
    takes_films = films and processes == 1 and FILMS_THERE
    tell(f"midas: limits: {limits.described(films=takes_films)}")
    asks = f"{len(keys)} key{'s' * (len(keys) > 1)}" if keys else "no key is asked for"

    def announce(url: str, runs_on: str) -> None:
        tell(f"midas: serving {', '.join(models)} on {url} ({asks}; {runs_on})")

    run(address, options, announce, access_log=access_log)
