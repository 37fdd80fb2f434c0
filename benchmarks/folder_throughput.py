"""How well reading, the network and writing overlap: `midas predict` on a folder of 12-megapixel photographs.

Prints the time of the whole run beside that of each stage alone over the same pictures with as many threads as it has
in the run, and of the steps in each stage; the ratio of the run to its slowest stage; and the run's memory over time.
With --both, the whole is repeated with every photograph decoded at its full size; with --map-size net,half,full for
maps of several sizes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

import midas
from midas.folder import READERS, WRITERS
from midas.maps.formats import FORMATS
from midas.maps.map_size import FULL, MapSize
from midas.maps.resize import resize_map
from midas.pictures.formats import is_image_path
from midas.pictures.preprocess import Preprocess
from midas.pictures.reading import read_reduced

SIZE = (3000, 4000)
JPEG_QUALITY = 92
GRAIN = 3.0  # standard deviation of the noise, in steps of 0 to 255: makes the files as large as a telephone's
PAGE_BYTES = 4096
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Step:
    """One step of the work on all pictures, alone.

    Attributes:
        stage: "read", "network" or "write": the stage of the run to which it belongs.
        name: what is done.
        threads: how many do it.
        seconds: how long it takes.
    """

    stage: str
    name: str
    threads: int
    seconds: float


def main() -> None:
    """Make the photographs, time the run and its stages, print the tables."""
    options = read_options()
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as scratch:
        photographs_dir = options.keep or Path(scratch, "photographs")
        photographs = make_photographs(options.examples, photographs_dir, options.count)
        megabytes = sum(path.stat().st_size for path in photographs) / 1e6
        print(f"{len(photographs)} photographs of {SIZE[1]} x {SIZE[0]}, {megabytes / len(photographs):.1f} MB each")
        ways = [(way, size) for way in ways_to_decode(options) for size in options.map_size.split(",")]
        for full_decode, map_size in ways:
            decoded = "at full size" if full_decode else "as small as the network allows"
            print(f"\nDecoded {decoded}, maps of size {map_size}:")
            work = Work(options.format, options.model, full_decode, map_size)
            steps = time_steps(photographs, Path(scratch, f"stage{full_decode}{map_size}"), work)
            run_s, memory_mb = time_run(photographs_dir, Path(scratch, f"run{full_decode}{map_size}"), work)
            report(run_s, steps, memory_mb, len(photographs))


def ways_to_decode(options: argparse.Namespace) -> tuple[bool, ...]:
    """Whether photographs are decoded at their full size, in turn."""
    return (False, True) if options.both else (options.full_decode,)


@dataclass(frozen=True)
class Work:
    """What is done with each photograph.

    Attributes:
        format_name: of the output.
        model: its name or file.
        full_decode: whether it is decoded at its full size.
        map_size: how large its map becomes: a text that ``midas predict --map-size`` takes.
    """

    format_name: str
    model: str
    full_decode: bool
    map_size: str = FULL


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    repository = Path(__file__).resolve().parents[1]
    parser.add_argument("--count", type=int, default=100, help="number of photographs (default: 100)")
    parser.add_argument(
        "--examples", type=Path, default=repository / "examples", help="folder with pictures to enlarge"
    )
    parser.add_argument("--keep", type=Path, help="folder where the photographs stay, and are found again")
    formats = [name for name, each in FORMATS.items() if each.read]
    parser.add_argument("--format", default="png16", choices=formats, help="output format (default: png16)")
    parser.add_argument("--model", default="midas_nano_256", help="model name or file")
    parser.add_argument("--full-decode", action="store_true", help="decode photographs at their full size")
    parser.add_argument("--map-size", default=FULL, help="sizes of the maps, separated by commas (default: full)")
    parser.add_argument("--both", action="store_true", help="measure both ways of decoding")
    return parser.parse_args()


def make_photographs(examples_dir: Path, folder: Path, number: int) -> list[Path]:
    """Enlarge, mirror and shift the example pictures, add grain, and save each as a JPEG of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    originals = sorted(filter(is_image_path, examples_dir.iterdir()))
    if not originals:
        raise SystemExit(f"{examples_dir} holds no pictures; give another folder with --examples")
    paths = [folder / f"photograph_{index:03d}.jpg" for index in range(number)]
    for index, path in enumerate(paths):
        if not path.exists():
            rng = np.random.default_rng(index)
            original = Image.open(originals[index % len(originals)]).convert("RGB")
            pixels = np.asarray(original.resize((SIZE[1], SIZE[0]), Image.Resampling.BICUBIC), np.float32)
            pixels = np.roll(pixels[:, :: 1 if index % 2 else -1], rng.integers(SIZE[1]), axis=1)
            pixels = pixels + GRAIN * rng.standard_normal(pixels.shape, dtype=np.float32)
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=JPEG_QUALITY)
    return paths


def time_steps(photographs: list[Path], folder: Path, work: Work) -> list[Step]:
    """Seconds that each step takes alone."""
    predictor = midas.load(work.model)
    preprocess = Preprocess(predictor.input)
    suffix, map_size = FORMATS[work.format_name].suffix, MapSize(work.map_size)
    pictures_per_round = 4 * WRITERS  # each takes 36 MB, and its map 48 MB
    seconds = dict.fromkeys(("decode", "resample", "network", "enlarge", "write"), 0.0)

    def needed(size: tuple[int, int]) -> tuple[int, int]:
        return size if work.full_decode else predictor.input.decoding_size(size)

    def save(item: tuple[int, midas.DepthMap]) -> None:
        number, depth_map = item
        # A new file each, as in the run: a disk's cache takes an old one over more cheaply.
        depth_map.save(folder / f"{number}{suffix}", work.format_name)

    def add(step: str, function: Callable[[Any], Any], items: Iterable[Any], workers: int) -> list[Any]:
        start = time.perf_counter()
        results = in_threads(function, items, workers)
        seconds[step] += time.perf_counter() - start
        return results

    for start in range(0, len(photographs), pictures_per_round):
        part = photographs[start : start + pictures_per_round]
        decoded = add("decode", lambda path: read_reduced(path, needed), part, READERS)
        sizes = [size for _, size in decoded]
        inputs = add("resample", lambda pair: preprocess(*pair), decoded, READERS)
        del decoded
        maps = add("network", predictor.backend, inputs, 1)
        wanted = [map_size.of(size, pixels.shape[2:]) for size, pixels in zip(sizes, inputs, strict=True)]
        enlarged = add("enlarge", lambda pair: resize_map(pair[0][0], pair[1]), zip(maps, wanted, strict=True), 1)
        add("write", save, enumerate(map(midas.DepthMap, enlarged), start), WRITERS)
    stages = {"decode": "read", "resample": "read", "network": "network", "enlarge": "network", "write": "write"}
    threads = {"read": READERS, "network": 1, "write": WRITERS}
    return [Step(stages[name], name, threads[stages[name]], spent) for name, spent in seconds.items()]


def in_threads(function: Callable, items: Iterable, workers: int) -> list:
    """The function of each item, by so many threads."""
    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(function, items))


def time_run(photographs_dir: Path, folder: Path, work: Work) -> tuple[float, list[float]]:
    """Seconds of `midas predict` from start to end, and its resident memory in megabytes, sampled."""
    command = [sys.executable, "-m", "midas", "predict", str(photographs_dir), "-o", str(folder)]
    command += ["--format", work.format_name, "--model", work.model, "--quiet", "--map-size", work.map_size]
    command += ["--full-decode"] if work.full_decode else []
    start = time.perf_counter()
    process = subprocess.Popen(command)
    memory_mb = list(sampled_memory(process))
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"midas predict ended with status {process.returncode}")
    return seconds, memory_mb


def sampled_memory(process: subprocess.Popen) -> Iterator[float]:
    """Resident megabytes of a process, from time to time until it ends; nothing where there is no /proc."""
    statistics = Path(f"/proc/{process.pid}/statm")
    while process.poll() is None:
        fields = statistics.read_text().split() if statistics.exists() else []
        if len(fields) > 1:
            yield int(fields[1]) * PAGE_BYTES / 1e6
        time.sleep(SAMPLE_SECONDS)


def report(run_s: float, steps: list[Step], memory_mb: list[float], number: int) -> None:
    """Print the table, and what bounds the run."""
    stages: dict[str, float] = {}
    for step in steps:
        stages[step.stage] = stages.get(step.stage, 0.0) + step.seconds
    print("\n| stage | step | threads | ms/picture |\n|---|---|---|---|")
    for step in steps:
        print(f"| {step.stage} | {step.name} | {step.threads} | {1000 * step.seconds / number:.1f} |")
    print(f"| `midas predict` | all, overlapped | | {1000 * run_s / number:.1f} |")
    slowest = max(stages, key=stages.__getitem__)
    print(f"\nslowest stage: {slowest}, {1000 * stages[slowest] / number:.1f} ms/picture, ", end="")
    print(f"run / slowest stage: {run_s / stages[slowest]:.2f} (claimed: at most 1.15)")
    if len(memory_mb) >= 3:
        third = len(memory_mb) // 3
        first, last = memory_mb[:third], memory_mb[-third:]
        print(f"\npeak memory: {max(memory_mb):.0f} MB (claimed: at most 600)\n")
        for name, part in (("first", first), ("last", last)):
            print(f"- {name} third: peak {max(part):.0f} MB, median {median(part):.0f} MB")


if __name__ == "__main__":
    main()
