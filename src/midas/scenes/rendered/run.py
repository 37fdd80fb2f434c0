"""Render: jobs out to the generator, views back, pictures kept or dropped, until there are enough."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from midas.errors import RenderError, net
from midas.scenes.rendered.checks import failure
from midas.scenes.rendered.depth_files import encode_depth
from midas.scenes.rendered.photograph import View, develop
from midas.scenes.rendered.plan import VIEWS_PER_SCENE, ScenePlan, scenes
from midas.scenes.rendered.store import Picture, RenderStore, SceneRecord
from midas.scenes.rendered.workers import Job, Outcome, WorkerPool
from midas.scenes.rendered.worlds import World

SCENE_LIMIT_S = 600.0
FAILURES_BEFORE_GIVING_UP = 10

Outcomes = Callable[[Callable[[], Job | None]], Iterator[Outcome]]


@dataclass(frozen=True)
class RenderOptions:
    """What to render.

    Attributes:
        worlds: which kinds of scenes.
        count: pictures that the output folder shall hold, earlier ones included.
        seed: of everything.
        size_px: longer side of a 4:3 picture; other formats have as many pixels.
        samples: light paths per pixel, before denoising.
        workers: processes at a time.
        threads: of each process.
        limit_s: the most that a scene may take.
    """

    worlds: tuple[World, ...]
    count: int
    seed: int = 0
    size_px: int = 320
    samples: int = 6
    workers: int = 1
    threads: int = 1
    limit_s: float = SCENE_LIMIT_S


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        kept: pictures in the folder.
        wanted: that there shall be.
        new: pictures of this run.
        dropped: pictures of this run that failed, by reason.
        failed_scenes: scenes of this run that came to nothing.
        elapsed_s: since the run began.
    """

    kept: int
    wanted: int
    new: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    failed_scenes: int = 0
    elapsed_s: float = 0.0

    @property
    def per_hour(self) -> float:
        """Pictures kept per hour of this run."""
        return 3600 * self.new / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until there are enough, at this pace; None before there is one."""
        return 3600 * max(self.wanted - self.kept, 0) / self.per_hour if self.new else None

    def count(self, record: SceneRecord, kept: int, elapsed_s: float) -> None:
        """Take a finished scene into account."""
        self.kept, self.new, self.elapsed_s = kept, self.new + record.kept, elapsed_s
        self.dropped.update(record.dropped)
        self.failed_scenes += record.error is not None

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "pictures": self.kept,
            "new": self.new,
            "dropped": dict(self.dropped),
            "failed_scenes": self.failed_scenes,
            "pictures_per_hour": round(self.per_hour, 1),
            "seconds": round(self.elapsed_s, 1),
        }

    def __str__(self) -> str:
        left = "" if self.left_s is None else f", {_duration(self.left_s)} left"
        lost = self.dropped.total()
        dropped = f", {lost} dropped" if lost else ""
        failed = f", {self.failed_scenes} scenes failed" if self.failed_scenes else ""
        return f"{self.kept} of {self.wanted} pictures, {self.per_hour:.0f} an hour{left}{dropped}{failed}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def render(
    command: Sequence[str],
    library: Path,
    output: RenderStore,
    options: RenderOptions,
    report: Callable[[Progress], None] = lambda progress: None,
    *,
    elsewhere: Outcomes | None = None,
) -> Progress:
    """Render scenes into a folder until it holds enough pictures.

    Args:
        command: starts one process of the generator.
        library: folder of the assets.
        output: the folder, which may hold pictures of earlier runs.
        report: called after each scene.
        elsewhere: has jobs done in place of this machine's processes.

    Raises:
        RenderError: the generator can't be run, or scenes keep failing.
    """
    progress = Progress(kept=output.kept, wanted=options.count)
    began = time.monotonic()
    logs = output.root / "logs"
    pool = WorkerPool(command, options.workers, logs, limit_s=options.limit_s, threads=options.threads)
    under_way: dict[tuple[str, int], ScenePlan] = {}
    left = (scene for scene in scenes(options.worlds, options.seed) if not output.has(scene))

    def next_job() -> Job | None:
        # Scenes under way will bring pictures too: the last ones aren't begun in vain.
        if output.kept + VIEWS_PER_SCENE * len(under_way) >= options.count:
            return None
        scene = next(left)
        under_way[scene.world.name, scene.index] = scene
        return _job(scene, library, output, options)

    failures_in_a_row = 0
    outcomes = (elsewhere or pool.outcomes)(next_job)
    with contextlib.closing(outcomes):  # type: ignore[type-var]
        try:
            for outcome in outcomes:
                scene = under_way.pop((outcome.job["world"], outcome.job["index"]))
                # What is the environment's fault and not the scene's isn't written down: a later run will do it.
                record = None if outcome.fatal else _finish(scene, outcome, output)
                if record is not None:
                    progress.count(record, output.kept, time.monotonic() - began)
                failures_in_a_row = 0 if record is not None and record.kept else failures_in_a_row + 1
                if failures_in_a_row >= FAILURES_BEFORE_GIVING_UP:
                    why = outcome.error if record is None else _why(record)
                    raise RenderError(f"{failures_in_a_row} scenes in a row failed, the last because {why}")
                report(progress)
        finally:
            output.close()
    return progress


def _why(record: SceneRecord) -> str:
    reasons = ", ".join(record.dropped) or "no view of it was worth taking"
    return record.error or f"it ended without a picture: {reasons}"


def _job(scene: ScenePlan, library: Path, output: RenderStore, options: RenderOptions) -> Job:
    return {
        "do": "scene",
        "world": scene.world.name,
        "index": scene.index,
        "seed": scene.seed,
        "views": VIEWS_PER_SCENE,
        "size_px": options.size_px,
        "samples": options.samples,
        "library": str(library.resolve()),
        "folder": str(output.partial(scene).resolve()),
    }


def _finish(scene: ScenePlan, outcome: Outcome, output: RenderStore) -> SceneRecord:
    pictures: list[Picture] = []
    dropped = Counter[str]()
    error = outcome.error
    try:
        # The generator's files come from outside: a scene of which one can't be taken costs that scene alone.
        with net("what the generator wrote can't be taken", RenderError):
            for number, facts in enumerate(outcome.reply.get("views", ())):
                _take(scene, number, facts, pictures, dropped)
    except RenderError as failed:
        pictures, error = [], str(failed)
    record = SceneRecord(
        world=scene.world.name,
        index=scene.index,
        what=str(outcome.reply.get("what", "")),
        kept=len(pictures),
        dropped=dict(dropped),
        error=error,
        seconds=round(float(outcome.reply.get("seconds", 0.0)), 1),
    )
    output.add(scene, pictures, record)
    return record


def _take(
    scene: ScenePlan, number: int, facts: Mapping[str, Any], pictures: list[Picture], dropped: Counter[str]
) -> None:
    """Develop one view; it joins the pictures, or the reasons why there is none."""
    rng = np.random.default_rng((scene.seed, number))
    view = read_view(Path(facts["file"]), facts)
    photo = develop(view, rng)
    reason = failure(photo, view.depth_m)
    if reason is None:
        pictures.append(Picture(photo, encode_depth(view.depth_m)))
    else:
        dropped[reason] += 1


def read_view(path: Path, facts: Mapping[str, Any]) -> View:
    """A view as the generator wrote it: an ``.npz`` with radiance, depth and, where there is haze, distance."""
    # Opened here: NumPy leaves an archive open that it finds torn.
    with path.open("rb") as file, np.load(file) as arrays:
        haze_m = facts.get("haze_m")
        return View(
            radiance=arrays["radiance"].astype(np.float32),
            depth_m=arrays["depth_m"].astype(np.float32),
            distance_m=arrays["distance_m"].astype(np.float32) if "distance_m" in arrays else None,
            haze_m=float("inf") if haze_m is None else float(haze_m),
            night=bool(facts.get("night", False)),
            exposure_ev=float(facts.get("exposure_ev", 0.0)),
        )
