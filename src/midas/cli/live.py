"""``midas live``: a camera's depth, in the browser."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from midas.backends import AUTO, BACKENDS
from midas.backends.choice import for_films
from midas.cli import DebugOption, command_app
from midas.cli.terminal import tell
from midas.loading import load
from midas.maps.colormaps import COLORMAPS
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.preprocess import MAX_SIZE_PX
from midas.storage.atomic import atomic_file
from midas.video.frame import FilmFormat
from midas.video.live import Camera, LiveView, Shown
from midas.video.live_page import LiveServer
from midas.video.steady import STEADY_MODES
from midas.video.writing import FilmWriter

app = command_app()

BROWSER = "browser"
DEFAULT_PORT = 8420
_RECORD_BASE, _RECORD_RATE_HZ = Fraction(1, 1000), Fraction(25)

EPILOG = """\b
Examples:
  midas live                                 the first camera
  midas live /dev/video2
  midas live rtsp://camera.local/stream
  midas live clip.mp4                        plays a film in its own time
  midas live browser                         the camera of the browser itself
  midas live 0 --record depth.mp4

\b
Open the address that is printed; Ctrl-C ends it. Only this machine is served.
"""


@app.command(epilog=EPILOG)
def live(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Number of a camera, its device, an address (RTSP, HTTP), a film, or browser."
        ),
    ] = "0",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port of the page on 127.0.0.1; 0 is any.")
    ] = DEFAULT_PORT,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what is shown to a film (.mp4, .mkv); it is there at the end."),
    ] = None,
    for_s: Annotated[
        float, typer.Option("--for", metavar="S", min=0, help="End after so many seconds; 0 is never.")
    ] = 0.0,
    steady: Annotated[str, typer.Option(metavar="NAME", help=f"One of {', '.join(STEADY_MODES)}.")] = "flow",
    colormap: Annotated[str, typer.Option(metavar="NAME", help=f"Colours: {', '.join(COLORMAPS)}.")] = "inferno",
    model: Annotated[str, typer.Option(metavar="NAME|FILE", help="As for `midas predict`.")] = DEFAULT_MODEL,
    size: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MAX_SIZE_PX, help="Shorter side of the network's input in pixels."),
    ] = None,
    backend: Annotated[str, typer.Option(metavar="NAME", help=f"One of {', '.join((AUTO, *BACKENDS))}.")] = AUTO,
    device: Annotated[str, typer.Option(metavar="NAME", help="Where it runs.")] = AUTO,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the recording if it is there.")] = False,
    debug: DebugOption = False,
) -> None:
    """Show the depth of a camera, a stream or a film in the browser, as it happens."""
    for name, value, choices in (("--steady", steady, STEADY_MODES), ("--colormap", colormap, COLORMAPS)):
        if value not in choices:
            raise typer.BadParameter(f"{name} {value!r} is none of {', '.join(choices)}")
    predictor = load(model, size=size, device=device, backend=for_films(backend, model, device))
    with ExitStack() as stack:
        recorder = stack.enter_context(_Recorder(record, overwrite=overwrite)) if record else None
        camera = stack.enter_context(Camera(source)) if source != BROWSER else None
        view = stack.enter_context(
            LiveView(predictor, camera, colormap=colormap, steady=steady, on_shown=recorder.take if recorder else None)  # type: ignore[arg-type]
        )
        server = stack.enter_context(closing(LiveServer(view, port)))
        tell(f"midas: {server.address} shows {source}; Ctrl-C ends it")
        _wait(view, for_s)


def _wait(view: LiveView, for_s: float) -> None:
    begun, said = time.monotonic(), None
    while not for_s or time.monotonic() - begun < for_s:
        time.sleep(0.1)
        problem = view.figures["problem"]
        if problem != said and problem is not None:
            tell(f"midas: warning: {problem}; trying again")
        said = problem


class _Recorder(ExitStack):
    """A film of what is shown; it is whole when the block ends, also by Ctrl-C."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        super().__init__()
        film = FilmFormat("live", _RECORD_BASE, _RECORD_RATE_HZ, Fraction(1), None, None)
        with ExitStack() as unless_all_is_well:
            file = unless_all_is_well.enter_context(atomic_file(path, overwrite=overwrite))
            self._writer = unless_all_is_well.enter_context(FilmWriter(file, path.suffix.lower(), film))
            self.push(unless_all_is_well.pop_all())
        self._begun: float | None = None

    def __exit__(self, *_: object) -> bool:
        return bool(super().__exit__(None, None, None))  # Ctrl-C is how a recording ends

    def take(self, shown: Shown) -> None:
        """Take what is shown."""
        self._begun = shown.grabbed_at_s if self._begun is None else self._begun
        self._writer.write(shown.picture, round((shown.grabbed_at_s - self._begun) / _RECORD_BASE))
