"""What `midas batch` costs beside the bare pipeline, where its time goes, and how it begins with a million pictures.

    python benchmarks/batch.py                        10,000 pictures, both engines, the manifest, decoding
    python benchmarks/batch.py --part engines --pictures 2000
    python benchmarks/batch.py --part manifest --entries 1000000
    python benchmarks/batch.py --part decoding

Every figure of a part comes from one run of this program; engines take turns, so that a busy moment meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

PARTS = ("engines", "manifest", "decoding")
PICTURE_SIZE = (480, 640)
PHOTOGRAPH_SIZE = (3000, 4000)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="one of the parts; all by default")
    parser.add_argument("--pictures", type=int, default=10_000, help="of the part on engines (default: 10000)")
    parser.add_argument("--photographs", type=int, default=60, help="of the part on decoding (default: 60)")
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the manifest (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each engine runs")
    parser.add_argument("--engines", default="predict,local,processes,ray", help="which, with commas")
    parser.add_argument("--shard-size", type=int, help="pictures per shard; by default by their number")
    parser.add_argument("--keep", type=Path, help="folder where pictures stay and are found again")
    options = parser.parse_args()
    print(f"{processor()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as scratch:
        kept = options.keep or Path(scratch)
        for part in options.part or PARTS:
            print(f"\n## {part}\n")
            if part == "engines":
                engines(make_pictures(kept / "small", options.pictures, PICTURE_SIZE), Path(scratch), options)
            elif part == "manifest":
                manifest(Path(scratch), options.entries)
            else:
                decoding(make_pictures(kept / "large", options.photographs, PHOTOGRAPH_SIZE), Path(scratch))


def processor() -> str:
    """What the system calls it."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )


def make_pictures(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """JPEG files with smooth parts, edges and grain, each unlike the others."""
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    for number in range(count):
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.jpg"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(number)
        wave = np.sin(rows / rng.uniform(20, 90) + rng.uniform(0, 6)) * np.cos(columns / rng.uniform(20, 90))
        pixels = 120 + 60 * wave[..., None] * rng.uniform(0.4, 1, 3).astype(np.float32)
        pixels += np.float32(8) * rng.standard_normal((height, width, 1), np.float32)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=88)
    return folder


def command_of(engine: str, pictures: Path, output: Path) -> list[str]:
    """The command line of an engine; all write the same files."""
    cores = str(len(os.sched_getaffinity(0)))
    if engine == "predict":
        return ["predict", str(pictures), "-r", "-o", str(output), "--map-size", "net", "--quiet"]
    chosen = {
        "local": ["--engine", "local", "--workers", "1"],
        "processes": ["--engine", "local", "--workers", cores, "--cores", "1"],
        "ray": ["--engine", "ray", "--workers", "1", "--cores", cores],
        "ray-processes": ["--engine", "ray", "--workers", cores, "--cores", "1"],
    }
    return ["batch", str(pictures), "-o", str(output), "--quiet", "--json", *chosen[engine]]


def engines(pictures: Path, scratch: Path, options: argparse.Namespace) -> None:
    """The whole of a job by each engine, from the start of the process to its end, beside `midas predict`."""
    seconds: dict[str, list[float]] = {}
    stages: dict[str, dict[str, float]] = {}
    for turn in range(options.rounds):
        for engine in options.engines.split(","):
            output = scratch / f"{engine}-{turn}"
            began = time.perf_counter()
            sized = ["--shard-size", str(options.shard_size)] if options.shard_size and engine != "predict" else []
            finished = run([*command_of(engine, pictures, output), *sized])
            seconds.setdefault(engine, []).append(time.perf_counter() - began)
            if engine != "predict":
                summary = json.loads(finished)
                stages[engine] = {**summary["stages"], "workers": summary["core_seconds"], "run": summary["seconds"]}
    count = options.pictures
    bare = median(seconds["predict"]) if "predict" in seconds else None
    print("| engine | s | ms/picture | against `midas predict` |\n|---|---|---|---|")
    for engine, found in seconds.items():
        ratio = f"{100 * (median(found) / bare - 1):+.1f} %" if bare else ""
        print(f"| {engine} | {median(found):.1f} | {1000 * median(found) / count:.2f} | {ratio} |")
    print("\n| engine | fetch | decode | network | encode | store | workers at work | run without start and end |")
    print("|---|---|---|---|---|---|---|---|")
    for engine, spent in stages.items():
        cells = [f"{1000 * spent[name] / count:.2f}" for name in ("fetch", "decode", "network", "encode", "store")]
        print(f"| {engine}, ms/picture | {' | '.join(cells)} | {spent['workers']:.1f} s | {spent['run']:.1f} s |")


def run(arguments: list[str]) -> str:
    """A command of midas, to its end."""
    finished = subprocess.run([sys.executable, "-m", "midas", *arguments], capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"midas {arguments[0]} ended with status {finished.returncode}: {finished.stderr}")
    return finished.stdout


def manifest(scratch: Path, entries: int) -> None:
    """Begin a job of a million pictures that aren't there: from the list to the first shard, and once more."""
    listing = scratch / "million.txt"
    with listing.open("w") as file:
        file.writelines(f"/data/photographs/{number // 1000:06d}/{number:09d}.jpg\n" for number in range(entries))
    for what in ("first start", "second start"):
        code = f"""
import json, resource, time
began = time.perf_counter()
from midas.scale.job import plan
from midas.scale.settings import Recipe
from midas.storage.addresses import Place
planned = plan([{str(listing)!r}], Place.of({str(scratch / "out")!r}), Recipe(packing="parquet"))
from midas.scale.manifest import read_shard
entries = read_shard(planned.destination, planned.job, planned.left[0])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.perf_counter() - began, peak, planned.job.pictures, planned.job.shards, len(entries)]))
"""
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        took, peak, pictures, shards, first = json.loads(found)
        print(f"{what}: {took:.1f} s to the first shard of {first}, peak {peak:.0f} MiB; {pictures} in {shards} shards")
    size = sum(path.stat().st_size for path in (scratch / "out" / "_midas" / "manifest").rglob("*.parquet"))
    print(f"manifest: {size / 1e6:.1f} MB")


def decoding(photographs: Path, scratch: Path) -> None:
    """Where the time of a 12-megapixel photograph goes, by how it is decoded and how large its map is."""
    ways: dict[str, list[str]] = {
        "reduced decoding, --map-size net (default)": [],
        "--full-decode": ["--full-decode"],
        "--map-size full": ["--map-size", "full"],
        "both": ["--full-decode", "--map-size", "full"],
    }
    print("| 12 megapixels | decode | network | encode | MB out | run, s |\n|---|---|---|---|---|---|")
    for number, (way, arguments) in enumerate(ways.items()):
        output = scratch / f"way-{number}"
        local = ["--engine", "local", "--workers", "1", "--quiet", "--json", "--pack", "parquet"]
        summary: dict[str, Any] = json.loads(run(["batch", str(photographs), "-o", str(output), *local, *arguments]))
        count = summary["done"]
        cells = [f"{1000 * summary['stages'][name] / count:.1f}" for name in ("decode", "network", "encode")]
        megabytes = sum(path.stat().st_size for path in output.glob("maps-*")) / 1e6 / count
        print(f"| {way}, ms/picture | {' | '.join(cells)} | {megabytes:.2f} | {summary['seconds']:.1f} |")


if __name__ == "__main__":
    main()
