"""Large pictures: one pass and an enlargement, one larger pass, or tiles, on drawn scenes with exact depth.

    python benchmarks/tiling.py                                   # the table of docs/predict.md
    python benchmarks/tiling.py --picture 1536 2048 --pictures 6
    python benchmarks/tiling.py --merges                          # other ways to merge the same tiles
    python benchmarks/tiling.py --enlargements                    # from the network's size to the picture's
    python benchmarks/tiling.py --memory                          # peak memory of the command, MB

Boundary scores are those of `midas.metrics.boundary_scores` in percent, of inverse depth aligned to the target and
cut to the protocol's cap, between neighbouring pixels and between every fourth pixel of every fourth row: the first
asks for edges as sharp as a pixel, which no network of a few hundred pixels draws. AbsRel and delta1 outliers are those
of the protocol. "work" is the number of pixels that went through the network, in passes over the whole picture at its
own size; among enlargements it is the milliseconds that the enlargement takes on one thread. "flying" is
`midas.metrics.flying_pixels`. Scenes without a depth boundary are left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
from PIL import Image

import midas
from midas.alignment import Alignment, align_least_squares, align_robust
from midas.arrays import Array, Bool, Float32
from midas.datasets.readers.synthetic import SyntheticDataset
from midas.datasets.sample import Sample
from midas.evaluation.predictions import Prediction
from midas.evaluation.protocols import PROTOCOLS
from midas.evaluation.scoring import score, usable
from midas.maps.resize import Interpolation, resize_map
from midas.metrics import boundary_scores, flying_pixels
from midas.predictor import Predictor
from midas.tiling import Cells, Grid, Mosaic, Tiling, cell_means, finer_input

PROTOCOL = PROTOCOLS["outdoor"]
METRICS = ("abs_rel", "delta1_outliers")
STRIDES_PX = (1, 4)
HEADINGS = (
    "work",
    *(f"{name}, {px} px" for px in STRIDES_PX for name in ("F1", "precision", "recall")),
    "flying, %",
    "AbsRel, %",
    "delta1 outliers, %",
)
Predict = Callable[[Sample], Float32[Array, "H W"]]


def main() -> None:
    """Print the table that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="midas_nano_256")
    parser.add_argument("--picture", type=int, nargs=2, default=(1024, 1365), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--pictures", type=int, default=24, help="how many")
    parser.add_argument("--seed", type=int, default=2026, help="of the scenes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--merges", action="store_true", help="compare merges of the same tiles")
    parser.add_argument("--enlargements", action="store_true", help="compare ways to enlarge the same maps")
    parser.add_argument("--memory", action="store_true", help="measure memory, not depth")
    options = parser.parse_args()
    if options.memory:
        print_memory(options.model)
        return
    model = midas.load(options.model, threads=options.threads)
    samples = SyntheticDataset(options.pictures, tuple(options.picture), options.seed)
    rows = dict(rows_of(options, model))
    figures = {name: [] for name in rows}
    for index in range(len(samples)):
        sample = samples[index]
        if not has_boundaries(sample):
            print(f"{sample.name} has no boundary", file=sys.stderr, flush=True)
            continue
        for name, predict in rows.items():
            prediction, work = predict(sample)
            figures[name].append((work, *figures_of(prediction, sample)))
        print(f"{index + 1}/{len(samples)} {sample.name}", file=sys.stderr, flush=True)
    height, width = options.picture
    values = next(iter(figures.values()))
    print(f"{model.name}; {len(values)} scenes of seed {options.seed}, {height}x{width}; protocol {PROTOCOL.label}\n")
    print("| | " + " | ".join(HEADINGS) + " |\n|---" + "|---:" * len(HEADINGS) + "|")
    for name, values in figures.items():
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in np.mean(values, axis=0)) + " |")


def rows_of(options: argparse.Namespace, model: Predictor) -> Iterator[tuple[str, Callable]]:
    """What the command line asks for."""
    if options.enlargements:
        return enlargement_rows(model)
    return merge_rows(model) if options.merges else command_rows(model, options.threads)


# ── what is compared ────────────────────────────────────────────────────────


def command_rows(model: Predictor, threads: int) -> Iterator[tuple[str, Callable]]:
    """What `midas predict` offers, by its options."""
    own = min(model.input.size)
    yield "one pass, enlarged", whole_pass(model, model)
    if not model.input.fixed:
        for zoom in (2, 3):
            larger = midas.load(model.name, size=zoom * own, threads=threads)
            yield f"`--size {zoom * own}`", whole_pass(model, larger)
    yield "`--tile 2`", in_tiles(model, 2)
    yield "`--tile 3`", in_tiles(model, 3)
    if not model.input.fixed:
        yield f"`--tile 2 --size {2 * own}`", in_tiles(model, 2, 2 * own)
        yield f"`--tile 3 --size {2 * own}`", in_tiles(model, 3, 2 * own)
        yield f"`--tile 3 --size {3 * own}`", in_tiles(model, 3, 3 * own)


def whole_pass(model: Predictor, predictor: Predictor) -> Callable:
    """One pass of a predictor; work in passes of the model."""

    def predict(sample: Sample) -> tuple[Float32[Array, "H W"], float]:
        size = sample.disparity.shape
        work = np.prod(predictor.input.network_size(size)) / np.prod(model.input.network_size(size))
        return predictor(sample.image).values, float(work)

    return predict


def enlargement_rows(model: Predictor) -> Iterator[tuple[str, Callable]]:
    """Ways from the network's size to the picture's."""
    for rule in get_args(Interpolation):
        yield f"`--interpolation {rule}`", enlarged_by(model, rule)


def enlarged_by(model: Predictor, rule: Interpolation) -> Callable:
    """One pass, enlarged by a rule, and how long that takes."""

    def predict(sample: Sample) -> tuple[Float32[Array, "H W"], float]:
        prepared = model.prepare(sample.image, interpolation=rule)
        small = model.backend(prepared.pixels)[0]
        cv2.setNumThreads(1)
        start = time.perf_counter()
        values = resize_map(small, prepared.size, rule, prepared.guide)
        return values, 1000 * (time.perf_counter() - start)

    return predict


def in_tiles(model: Predictor, zoom: int, size_px: int | None = None) -> Callable:
    """The product's own tiles."""
    tiled = model.tiled(zoom, size=size_px)

    def predict(sample: Sample) -> tuple[Float32[Array, "H W"], float]:
        return tiled(sample.image).values, work_of(tiled.tiling.grid(model.input, sample.disparity.shape))

    return predict


def work_of(grid: Grid) -> float:
    """Passes over the whole picture that a grid costs, with the first one."""
    return 1 + grid.count * float(np.prod(grid.tile) / np.prod(grid.whole))


class AlignedMosaic(Mosaic):
    """Tiles that are aligned to the whole picture and then replace it."""

    align: Callable[..., Alignment] = staticmethod(align_least_squares)

    def _merge(self, top: int, left: int, tile: Float32[Array, "h w"]) -> tuple[Float32[Array, "h w"], float]:
        row, column = Cells.of(top, tile.shape[0], self._zoom), Cells.of(left, tile.shape[1], self._zoom)
        whole = self._whole[row.first : row.first + row.count, column.first : column.first + column.count]
        found = self.align(cell_means(tile, row, column, self._zoom), whole)
        return found.apply(tile), float(found.scale > 0)


class RobustMosaic(AlignedMosaic):
    """The same by least trimmed squares."""

    align = staticmethod(align_robust)


class FineMosaic(Mosaic):
    """A tenth of the product's radius: only what is finer than the whole picture's pixels comes from the tiles."""

    def __init__(self, whole: Float32[Array, "h w"], grid: Grid) -> None:
        super().__init__(whole, grid)
        self._blur_px /= 10


class CoarseMosaic(Mosaic):
    """Four times the product's radius: more of the layout comes from the tiles."""

    def __init__(self, whole: Float32[Array, "h w"], grid: Grid) -> None:
        super().__init__(whole, grid)
        self._blur_px *= 4


def merge_rows(model: Predictor) -> Iterator[tuple[str, Callable]]:
    """Merges of the same tiles."""
    yield "one pass, enlarged", whole_pass(model, model)
    merges = {
        "least squares": AlignedMosaic,
        "least trimmed squares": RobustMosaic,
        "finest detail only": FineMosaic,
        "more from tiles": CoarseMosaic,
        "as in `--tile`": Mosaic,
    }
    for zoom in (2, 3):
        for name, mosaic in merges.items():
            yield f"{zoom}x, {name}", merged_by(model, Tiling(zoom), mosaic)


def merged_by(model: Predictor, tiling: Tiling, kind: type[Mosaic]) -> Callable:
    """The tiles of `--tile`, merged by another mosaic."""

    def predict(sample: Sample) -> tuple[Float32[Array, "H W"], float]:
        finer = finer_input(sample.image, model.input, tiling)
        assert finer is not None, "the picture is too small for tiles"
        mosaic = kind(model.backend(model.prepare(sample.image).pixels)[0], finer.grid)
        height, width = finer.grid.tile
        for top in finer.grid.tops:
            for left in finer.grid.lefts:
                pixels = np.ascontiguousarray(finer.pixels[:, :, top : top + height, left : left + width])
                mosaic.add(top, left, model.backend(pixels)[0])
        return resize_map(mosaic.disparity, sample.disparity.shape), work_of(finer.grid)

    return predict


# ── figures ─────────────────────────────────────────────────────────────────


def figures_of(prediction: Float32[Array, "H W"], sample: Sample) -> tuple[float, ...]:
    """Boundary scores per stride, then the protocol's metrics; all in percent."""
    mask = usable(sample, PROTOCOL)
    comparable = Prediction(prediction).comparable(sample.mask.shape, PROTOCOL)
    abs_rel, outliers = score(comparable, sample, mask, PROTOCOL, METRICS).figures
    return *boundaries(prediction, sample, mask), 100 * abs_rel, outliers


def has_boundaries(sample: Sample) -> bool:
    """Whether the target jumps anywhere, so that there is something to find."""
    try:
        list(boundaries(sample.disparity, sample, usable(sample, PROTOCOL)))
    except midas.MidasError:
        return False
    return True


def boundaries(prediction: Float32[Array, "H W"], sample: Sample, mask: Bool[Array, "H W"]) -> Iterator[float]:
    """F1, precision, recall per stride, and flying pixels. The far end, sky too, lies at the cap."""
    farthest = np.float32(1 / PROTOCOL.cap_m)
    aligned = align_least_squares(prediction, sample.disparity, mask).apply(prediction)
    near = [np.maximum(values, farthest) for values in (aligned, sample.disparity)]
    for stride_px in STRIDES_PX:
        every = np.s_[stride_px // 2 :: stride_px, stride_px // 2 :: stride_px]
        found = boundary_scores(*(values[every] for values in near))
        yield from (100 * found.f1, 100 * found.precision, 100 * found.recall)
    yield flying_pixels(*near)


# ── memory ──────────────────────────────────────────────────────────────────

_RUN = """
import resource, sys
from midas.cli import main
try:
    main()
except SystemExit as finished:
    assert not finished.code
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def print_memory(model: str) -> None:
    """Peak memory of `midas predict` for one JPEG: a process each, resident set, 2**20 bytes."""
    print("| picture | " + " | ".join(("one pass", "`--tile 3`", "`--tile 8`")) + " |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for height, width in ((3000, 4000), (6000, 8333)):
            photo = Path(folder, "photo.jpg")
            tone = np.linspace(0, 255, width, dtype=np.uint8)
            Image.fromarray(np.broadcast_to(tone[:, None], (height, width, 3)).copy()).save(photo)
            peaks = [peak_mb(model, photo, *options) for options in ((), ("--tile", "3"), ("--tile", "8"))]
            print(f"| {height * width / 1e6:.0f} megapixels | " + " | ".join(map(str, peaks)) + " |", flush=True)


def peak_mb(model: str, photo: Path, *options: str) -> int:
    """Peak memory of one command."""
    arguments = ["predict", str(photo), "-o", str(photo.parent), "--overwrite", "--quiet", "--model", model, *options]
    command = [sys.executable, "-c", _RUN, *arguments]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stderr.splitlines()[-1])


if __name__ == "__main__":
    main()
