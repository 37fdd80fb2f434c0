"""The worst pictures of a run beside what was expected, and one picture in all its corruptions."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

from midas.alignment import align_least_squares
from midas.arrays import Array, Bool, Float32, UInt8
from midas.datasets.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from midas.datasets.reader import read_sample
from midas.datasets.sample import Sample
from midas.errors import DatasetError
from midas.evaluation.candidates import Candidate
from midas.evaluation.evaluator import EvaluationResult
from midas.evaluation.predictions import Comparable
from midas.evaluation.protocols import Protocol
from midas.evaluation.runs import Benchmark
from midas.evaluation.scoring import usable
from midas.maps.colormaps import apply_colormap
from midas.maps.depth_map import DepthMap
from midas.maps.holes import resize_with_holes
from midas.maps.sheets import NO_VALUE, Tile, draw_tiles, painted, range_text, target_range
from midas.metrics import disparity_range
from midas.metrics.table import find_metric
from midas.storage.atomic import atomic_file

COLUMNS = ("picture", "target", "prediction, aligned")
_LARGEST_ERROR = float(np.log(2.0))  # a depth wrong by a factor of two has full colour
_LARGEST_SHARE = 0.5  # where depths have no ratio, a disparity wrong by half the target's range


def write_worst(
    result: EvaluationResult, candidate: Candidate, benchmark: Benchmark, folder: Path, *, count: int
) -> Path:
    """Predict the pictures with the worst headline figure once more, and write their maps and a sheet of all.

    The sheet, as ``midas.maps.sheets`` draws them, has one row per picture: the picture, its target, the aligned
    prediction in the target's colours, and the error, blue where the prediction is too near, red where it is too far.

    Args:
        result: of a run.
        candidate: what was measured.
        benchmark: on what.
        folder: gets ``worst_<set>_<model>.png``, and in a folder of the model's name each raw prediction as NPY.
        count: number of pictures.

    Raises:
        DatasetError: the set has pairs of points, which are not maps.
        OutputError: a file can't be written.
    """
    if benchmark.protocol.pairs:
        raise DatasetError(f"{benchmark.reader.name} has pairs of points: there is no map to show beside a prediction")
    worst = {score.name: score for score in result.worst(count)}
    rows: dict[str, Tile] = {}
    for index in range(len(benchmark.reader)):
        sample = read_sample(benchmark.reader, index)
        if sample.name in worst and isinstance(sample, Sample):
            raw = candidate.run(candidate.prepare(sample))
            prediction = raw.comparable(sample.mask.shape, benchmark.protocol)
            values, _ = resize_with_holes(raw.values, np.isfinite(raw.values), sample.mask.shape)
            map_path = folder / file_name(result.model) / f"{sample.name.replace('/', '_')}.npy"
            DepthMap(values, kind=raw.kind).save(map_path, overwrite=True)
            figures = zip(result.metrics, worst[sample.name].figures, strict=True)
            caption = f"{sample.name}   " + "   ".join(_figure(name, value) for name, value in figures)
            rows[sample.name] = _tile(sample, prediction, benchmark.protocol, caption)
        if len(rows) == len(worst):
            break
    path = folder / f"worst_{result.dataset}_{file_name(result.model)}.png"
    full_colour = "factor 2" if benchmark.protocol.needs_zero else "half the target's range"
    error = f"error: blue too near, red too far ({full_colour})"
    sheet = draw_tiles([rows[name] for name in worst], (*COLUMNS, error))
    with atomic_file(path, overwrite=True) as file:
        Image.fromarray(sheet).save(file, format="PNG")
    return path


def file_name(model: str) -> str:
    """A model's name without what a file's can't hold, such as the folders of a path."""
    return re.sub(r"[^\w.-]+", "_", model).strip("_")


def write_corrupted(candidate: Candidate, benchmark: Benchmark, folder: Path) -> Path:
    """Draw the benchmark's first picture as it is and in every corruption, with the candidate's map below each.

    Args:
        candidate: what predicts.
        benchmark: a set with maps.
        folder: gets ``corruptions_<set>_<model>.png``.

    Raises:
        DatasetError: the set has pairs of points, or its first picture can't be read.
        OutputError: the file can't be written.
    """
    sample = read_sample(benchmark.reader, 0)
    if not isinstance(sample, Sample):
        raise DatasetError(f"{benchmark.reader.name} has pairs of points: corruptions are measured on maps")
    tiles = []
    for kind in CORRUPTIONS:
        samples = [sample, *(corrupt(sample, kind, strength) for strength in STRENGTHS)]
        raw = [candidate.run(candidate.prepare(one)) for one in samples]
        maps = [DepthMap(one.values, kind=one.kind).resized(sample.mask.shape) for one in raw]
        name = kind.replace("_", " ")
        tiles.append(Tile(name, tuple(one.image for one in samples)))
        tiles.append(Tile(f"{name}: its maps", tuple(apply_colormap(one.normalized()) for one in maps)))
    path = folder / f"corruptions_{benchmark.reader.name}_{file_name(candidate.name)}.png"
    with atomic_file(path, overwrite=True) as file:
        headings = ("clean", *(f"strength {strength}" for strength in STRENGTHS))
        sheet = draw_tiles(tiles, headings, legend="dark: far, bright: near, each map in its own range")
        Image.fromarray(sheet).save(file, format="PNG")
    return path


def _figure(name: str, value: float) -> str:
    unit = find_metric(name).unit
    return f"{name} {value:.4g}{f' {unit}' if unit else ''}"


def _tile(sample: Sample, prediction: Comparable, protocol: Protocol, caption: str) -> Tile:
    mask = usable(sample, protocol)
    aligned = _aligned(prediction, sample.disparity, mask)
    within = target_range(sample.disparity, mask)
    too_far = _log_ratio if protocol.needs_zero else _share_of_range
    error = _error(too_far(aligned[mask], sample.disparity[mask]), mask)
    cells = sample.image, painted(sample.disparity, within, mask), painted(aligned, within), error
    return Tile(f"{caption}   {range_text(within, metric=sample.metric)}", cells)


def _aligned(prediction: Comparable, target: Float32[Array, "H W"], mask: Bool[Array, "H W"]) -> Float32[Array, "H W"]:
    """The prediction as disparity that can be compared with the target's."""
    if not prediction.is_depth:
        return align_least_squares(prediction.values, target, mask).apply(prediction.values)
    depth = np.divide(1, target, out=np.zeros_like(target), where=mask)
    aligned = align_least_squares(prediction.values, depth, mask).apply(prediction.values)
    nearest = np.float32(depth[mask].min())
    inverse: Float32[Array, "H W"] = 1 / np.maximum(aligned, nearest)
    return inverse


def _log_ratio(aligned: Float32[Array, " N"], target: Float32[Array, " N"]) -> Float32[Array, " N"]:
    """Logarithm of the ratio of depths, 1 for too far by a factor of two."""
    floored = np.maximum(aligned, np.float32(target.min()))
    ratio: Float32[Array, " N"] = np.log(target / floored) / np.float32(_LARGEST_ERROR)
    return ratio


def _share_of_range(aligned: Float32[Array, " N"], target: Float32[Array, " N"]) -> Float32[Array, " N"]:
    """Difference of disparities, 1 for too far by half the target's range."""
    share: Float32[Array, " N"] = (target - aligned) / np.float32(_LARGEST_SHARE * disparity_range(target))
    return share


def _error(too_far: Float32[Array, " N"], mask: Bool[Array, "H W"]) -> UInt8[Array, "H W 3"]:
    """Red too far, blue too near, white right."""
    picture = np.full((*mask.shape, 3), NO_VALUE, np.uint8)
    share = np.clip(too_far, -1, 1)
    fade = 255 * (1 - np.abs(share))
    picture[mask] = np.stack([np.where(share >= 0, 255, fade), fade, np.where(share <= 0, 255, fade)], axis=1).astype(
        np.uint8
    )
    return picture
