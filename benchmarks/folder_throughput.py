"""How well reading, the network and writing overlap: `midas predict` on a folder of 12-megapixel photographs.

Prints the time of the whole run beside that of each stage alone over the same pictures with as many threads as it has
in the run, the ratio of the run to its slowest stage, and the run's memory over time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

import midas
from midas.folder import READERS, WRITERS
from midas.images import is_image_path
from midas.writers import FORMATS

SIZE = (3000, 4000)
JPEG_QUALITY = 92
GRAIN = 3.0  # standard deviation of the noise, in steps of 0 to 255: makes the files as large as a telephone's
PAGE_BYTES = 4096
SAMPLE_SECONDS = 0.05


def main() -> None:
    """Make the photographs, time the run and its stages, print the table."""
    options = read_options()
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as scratch:
        photographs_dir = options.keep or Path(scratch, "photographs")
        photographs = make_photographs(options.examples, photographs_dir, options.count)
        megabytes = sum(path.stat().st_size for path in photographs) / 1e6
        print(f"{len(photographs)} photographs of {SIZE[1]} x {SIZE[0]}, {megabytes / len(photographs):.1f} MB each")
        stages = time_stages(photographs, Path(scratch, "stage"), options.format, options.model)
        run_s, memory_mb = time_run(photographs_dir, Path(scratch, "run"), options.format, options.model)
    report(run_s, stages, memory_mb, len(photographs))


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


def time_stages(photographs: list[Path], folder: Path, format_name: str, model: str) -> dict[str, float]:
    """Seconds that each stage takes alone."""
    predictor = midas.load(model)
    suffix = FORMATS[format_name].suffix
    maps_per_round = 4 * WRITERS  # made ahead of each timed round of writing; each takes 48 MB

    def save(item: tuple[int, midas.DepthMap]) -> None:
        number, depth_map = item
        # A new file each, as in the run: a disk's cache takes an old one over more cheaply.
        depth_map.save(folder / f"{number}{suffix}", format_name)

    read_s, prepared = timed(in_threads, predictor.prepare, photographs, READERS)
    infer_s = write_s = 0.0
    for start in range(0, len(prepared), maps_per_round):
        part = prepared[start : start + maps_per_round]
        seconds, depth_maps = timed(list, map(predictor.infer, part))
        infer_s += seconds
        seconds, _ = timed(in_threads, save, enumerate(depth_maps, start), WRITERS)
        write_s += seconds
    return {f"read ({READERS})": read_s, "network (1)": infer_s, f"write ({WRITERS})": write_s}


def timed(function: Callable[..., list], *arguments: object) -> tuple[float, list]:
    """Seconds that the call took, and its result."""
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def in_threads(function: Callable, items: Iterable, workers: int) -> list:
    """The function of each item, by so many threads."""
    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(function, items))


def time_run(photographs_dir: Path, folder: Path, format_name: str, model: str) -> tuple[float, list[float]]:
    """Seconds of `midas predict` from start to end, and its resident memory in megabytes, sampled."""
    command = [sys.executable, "-m", "midas", "predict", str(photographs_dir), "-o", str(folder)]
    command += ["--format", format_name, "--model", model, "--quiet"]
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


def report(run_s: float, stages: dict[str, float], memory_mb: list[float], number: int) -> None:
    """Print the table."""
    slowest_s = max(stages.values())
    print(f"\n{'stage (threads)':<24}{'seconds':>9}{'ms/picture':>12}")
    for name, seconds in {**stages, "midas predict": run_s}.items():
        print(f"{name:<24}{seconds:>9.2f}{1000 * seconds / number:>12.1f}")
    print(f"\nrun / slowest stage: {run_s / slowest_s:.2f} (claimed: at most 1.15)")
    if len(memory_mb) >= 3:
        third = len(memory_mb) // 3
        first, last = memory_mb[:third], memory_mb[-third:]
        print(f"peak memory: {max(memory_mb):.0f} MB (claimed: at most 600)")
        for name, part in (("first", first), ("last", last)):
            print(f"  {name} third: peak {max(part):.0f} MB, median {median(part):.0f} MB")


if __name__ == "__main__":
    main()
