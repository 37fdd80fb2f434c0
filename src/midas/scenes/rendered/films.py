"""Films with exact depth: one take of a rendered scene, frame by frame, as ``midas evaluate --video`` reads them.

::

    <output>/render.json               what the take is made of: must not change between runs
    <output>/pictures/0000.png, ...    the frames
    <output>/depth/0000.npz, ...       depth along the axis in metres, 0 where there is sky
    <output>/cameras/0000.json, ...    what says that a frame is complete: the next run makes those that have none
    <output>/depth/cameras.json        intrinsics and poses, once all frames are there
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np

from midas.errors import ConfigError, RenderError, net
from midas.maps.formats import write_map
from midas.maps.kinds import METRIC
from midas.scenes.rendered.depth_files import sky_mask
from midas.scenes.rendered.library import Library
from midas.scenes.rendered.photograph import View, develop
from midas.scenes.rendered.plan import scene_seed
from midas.scenes.rendered.run import Progress, read_view
from midas.scenes.rendered.store import FACTS, PARTIAL, check_begun
from midas.scenes.rendered.workers import Job, Outcome, WorkerPool
from midas.scenes.rendered.worlds import World
from midas.storage.atomic import atomic_file

Move = Literal["static", "pan", "walk", "things"]
MOVES: tuple[Move, ...] = get_args(Move)

FRAMES_PER_JOB = 20
"""Of one answer of the generator: what a killed run loses, and how often progress is told."""


@dataclass(frozen=True)
class FilmOptions:
    """Which film.

    Attributes:
        world: what the scene is.
        move: of the camera, or of things.
        frames: how many.
        seed: of everything.
        size_px: longer side of the frames, which are 4:3.
        samples: light paths per pixel, before denoising.
        workers: processes at a time; each builds the scene for itself.
        threads: of each process.
        limit_s: the most that the scene and ``FRAMES_PER_JOB`` frames may take.
    """

    world: World
    move: Move
    frames: int = 300
    seed: int = 0
    size_px: int = 320
    samples: int = 6
    workers: int = 1
    threads: int = 1
    limit_s: float = 1200.0

    @property
    def facts(self) -> dict[str, Any]:
        """What must be the same in every run into one folder."""
        kept = {"frames": self.frames, "seed": self.seed, "size_px": self.size_px, "samples": self.samples}
        return {"world": self.world.name, "move": self.move} | kept


def find_move(name: str) -> Move:
    """The move of this name.

    Raises:
        ConfigError: there is none.
    """
    for move in MOVES:
        if move == name:
            return move
    raise ConfigError(f"no move is called {name!r}; there are: {', '.join(MOVES)}")


def render_film(
    command: Sequence[str],
    library: Library,
    output: Path,
    options: FilmOptions,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Render what is still missing of a film.

    Args:
        command: starts one process of the generator.
        library: of the assets, complete.
        output: the folder, which may hold frames of an earlier run.
        report: called after every few frames.

    Raises:
        RenderError: the folder holds another film, the generator can't be run, or frames failed.
    """
    facts = options.facts | {"library": library.fingerprint}
    check_begun(output, facts)
    for folder in (output / "pictures", output / "depth", output / "cameras"):
        folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(output / FACTS, overwrite=True) as file:
        file.write((json.dumps(facts, indent=1) + "\n").encode())
    numbers = [number for number in range(options.frames) if not _camera_file(output, number).exists()]
    progress = Progress(kept=frames_complete(output, options.frames), wanted=options.frames)
    began = time.monotonic()
    stretches = iter(_stretches(numbers))
    pool = WorkerPool(command, options.workers, output / "logs", limit_s=options.limit_s, threads=options.threads)
    outcomes = pool.outcomes(lambda: _job(next(stretches, None), library.folder, output, options))
    with contextlib.closing(outcomes):  # type: ignore[type-var]
        for outcome in outcomes:
            _take(outcome, output, options)
            done = outcome.job["last"] - outcome.job["first"]
            progress.kept, progress.new = progress.kept + done, progress.new + done
            progress.elapsed_s = time.monotonic() - began
            report(progress)
    _write_cameras(output, options.frames)
    shutil.rmtree(output / PARTIAL, ignore_errors=True)
    return progress


def frames_complete(output: Path, frames: int) -> int:
    """How many of a film's frames its folder holds."""
    return sum(_camera_file(output, number).exists() for number in range(frames))


def _stretches(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Frames in a row, at most so many at a time."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number and number - found[-1][0] < FRAMES_PER_JOB:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return found


def _job(stretch: tuple[int, int] | None, library: Path, output: Path, options: FilmOptions) -> Job | None:
    if stretch is None:
        return None
    return options.facts | {
        "do": "move",
        "seed": scene_seed(options.seed, options.world.name, 0),
        "library": str(library.resolve()),
        # Of its own: the generator's processes put their passes into files of one name.
        "folder": str((output / PARTIAL / f"{stretch[0]:04d}").resolve()),
        "first": stretch[0],
        "last": stretch[1],
    }


def _take(outcome: Outcome, output: Path, options: FilmOptions) -> None:
    """Develop the frames of an answer; the camera's file, written last, says that a frame is complete."""
    if outcome.error is not None:
        raise RenderError(f"frames {outcome.job['first']} to {outcome.job['last'] - 1} failed: {outcome.error}")
    # The generator's files come from outside.
    with net("what the generator wrote can't be taken", RenderError):
        for facts in outcome.reply["views"]:
            path, number = Path(facts["file"]), int(facts["number"])
            view = read_view(path, facts)
            # One state of chance for all frames: a film has one exposure curve, one white balance, one lens.
            grain = np.random.default_rng((options.seed, number))
            photo = develop(view, np.random.default_rng(options.seed), grain=grain)
            _write_frame(output, number, photo, view)
            path.unlink()
            with atomic_file(_camera_file(output, number), overwrite=True) as file:
                file.write(json.dumps({key: facts[key] for key in ("pose", "intrinsics")}).encode())


def _write_frame(output: Path, number: int, photo: np.ndarray, view: View) -> None:
    with atomic_file(output / "pictures" / f"{number:04d}.png", overwrite=True) as file:
        file.write(cv2.imencode(".png", np.ascontiguousarray(photo[..., ::-1]))[1].tobytes())
    depth_m = np.where(sky_mask(view.depth_m), np.float32(0), view.depth_m)
    write_map(output / "depth" / f"{number:04d}.npz", depth_m, kind=METRIC, overwrite=True)


def _camera_file(output: Path, number: int) -> Path:
    return output / "cameras" / f"{number:04d}.json"


def _write_cameras(output: Path, frames: int) -> None:
    cameras = [json.loads(_camera_file(output, number).read_text(encoding="utf-8")) for number in range(frames)]
    content = {"intrinsics": cameras[0]["intrinsics"], "poses": [camera["pose"] for camera in cameras]}
    with atomic_file(output / "depth" / "cameras.json", overwrite=True) as file:
        file.write((json.dumps(content) + "\n").encode())
