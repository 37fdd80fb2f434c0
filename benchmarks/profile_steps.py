"""Where the time of a prediction goes: its three steps, and the kinds of operation within the network.

    python benchmarks/profile_steps.py [NAME ...] [--runs 20] [--threads N] [--random-weights]

The steps are those of a whole prediction by the default back end on a drawn picture of 1024x1024. The operations are
those of ONNX Runtime, by its own profiler, after its optimisation of the graph; only models that have an ONNX file are
shown, or any with --random-weights.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime

import midas
from midas.assets import asset_path
from midas.bench.picture import draw_picture
from midas.bench.processes import run_task
from midas.maps.resize import resize_map
from midas.models.zoo import DEFAULT_MODEL, find_model
from midas.pictures.preprocess import Preprocess

SHOWN = 6  # kinds of operation; the rest is summed up


def main() -> None:
    """Print a table of steps and one of operations for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[DEFAULT_MODEL], metavar="NAME", help="from `midas models`")
    parser.add_argument("--runs", type=int, default=20, help="runs that count (default: 20)")
    parser.add_argument("--threads", type=int, help="of the network; by default one per core")
    parser.add_argument("--random-weights", action="store_true", help="fill networks at random: the time is the same")
    options = parser.parse_args()
    picture = draw_picture()
    for name in options.names:
        with tempfile.TemporaryDirectory(prefix="midas-bench-") as folder:
            path = onnx_file(name, Path(folder), random_weights=options.random_weights)
            print_steps(name, path, picture, options.runs, options.threads)
            print_operations(name, path, picture, options)


def onnx_file(name: str, folder: Path, *, random_weights: bool) -> Path:
    """The network as a graph."""
    if not random_weights:
        return asset_path(f"{name}.onnx")
    answer = run_task({"kind": "random", "model": name, "folder": str(folder)})
    if "error" in answer:
        raise SystemExit(answer["error"])
    return next(Path(path) for path in answer["files"] if path.endswith(".onnx"))


def print_steps(name: str, path: Path, picture: np.ndarray, runs: int, threads: int | None) -> None:
    """Milliseconds of each step of a whole prediction."""
    predictor = midas.load(path, threads=threads)
    times = defaultdict(list)
    for _ in range(runs + 2):
        start = time.perf_counter()
        pixels = predictor.prepare(picture).pixels
        prepared = time.perf_counter()
        disparity = predictor.backend(pixels)[0]
        run = time.perf_counter()
        resize_map(disparity, picture.shape[:2])
        end = time.perf_counter()
        for step, seconds in (("resample", prepared - start), ("network", run - prepared), ("enlarge", end - run)):
            times[step].append(1e3 * seconds)
    medians = {step: median(values[2:]) for step, values in times.items()}  # after two to warm up
    total = sum(medians.values())
    print(
        f"\n`{name}`, {picture.shape[1]}x{picture.shape[0]}, median of {runs}:\n\n| step | ms | share |\n|---|---|---|"
    )
    for step, value in medians.items():
        print(f"| {step} | {value:.2f} | {value / total:.0%} |")


def print_operations(name: str, path: Path, picture: np.ndarray, options: argparse.Namespace) -> None:
    """Share of the network's time by kind of operation."""
    session_options = onnxruntime.SessionOptions()
    session_options.enable_profiling = True
    if options.threads:
        session_options.intra_op_num_threads = options.threads
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as folder:
        session_options.profile_file_prefix = str(Path(folder, "profile"))
        session = onnxruntime.InferenceSession(str(path), session_options, providers=["CPUExecutionProvider"])
        pixels = Preprocess(find_model(name).input)(picture)
        for _ in range(options.runs):
            session.run(None, {session.get_inputs()[0].name: pixels})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    spent_ms: dict[str, float] = defaultdict(float)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent_ms[event["args"]["op_name"]] += event["dur"] / 1e3 / options.runs
    ranked = sorted(spent_ms.items(), key=lambda item: -item[1])
    total = sum(spent_ms.values())
    rows = [*ranked[:SHOWN], ("all others", sum(value for _, value in ranked[SHOWN:]))]
    print("\n| operation, ONNX Runtime | ms | share |\n|---|---|---|")
    for kind, value in rows:
        print(f"| {kind} | {value:.2f} | {value / total:.0%} |")


if __name__ == "__main__":
    main()
