"""Depth maps in whatever file people keep them, and what the numbers in them are: millimetres, metres, disparity.

Nothing in a PNG says what its numbers mean. Two things tell: whether they grow with the distance or with nearness,
which a prediction of the same picture shows; and how large they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.datasets.formats import read_exr_channel, read_npy, read_pfm, read_rgb
from midas.datasets.layouts import FoundPairs, Pair
from midas.errors import DatasetError, ImageError

DepthUnit = Literal["mm", "m", "disparity", "depth"]
"""``depth`` grows with the distance and has no known unit; ``disparity`` grows with nearness, its zero unknown."""

UNITS: tuple[DepthUnit, ...] = get_args(DepthUnit)
UNIT_WORDS: dict[DepthUnit, str] = {
    "mm": "millimetres",
    "m": "metres",
    "disparity": "disparity (larger is nearer)",
    "depth": "depth of unknown unit",
}

_LOOKED_AT = 12
_GRID = 64  # values along each side of a map that are compared with a prediction
_SMALLEST_CORRELATION = 0.15
# A room or a street in metres, and the same in millimetres. Between them lies nothing that one photographs.
_MOST_METRES = 150.0
_LEAST_MILLIMETRES, _MOST_MILLIMETRES = 150.0, 65_000.0
_SATURATED = 65_535.0  # what sensors write where they saw too far


def read_depth(path: Path) -> Float32[Array, "H W"]:
    """The numbers of a depth map as they are stored; 0 where they aren't finite.

    Raises:
        DatasetError: it is damaged, or a picture in colours.
    """
    suffix = path.suffix.lower()
    reader: Callable[[Path], Array] = {
        ".npy": read_npy, ".npz": _read_npz, ".pfm": read_pfm, ".exr": lambda path: read_exr_channel(path, "Y"),
    }.get(suffix, _read_picture)  # fmt: skip
    values = np.asarray(reader(path), dtype=np.float32)
    return np.where(np.isfinite(values), values, np.float32(0))


def _read_npz(path: Path) -> Array:
    try:
        with np.load(path, allow_pickle=False) as archive:
            maps = [archive[name] for name in archive.files]
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise DatasetError(f"{path} can't be read as NumPy arrays: {error}") from error
    found = next((values for values in maps if values.ndim == 2 and values.dtype.kind in "fiu"), None)
    if found is None:
        raise DatasetError(f"{path} holds no array of numbers with two axes")
    return np.asarray(found)


def _read_picture(path: Path) -> Array:
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise DatasetError(f"{path} is damaged or no picture")
    if stored.ndim == 3:
        grey = stored[..., :3]
        if (grey != grey[..., :1]).any():
            raise DatasetError(f"{path} is a picture in colours: expected one number per pixel, its depth")
        stored = grey[..., 0]
    return np.asarray(stored)


@dataclass(frozen=True)
class GuessedUnit:
    """What the numbers of a set's depth maps are.

    Attributes:
        unit: of them.
        scale: stored numbers times this are metres, or disparity without unit.
        reason: why, for whoever checks it.
    """

    unit: DepthUnit
    scale: float
    reason: str


def named_unit(unit: DepthUnit) -> GuessedUnit:
    """The unit that the user named."""
    return GuessedUnit(unit, 0.001 if unit == "mm" else 1.0, "as --depth-unit says")


@dataclass
class _Seen:
    """What a look at some depth maps tells.

    Attributes:
        medians, largest: of each map's numbers above 0.
        correlations: of each map with the nearness that a model sees, of ranks.
        whole: all are whole numbers.
    """

    medians: list[float]
    largest: list[float]
    correlations: list[float]
    whole: bool = True

    @property
    def median(self) -> float:
        return float(np.median(self.medians))

    @property
    def correlation(self) -> float:
        return float(np.median(self.correlations))

    @property
    def stretched(self) -> bool:
        """Most maps reach the largest number that their files hold, as those do that were made to be looked at."""
        return self.whole and float(np.median([value in (255.0, _SATURATED) for value in self.largest])) > 0.5

    @property
    def against(self) -> str:
        return f"rank correlation {self.correlation:+.2f} with the nearness that the embedded model sees"


def guess_unit(found: FoundPairs, nearness: Callable[[UInt8[Array, "H W 3"]], Float32[Array, "H W"]]) -> GuessedUnit:
    """Tell the unit of a set's depth maps by their names, by their numbers and by a prediction.

    Args:
        found: the set.
        nearness: a picture's relative disparity, larger is nearer, by any model that is right more often than not.

    Raises:
        DatasetError: none of the maps looked at can be read, or nothing tells which way they grow.
    """
    looked_at = _spread(found.pairs, _LOOKED_AT)
    seen = _Seen([], [], [])
    for pair in looked_at:
        try:
            values, picture = read_depth(pair.depth), read_rgb(pair.picture)
        except (DatasetError, ImageError):
            continue  # the summary names those that can't be read
        known = values[values > 0]
        if known.size < _GRID:
            continue
        seen.medians.append(float(np.median(known)))
        seen.largest.append(float(known.max()))
        seen.whole = seen.whole and bool((known == np.round(known)).all())
        seen.correlations.append(rank_correlation(values, nearness(picture)))
    if not seen.medians:
        raise DatasetError(
            f"none of {len(looked_at)} depth maps has numbers above 0; the first is {looked_at[0].depth}"
        )
    return _told(found, seen)


def _told(found: FoundPairs, seen: _Seen) -> GuessedUnit:
    if found.steps_per_metre is not None:
        steps = found.steps_per_metre
        return GuessedUnit("m", 1.0 / steps, f"lists of moments as TUM RGB-D has them: {steps:g} steps to the metre")
    if found.says_disparity:
        return _disparity(seen, "their names say so")
    millimetres = seen.whole and _LEAST_MILLIMETRES <= seen.median <= _MOST_MILLIMETRES and not seen.stretched
    if found.says_depth and millimetres:
        # A sensor's own numbers under the name of depth: a model that takes the picture the wrong way round has no say.
        why = f"their names say depth, and the median of whole numbers is {seen.median:,.0f}"
        doubt = f"; yet {seen.against}: look at the drawing, and name --depth-unit if larger is nearer"
        return GuessedUnit("mm", 0.001, why + (doubt if seen.correlation > 0 else ""))
    if seen.correlation > _SMALLEST_CORRELATION:
        return _disparity(seen, f"the numbers grow with nearness ({seen.against})")
    if seen.correlation > -_SMALLEST_CORRELATION:
        raise DatasetError(
            f"the depth maps don't say whether larger is nearer or farther ({seen.against}); name it with "
            "--depth-unit mm, m, depth or disparity"
        )
    grows = f"the numbers grow with the distance ({seen.against}), their median is {seen.median:,.4g}"
    if millimetres or (not seen.whole and _LEAST_MILLIMETRES <= seen.median <= _MOST_MILLIMETRES):
        return GuessedUnit("mm", 0.001, f"{grows}{' of whole numbers' if seen.whole else ''}")
    if not seen.whole and seen.median <= _MOST_METRES:
        return GuessedUnit("m", 1.0, grows)
    return GuessedUnit("depth", 1.0, f"{grows}: neither metres nor millimetres of what one photographs")


def _disparity(seen: _Seen, reason: str) -> GuessedUnit:
    # Such maps are stretched to whatever range their files have; their zero is not infinitely far.
    return GuessedUnit("disparity", 1.0 / max(*seen.largest, 1e-12), reason)


def rank_correlation(values: Float32[Array, "h w"], nearness: Float32[Array, "H W"]) -> float:
    """Spearman's, over a grid of pixels where a map has a value above 0; 0 where there is nothing to compare.

    Equal values share their mean rank: a sort would order them in a way that differs from processor to processor.

    Args:
        values: of the map; 0 is unknown.
        nearness: of the same picture, of whatever size.
    """
    stored, seen = (_on_grid(array) for array in (values, nearness))
    known = stored > 0
    if known.sum() < _GRID:
        return 0.0
    ranks = [_ranks(array[known]) for array in (stored, seen)]
    if any(np.ptp(each) == 0 for each in ranks):
        return 0.0
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def _ranks(values: Array) -> Array:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_ranks: Array = np.cumsum(counts) - (counts - 1) / 2
    return mean_ranks[places]


def _on_grid(values: Float32[Array, "H W"]) -> Float32[Array, "G G"]:
    rows, columns = (np.linspace(0, side - 1, _GRID).astype(int) for side in values.shape)
    return np.asarray(values[np.ix_(rows, columns)])


def _spread(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """So many of them from first to last."""
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(count, len(pairs))).astype(int))
    return [pairs[index] for index in chosen]


def valid_numbers(values: Float32[Array, "H W"], unit: DepthUnit) -> Array:
    """Where a map has a value: above 0, and in millimetres below the largest 16-bit number."""
    return (values > 0) & ((values < np.float32(_SATURATED)) | (unit != "mm"))
