"""How well the stages of `midas video` overlap: frames per second of the whole, and of each stage alone.

A film of 640 x 480 pixels is drawn from the example pictures, through which the camera glides. It is mapped, made
steady and written in one run; then each stage runs alone over the same frames. All of that `--rounds` times, in turn;
medians are printed, and the ratio of the run to its slowest stage.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np

import midas
from midas.backends.choice import FEW_CORES, threads_for_films
from midas.bench.machine import describe_machine
from midas.pictures.formats import is_image_path
from midas.pipeline import available_cores
from midas.storage.atomic import atomic_file
from midas.video import FilmSettings, write_film
from midas.video.cuts import with_cuts
from midas.video.mapping import MappedFrame, at_frame_size, keep_stages_single_threaded
from midas.video.reading import Film
from midas.video.sinks import EyeSink, FullFrame, map_painter
from midas.video.steady import STEADY_MODES, Steady

SIZE = (480, 640)
RATE_HZ = 25
SHOT_FRAMES = 100
CLAIMED_HZ, CLAIMED_RATIO = 25.0, 0.85


def main() -> None:
    """Draw the film, time the run and its stages, print the table."""
    options = read_options()
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as scratch:
        folder = Path(scratch)
        clip = options.clip or write_clip(folder / "clip.mp4", options.frames, options.examples)
        if available_cores() <= FEW_CORES:  # as midas video does
            keep_stages_single_threaded()
        threads = threads_for_films(options.backend, options.threads, available_cores())
        predictor = midas.load(options.model, backend=options.backend, threads=threads)
        bench = Bench(predictor, clip, folder, options.format, options.steady)
        rounds = [bench.round() for _ in range(options.rounds + 1)][1:]
    print(describe_machine().sentence)
    report(rounds, bench.frames, f"{predictor!r}, {options.format}, steady {options.steady}")


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    repository = Path(__file__).resolve().parents[1]
    parser.add_argument("--frames", type=int, default=300, help="of the drawn film (default: 300)")
    parser.add_argument("--rounds", type=int, default=3, help="after one that warms up (default: 3)")
    parser.add_argument("--examples", type=Path, default=repository / "examples", help="folder with pictures")
    parser.add_argument("--clip", type=Path, help="a film in place of the drawn one")
    parser.add_argument("--format", default="color", choices=("color", "side-by-side"), help="(default: color)")
    parser.add_argument("--steady", default="flow", choices=[mode for mode in STEADY_MODES if mode != "two-pass"])
    parser.add_argument("--model", default="midas_nano_256", help="model name or file")
    parser.add_argument("--backend", default="openvino", help="(default: openvino)")
    parser.add_argument("--threads", type=int, help="of the network; by default those of midas video")
    return parser.parse_args()


def write_clip(path: Path, frames: int, examples_dir: Path) -> Path:
    """A film that glides through the pictures, in shots of four seconds, as H.264."""
    pictures = [cv2.imread(str(each)) for each in sorted(filter(is_image_path, examples_dir.iterdir()))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE_HZ)
        stream.height, stream.width = SIZE
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "20", "preset": "veryfast"}
        stream.time_base = Fraction(1, RATE_HZ)
        for number in range(frames):
            shot, within = divmod(number, SHOT_FRAMES)
            picture = glided(pictures[shot % len(pictures)], within / SHOT_FRAMES)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def glided(picture: np.ndarray, at: float) -> np.ndarray:
    """What the camera sees of a picture: a window of four fifths of it, from the left to the right."""
    height, width = picture.shape[:2]
    scale = max(SIZE[0] / height, SIZE[1] / width) * 1.25
    room = scale * width - SIZE[1], scale * height - SIZE[0]
    matrix = np.float32([[scale, 0, -at * room[0]], [0, scale, -at * room[1]]])
    return cv2.warpAffine(picture, matrix, SIZE[::-1], flags=cv2.INTER_AREA)


class Bench:
    """One film, its run and its stages.

    Args:
        predictor: the model.
        clip: the film.
        folder: for what is written.
        format_name, steady: as of ``midas video``.
    """

    def __init__(self, predictor: Any, clip: Path, folder: Path, format_name: str, steady: Any) -> None:
        self.predictor, self.clip, self.folder = predictor, clip, folder
        self.format_name, self.steady = format_name, steady
        self.frames = 0

    def round(self) -> dict[str, float]:
        """Step → seconds, of the whole and of each stage alone."""
        seconds: dict[str, float] = {}
        target = self.folder / "out.mp4"
        settings = FilmSettings(steady=self.steady, overwrite=True)

        def timed(name: str, work: Callable[[], Any]) -> Any:
            begun = time.perf_counter(), time.process_time()
            found = work()
            seconds[name] = time.perf_counter() - begun[0]
            seconds[name + CPU] = time.process_time() - begun[1]
            return found

        timed("run", lambda: write_film(self.predictor, self.clip, {self.format_name: target}, settings))
        frames = timed("read", lambda: list(self._read()))
        inputs = timed("prepare", lambda: [self._prepared(frame.picture) for frame, _ in frames])
        maps = timed("network", lambda: [self.predictor.infer_batch([each])[0].values for each in inputs])
        mapped = timed("steady", lambda: list(self._steadied(frames, maps)))
        timed("write", lambda: self._write(mapped))
        self.frames = len(frames)
        return seconds

    def _read(self) -> Iterator[Any]:
        with closing(Film(self.clip)) as film:
            self.format = film.format
            yield from with_cuts(film, film.format.rate_hz)

    def _prepared(self, picture: Any) -> Any:
        prepared = self.predictor.prepare(picture, interpolation="cubic")
        return type(prepared)(prepared.pixels, prepared.pixels.shape[2:], None, None)

    def _steadied(self, frames: list[Any], maps: list[Any]) -> Iterator[MappedFrame]:
        steadier = Steady(self.steady, kind=self.predictor.kind)
        for (frame, is_cut), values in zip(frames, maps, strict=True):
            yield MappedFrame(
                frame, steadier.update(frame.picture, values, cut=is_cut), steadier.gauge, steadier.is_cut
            )

    def _write(self, mapped: list[MappedFrame]) -> None:
        paint = map_painter("inferno", with_picture=self.format_name == "side-by-side")
        with ExitStack() as stack:
            file = stack.enter_context(atomic_file(self.folder / "alone.mp4", overwrite=True))
            sink = stack.enter_context(EyeSink(file, ".mp4", self.format, self.predictor.kind, paint))
            for each in mapped:
                sink.write(FullFrame(each, at_frame_size(self.predictor, each)))
            sink.finish(())


CPU = ", all cores"
STAGES = {"read": ("read", "prepare"), "network": ("network",), "steady": ("steady",), "write": ("write",)}
"""What one thread of the run does."""


def report(rounds: list[dict[str, float]], frames: int, what: str) -> None:
    """Print the table, and what bounds the run."""
    each_ms = {name: 1000 * median(seconds[name] for seconds in rounds) / frames for name in rounds[0]}
    print(f"{frames} frames, {what}; load average {os.getloadavg()[0]:.1f}\n")
    print("| stage | step | ms/frame | processor, ms/frame |\n|---|---|---|---|")
    for stage, steps in STAGES.items():
        for step in steps:
            print(f"| {stage} | {step} | {each_ms[step]:.1f} | {each_ms[step + CPU]:.1f} |")
    print(f"| `midas video` | all, overlapped | {each_ms['run']:.1f} | {each_ms['run' + CPU]:.1f} |")
    stages = {stage: sum(each_ms[step] for step in steps) for stage, steps in STAGES.items()}
    slowest = max(stages, key=stages.__getitem__)
    ratio = stages[slowest] / each_ms["run"]
    print(f"\n{1000 / each_ms['run']:.1f} frames/s (claimed: {CLAIMED_HZ:.0f}); slowest stage: {slowest}, ", end="")
    print(f"{1000 / stages[slowest]:.1f} frames/s; run / slowest stage: {ratio:.2f} (claimed: {CLAIMED_RATIO})")


if __name__ == "__main__":
    main()
