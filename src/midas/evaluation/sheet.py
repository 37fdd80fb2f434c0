"""The worst pictures of a run beside what was expected, and one picture in all its corruptions."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

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
from midas.metrics import disparity_range
from midas.storage.atomic import atomic_file

CELL_HEIGHT_PX = 200
TEXT_HEIGHT_PX = 18
GAP_PX = 4
COLUMNS = ("picture", "target", "prediction, aligned", "error: near, far")
_UNKNOWN = 90  # grey of pixels without a target
_LARGEST_ERROR = float(np.log(2.0))  # a depth wrong by a factor of two has full colour
_LARGEST_SHARE = 0.5  # where depths have no ratio, a disparity wrong by half the target's range


def write_worst(
    result: EvaluationResult, candidate: Candidate, benchmark: Benchmark, folder: Path, *, count: int
) -> Path:
    """Predict the pictures with the worst headline figure once more, and write their maps and a sheet of all.

    The sheet has one row per picture: the picture, its target, the aligned prediction in the target's colours, and the
    error, blue where the prediction is too near, red where it is too far.

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
    rows: dict[str, UInt8[Array, "h w 3"]] = {}
    for index in range(len(benchmark.reader)):
        sample = read_sample(benchmark.reader, index)
        if sample.name in worst and isinstance(sample, Sample):
            raw = candidate.run(candidate.prepare(sample))
            prediction = raw.comparable(sample.mask.shape, benchmark.protocol)
            values, _ = resize_with_holes(raw.values, np.isfinite(raw.values), sample.mask.shape)
            map_path = folder / file_name(result.model) / f"{sample.name.replace('/', '_')}.npy"
            DepthMap(values, kind=raw.kind).save(map_path, overwrite=True)
            figures = zip(result.metrics, worst[sample.name].figures, strict=True)
            caption = f"{sample.name}   " + "   ".join(f"{name} {value:.4g}" for name, value in figures)
            rows[sample.name] = _row(sample, prediction, benchmark.protocol, caption)
        if len(rows) == len(worst):
            break
    path = folder / f"worst_{result.dataset}_{file_name(result.model)}.png"
    full_colour = "factor 2" if benchmark.protocol.needs_zero else "half the target's range"
    _write_sheet([rows[name] for name in worst], path, full_colour)
    return path


def file_name(model: str) -> str:
    """A model's name without what a file's can't hold, such as the folders of a path."""
    return re.sub(r"[^\w.-]+", "_", model).strip("_")


def write_corrupted(candidate: Candidate, benchmark: Benchmark, folder: Path) -> Path:
    """Draw the benchmark's first picture as it is and in every corruption, with the candidate's map below each.

    Args:
        candidate: what predicts.
        benchmark: a set with maps.
        folder: gets ``corruptions_<set>.png``.

    Raises:
        DatasetError: the set has pairs of points, or its first picture can't be read.
        OutputError: the file can't be written.
    """
    sample = benchmark.reader[0]
    if not isinstance(sample, Sample):
        raise DatasetError(f"{benchmark.reader.name} has pairs of points: corruptions are measured on maps")
    rows = {}
    for kind in CORRUPTIONS:
        samples = [sample, *(corrupt(sample, kind, strength) for strength in STRENGTHS)]
        raw = [candidate.run(candidate.prepare(one)) for one in samples]
        maps = [DepthMap(one.values, kind=one.kind).resized(sample.mask.shape) for one in raw]
        pictures = _side_by_side([one.image for one in samples])
        below = _side_by_side([apply_colormap(one.normalized()) for one in maps])
        rows[kind] = np.concatenate(
            [_text(f"{kind.replace('_', ' ')}: clean, 1 to 5", pictures.shape[1]), pictures, below]
        )
    path = folder / f"corruptions_{benchmark.reader.name}.png"
    with atomic_file(path, overwrite=True) as file:
        Image.fromarray(np.concatenate(list(rows.values()))).save(file, format="PNG")
    return path


def _side_by_side(pictures: list[UInt8[Array, "_ _ 3"]]) -> UInt8[Array, "h w 3"]:
    gap = np.full((CELL_HEIGHT_PX, GAP_PX, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (_cell(picture), gap)], axis=1)


def _row(sample: Sample, prediction: Comparable, protocol: Protocol, caption: str) -> UInt8[Array, "h w 3"]:
    mask = usable(sample, protocol)
    aligned = _aligned(prediction, sample.disparity, mask)
    low, high = np.percentile(sample.disparity[mask], [2, 98])
    span = max(float(high - low), 1e-12)

    def coloured(disparity: Float32[Array, "H W"]) -> UInt8[Array, "H W 3"]:
        return apply_colormap(((disparity - np.float32(low)) / np.float32(span)).astype(np.float32))

    target = coloured(sample.disparity)
    target[~mask] = _UNKNOWN
    too_far = _log_ratio if protocol.needs_zero else _share_of_range
    error = _error(too_far(aligned[mask], sample.disparity[mask]), mask)
    row = _side_by_side([sample.image, target, coloured(aligned), error])
    return np.concatenate([_text(caption, row.shape[1]), row])


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
    picture = np.full((*mask.shape, 3), _UNKNOWN, np.uint8)
    share = np.clip(too_far, -1, 1)
    fade = 255 * (1 - np.abs(share))
    picture[mask] = np.stack([np.where(share >= 0, 255, fade), fade, np.where(share <= 0, 255, fade)], axis=1).astype(
        np.uint8
    )
    return picture


def _cell(picture: UInt8[Array, "H W 3"]) -> UInt8[Array, "h w 3"]:
    width_px = max(1, round(picture.shape[1] * CELL_HEIGHT_PX / picture.shape[0]))
    return np.asarray(Image.fromarray(picture).resize((width_px, CELL_HEIGHT_PX), Image.Resampling.LANCZOS))


def _text(text: str, width_px: int) -> UInt8[Array, "h w 3"]:
    strip = Image.new("RGB", (width_px, TEXT_HEIGHT_PX), "white")
    ImageDraw.Draw(strip).text((4, 3), text, fill="black", font=ImageFont.load_default())
    return np.asarray(strip)


def _write_sheet(rows: list[UInt8[Array, "h w 3"]], path: Path, full_colour: str) -> None:
    width_px = max(row.shape[1] for row in rows)
    legend = _text("   |   ".join(COLUMNS) + f"   (blue: too near, red: too far, full colour: {full_colour})", width_px)
    padded = [np.pad(row, ((0, GAP_PX), (0, width_px - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    with atomic_file(path, overwrite=True) as file:
        Image.fromarray(np.concatenate([legend, *padded])).save(file, format="PNG")
