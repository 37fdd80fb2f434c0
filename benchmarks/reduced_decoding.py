"""What decoding JPEGs at a reduced scale saves, and how far it moves the depth maps.

    python benchmarks/reduced_decoding.py [FOLDER] [--count 10] [--model NAME] [--runs 5]

FOLDER holds JPEGs; without one, photographs of 12 megapixels are made from the examples. Each is decoded at full size
and as small as a margin around the network's input allows, by turns on one thread. Differences are mean absolute ones
of the network's maps, by the range of the map from the full size. The same network is also fed by the other
interpolations, to show where the reduction is safe.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path
from statistics import mean, median

import numpy as np
from folder_throughput import make_photographs

import midas
from midas.bench.runner import relative_difference
from midas.pictures.preprocess import ANTIALIASED, DECODING_MARGIN, InputSpec, Preprocess
from midas.pictures.reading import read_reduced

MARGINS = (1, 2, 4, 8)
INTERPOLATIONS = ("area", "pillow_cubic", "cubic")


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=10, help="photographs at most (default: 10)")
    parser.add_argument("--model", default="midas_nano_256", help="model name or file")
    parser.add_argument("--runs", type=int, default=5, help="timed runs for each photograph (default: 5)")
    options = parser.parse_args()
    predictor = midas.load(options.model)
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as scratch:
        if options.folder is None:
            examples = Path(__file__).resolve().parents[1] / "examples"
            paths = make_photographs(examples, Path(scratch), options.count)
        else:
            paths = sorted(options.folder.glob("*.jpg"))[: options.count]
        if not paths:
            raise SystemExit(f"{options.folder} holds no file *.jpg")
        print_times(paths, predictor.input, options.runs)
        print_differences(paths, predictor)


def print_times(paths: list[Path], spec: InputSpec, runs: int) -> None:
    """Milliseconds of decoding and of resampling, for each margin."""
    times: dict[int | None, list[tuple[float, float]]] = {margin: [] for margin in (None, *MARGINS)}
    sizes = {}
    for path in paths:
        for _ in range(runs):
            for margin, spent in times.items():
                start = time.perf_counter()
                image, size = read(path, spec, margin)
                decoded = time.perf_counter()
                Preprocess(spec)(image, size)
                spent.append((decoded - start, time.perf_counter() - decoded))
                sizes[margin] = image.shape[:2]
    print(f"{len(paths)} photographs; the rule of the package is a margin of {DECODING_MARGIN}.\n")
    print("| margin | decoded (the last one) | decode, ms | resample, ms | both / full size |\n|---|---|---|---|---|")
    whole_s = median(map(sum, times[None]))
    for margin, spent in times.items():
        height, width = sizes[margin]
        decode_s, resample_s = (median(column) for column in zip(*spent, strict=True))
        name = "full size" if margin is None else str(margin)
        ratio = median(map(sum, spent)) / whole_s
        print(f"| {name} | {width}x{height} | {1e3 * decode_s:.1f} | {1e3 * resample_s:.1f} | {ratio:.2f} |")


def print_differences(paths: list[Path], predictor: midas.Predictor) -> None:
    """How far maps move, for each way of resampling and each margin."""
    print(f"\n| interpolation | {' | '.join(f'margin {margin}' for margin in MARGINS)} | reduced by the package |")
    print(f"|---|{'---|' * len(MARGINS)}---|")
    for interpolation in INTERPOLATIONS:
        spec = dataclasses.replace(predictor.input, interpolation=interpolation)
        cells = []
        for margin in MARGINS:
            moved = [difference(path, predictor, spec, margin) for path in paths]
            cells.append(f"{mean(moved):.2%} (at most {max(moved):.2%})")
        print(f"| {interpolation} | {' | '.join(cells)} | {'yes' if interpolation in ANTIALIASED else 'no'} |")


def difference(path: Path, predictor: midas.Predictor, spec: InputSpec, margin: int) -> float:
    """Of the map from a reduced photograph from that of the whole one."""
    maps = [predictor.backend(Preprocess(spec)(*read(path, spec, each)))[0] for each in (margin, None)]
    return relative_difference(*maps)


def read(path: Path, spec: InputSpec, margin: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """A photograph, decoded at a margin around the network's input, or whole."""

    def needed(size: tuple[int, int]) -> tuple[int, int]:
        height, width = spec.network_size(size)
        return size if margin is None else (margin * height, margin * width)

    return read_reduced(path, needed)


if __name__ == "__main__":
    main()
