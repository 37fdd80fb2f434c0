"""``midas data render``: options → environment, library, pictures."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midas.cli import DebugOption
from midas.cli.cluster_options import AddressOption, EngineOption, cluster_engine
from midas.cli.lab import require_lab
from midas.errors import ConfigError

if TYPE_CHECKING:
    from midas.scale.engine import Engine
    from midas.scenes.rendered.environment import RenderEnvironment
    from midas.scenes.rendered.films import FilmOptions
    from midas.scenes.rendered.library import Library
    from midas.scenes.rendered.run import Outcomes, RenderOptions
    from midas.scenes.rendered.store import RenderStore
    from midas.scenes.rendered.worlds import World

EPILOG = """\b
Examples:
  midas data render -o rendered --count 4000
  midas data render -o rendered --count 400 --worlds portraits,streets --workers 8
  midas data render -o /shared/rendered --engine ray --address auto
  midas data render --count 0                     make the environment and the library, no more
  midas data render -o walk --film walk --worlds parks     a film in place of pictures, and then
  midas evaluate --video walk/pictures --truth walk/depth  what a model's maps of it are worth

The same command goes on where it was stopped. Train on the result by [[data.sets]] with the names of its folders.
"""

_LINE_EVERY_S = 60.0
_PICTURES, _FRAMES = 1000, 300


def render(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the sets, one for each world.")
    ] = Path("rendered"),
    count: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Pictures that the folder shall hold, else 1000; 0 only prepares."),
    ] = None,
    worlds: Annotated[
        list[str], typer.Option("--worlds", metavar="NAMES", help="Only these, with commas; see --list.")
    ] = [],  # noqa: B006
    environment: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Environment of Blender and Infinigen, about 2 GB; made if it isn't there."),
    ] = Path("render-environment"),
    library: Annotated[
        Path, typer.Option(metavar="DIR", help="Objects, textures, skies and bodies; made if it isn't there.")
    ] = Path("render-library"),
    library_size: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            min=0.001,
            max=10.0,
            help="Of a library that isn't finished: 1, the default, is some 680 objects and 400 bodies.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the scenes: one seed and library, one set of pictures.")] = 0,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-j", metavar="N", min=1, help="Processes at a time: one, or what a cluster has."),
    ] = None,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Processor threads of each process.")] = 1,
    size: Annotated[
        int,
        typer.Option(metavar="PX", min=32, max=4096, help="Longer side of a 4:3 picture; others have as many pixels."),
    ] = 320,
    samples: Annotated[
        int, typer.Option(metavar="N", min=1, max=4096, help="Light paths per pixel, before denoising.")
    ] = 6,
    limit: Annotated[float, typer.Option(metavar="S", min=1.0, help="Give a scene up after so many seconds.")] = 600.0,
    film: Annotated[
        str | None,
        typer.Option(
            metavar="MOVE",
            help="A film with exact depth, in place of pictures: static, pan, walk (of the camera), or things (people "
            "who cross the picture); of the world that --worlds names, rooms else.",
        ),
    ] = None,
    frames: Annotated[
        int | None, typer.Option(metavar="N", min=2, max=10000, help="Of a film, which else has 300.")
    ] = None,
    engine: EngineOption = "local",
    address: AddressOption = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also draw a contact sheet of each set, a PNG, into this folder.")
    ] = None,
    list_worlds: Annotated[bool, typer.Option("--list", help="List the worlds and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one object of JSON.")] = False,
    debug: DebugOption = False,
) -> None:
    """Render pictures that look real, with exact depth: sets in the corpus format, free of other people's rights.

    Blender, Infinigen and Anny run in an environment of their own, which needs Python 3.11 and is made once; so is a
    library of objects, which takes hours. Bodies need midas-depth[lab].
    """
    from midas.scenes.rendered.claims import claimed
    from midas.scenes.rendered.environment import RenderEnvironment
    from midas.scenes.rendered.library import Library
    from midas.scenes.rendered.run import RenderOptions
    from midas.scenes.rendered.run import render as render_pictures
    from midas.scenes.rendered.store import RenderStore, check_begun
    from midas.scenes.rendered.worlds import find_worlds

    chosen = find_worlds(tuple(name.strip() for names in worlds for name in names.split(",") if name.strip()))
    if list_worlds:
        for world in chosen:
            typer.echo(f"{world.name:<10} {100 * world.share:3.0f} %  {world.about}")
        return
    _refuse_what_is_of_the_other(film, {"--sheet": sheet, "--count": count}, frames)
    where = cluster_engine(engine, address, workers, threads)
    place, shelves = RenderEnvironment(environment), Library(library)
    if film is not None:
        take = _film_options(film, chosen if worlds else find_worlds(("rooms",)), where)
        take = replace(
            take, frames=frames or _FRAMES, seed=seed, size_px=size, samples=samples, threads=threads, limit_s=limit
        )
        _render_film(output, replace(take, workers=workers or 1), place, shelves, library_size, as_json)
        return
    count = _PICTURES if count is None else count
    settings = {"seed": seed, "size_px": size, "samples": samples}
    if count:
        # Before the hours that a library takes.
        check_begun(output, settings)
    with _Lines() as say:
        _prepare(place, shelves, library_size, workers or 1, say)
        if count == 0:
            _show({"environment": str(environment), "library": str(library)}, "", as_json)
            return
        options = RenderOptions(chosen, count, seed, size, samples, workers or 1, threads, limit)
        with claimed(output, "filled"):
            store = RenderStore(output, settings | {"library": shelves.fingerprint})
            try:
                result = render_pictures(
                    place.command,
                    library,
                    store,
                    options,
                    say.sometimes,
                    elsewhere=_on_cluster(where, place, store, options),
                )
            except KeyboardInterrupt:
                say.now(f"{store.kept} pictures are complete in {output}; the same command goes on from there")
                raise
    _show(result.as_dict(), str(result), as_json)
    if sheet is not None:
        _draw_sheets(output, sheet)


def _refuse_what_is_of_the_other(film: str | None, of_pictures: dict[str, object], frames: int | None) -> None:
    if film is None and frames is not None:
        raise ConfigError("--frames are a film's: name its move with --film, or give --count pictures")
    for name, value in of_pictures.items():
        if film is not None and value is not None:
            raise ConfigError(f"{name} is for pictures, and a film has --frames: leave out {name}, or --film")


def _film_options(move: str, worlds: tuple[World, ...], where: Engine | None) -> FilmOptions:
    """The film that was asked for, as far as these say."""
    from midas.scenes.rendered.films import FilmOptions, find_move

    if len(worlds) != 1:
        raise ConfigError(f"a film has one scene: name one world with --worlds, not {len(worlds)}")
    if where is not None:
        raise ConfigError("a film is rendered on one machine: leave out --engine, and give --workers")
    return FilmOptions(worlds[0], find_move(move))


def _render_film(
    output: Path, options: FilmOptions, place: RenderEnvironment, shelves: Library, size: float | None, as_json: bool
) -> None:
    from midas.scenes.rendered.claims import claimed
    from midas.scenes.rendered.films import frames_complete, render_film
    from midas.scenes.rendered.store import check_begun

    check_begun(output, options.facts)
    with _Lines() as say:
        _prepare(place, shelves, size, options.workers, say)
        with claimed(output, "filled"):
            try:
                result = render_film(place.command, shelves, output, options, say.sometimes)
            except KeyboardInterrupt:
                done = frames_complete(output, options.frames)
                say.now(f"{done} frames are complete in {output}; the same command goes on from there")
                raise
    _show(
        result.as_dict(), f"{result.kept} frames in {output / 'pictures'}, their depth in {output / 'depth'}", as_json
    )


def _prepare(place: RenderEnvironment, shelves: Library, size: float | None, workers: int, say: _Lines) -> None:
    """Make the environment and the library, as far as they aren't there."""
    if size is not None:
        shelves.check_size(size)
    if not shelves.is_complete:
        # Before a gigabyte is fetched for the rest.
        require_lab("making bodies for rendered scenes")
    if not place.is_ready():
        say.now(f"making the environment {place.folder}: this downloads about 1 GB")
    place.make()
    shelves.build(place, scale=1.0 if size is None else size, workers=workers, report=say.sometimes)


def _on_cluster(
    where: Engine | None, place: RenderEnvironment, store: RenderStore, options: RenderOptions
) -> Outcomes | None:
    """What has scenes done on a cluster; None for this machine's processes."""
    if where is None:
        return None
    from midas.scale.rendering import outcomes_by

    command = [str(Path(part).absolute()) if Path(part).exists() else part for part in place.command]
    return partial(outcomes_by, where, command, store.root / "logs", options.limit_s)


def _show(facts: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json or text:
        typer.echo(json.dumps(facts) if as_json else text)


def _draw_sheets(output: Path, folder: Path) -> None:
    from PIL import Image

    from midas.scenes.rendered.sheet import chosen, draw_sheet
    from midas.storage.atomic import atomic_file

    for path in sorted(output.glob("*/dataset.json")):
        name = path.parent.name
        with atomic_file(folder / f"{name}.png", overwrite=True) as file:
            Image.fromarray(draw_sheet(chosen(path.parent, 40))).save(file, format="PNG")


class _Lines:
    """Progress on standard error: on a terminal one line that changes, else a line a minute."""

    def __init__(self) -> None:
        self._last_s = -_LINE_EVERY_S
        self._open = False

    def __enter__(self) -> _Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def now(self, text: object) -> None:
        """Write a line."""
        self._end()
        typer.echo(str(text), err=True)

    def sometimes(self, text: object) -> None:
        """Write it, if it is time."""
        if sys.stderr.isatty():
            typer.echo(f"\r\033[K{text}", err=True, nl=False)
            self._open = True
        elif time.monotonic() - self._last_s >= _LINE_EVERY_S:
            self._last_s = time.monotonic()
            self.now(text)

    def _end(self) -> None:
        """What is written next begins a line of its own."""
        if self._open:
            typer.echo(err=True)
        self._open = False
