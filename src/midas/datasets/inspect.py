"""A look at a set: figures of its targets, and a contact sheet of some samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from midas.arrays import Array, Bool, Float32, UInt8
from midas.datasets.reader import Reader, read_sample
from midas.datasets.sample import AnySample, PairSample, Sample
from midas.errors import DatasetError, ImageError
from midas.maps.sheets import Tile, draw_tiles, fitted_size, painted, range_text, target_range

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
TILES_ACROSS = 2

_VALUES_PER_PICTURE = 4096  # of each picture alike, so that large ones don't outweigh small ones
_PAIRS_DRAWN = 40
_POINT_PX = 3
_NEARER, _FARTHER, _EQUAL = (255, 60, 40), (60, 120, 255), (60, 220, 90)


@dataclass(frozen=True)
class SetStatistics:
    """Figures of a set, of the pictures that were looked at.

    Attributes:
        name: of the set.
        pictures: number in the set.
        looked_at: number that the figures are from.
        unreadable: what was wrong with those that can't be read.
        sizes: (height, width, number of pictures), the most frequent first.
        metric: the targets are inverse depth in 1/metre; None where there are none.
        shift_known: disparity 0 is infinitely far; None likewise.
        sparse: they are valid at scattered points only.
        valid_share: share of pixels with a target.
        sky_share: share of pixels that are valid at disparity 0.
        quantity: what the percentiles are of: ``depth_m``, ``disparity`` or ``pairs``.
        percentiles: percent → value, over all pictures alike and without sky; of pairs, their number per picture.
    """

    name: str
    pictures: int
    looked_at: int
    unreadable: tuple[str, ...]
    sizes: tuple[tuple[int, int, int], ...]
    metric: bool | None
    shift_known: bool | None
    sparse: bool | None
    valid_share: float | None
    sky_share: float | None
    quantity: str
    percentiles: dict[int, float]

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)

    def as_text(self) -> str:
        """One line per fact."""
        sizes = ", ".join(f"{height}x{width} ({count})" for height, width, count in self.sizes)
        facts = {
            "set": self.name,
            "pictures": f"{self.pictures}, of which {self.looked_at} were looked at",
            "height x width": sizes or "-",
            "target": self._target(),
            "valid pixels": _percent(self.valid_share),
            "sky": _percent(self.sky_share),
            self.quantity.replace("_m", " in metres"): "  ".join(
                f"{percent}%: {value:.4g}" for percent, value in self.percentiles.items()
            ),
            "unreadable": str(len(self.unreadable)),
        }
        width = max(map(len, facts))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items() if value)

    def _target(self) -> str:
        if self.metric is None:
            return "pairs of points" if self.quantity == "pairs" else ""
        shift = "" if self.shift_known else ", shift unknown"
        return f"{'metric' if self.metric else 'relative'}, {'sparse' if self.sparse else 'dense'}{shift}"


@dataclass
class _Tally:
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    values: list[Float32[Array, " n"]] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    sky: list[float] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)
    metric: bool | None = None
    shift_known: bool | None = None
    sparse: bool | None = None

    def add(self, sample: AnySample, rng: np.random.Generator) -> None:
        self.sizes[(sample.image.shape[0], sample.image.shape[1])] += 1
        if isinstance(sample, PairSample):
            self.pairs.append(len(sample.relation))
            return
        sky = sample.mask & (sample.disparity == 0) & sample.shift_known
        self.valid.append(float(sample.mask.mean()))
        self.sky.append(float(sky.mean()))
        self.metric, self.sparse, self.shift_known = sample.metric, sample.sparse, sample.shift_known
        values = sample.disparity[sample.mask & ~sky]
        if values.size:
            self.values.append(rng.choice(values, _VALUES_PER_PICTURE))

    def percentiles(self) -> dict[int, float]:
        values = np.concatenate(self.values) if self.values else np.array(self.pairs, np.float32)
        if not values.size:
            return {}
        if self.metric:
            values = 1 / values
        return dict(zip(PERCENTILES, (float(value) for value in np.percentile(values, PERCENTILES)), strict=True))

    def quantity(self) -> str:
        if self.pairs:
            return "pairs"
        return "depth_m" if self.metric else "disparity"


@dataclass(frozen=True)
class Inspection:
    """A set's figures, and its first samples that could be read."""

    statistics: SetStatistics
    shown: tuple[AnySample, ...]


def chosen_indices(pictures: int, count: int, seed: int) -> list[int]:
    """Indices of pictures drawn at random without repetition, in the order of drawing; all if there are fewer."""
    return [int(index) for index in np.random.default_rng(seed).permutation(pictures)[:count]]


def inspect_set(reader: Reader, indices: Iterable[int], *, shown: int, seed: int = 0) -> Inspection:
    """Read samples of a set and gather its figures.

    Args:
        reader: the set.
        indices: what to look at.
        shown: how many samples to keep for the sheet.
        seed: of the draw of values that percentiles are from.
    """
    tally, kept, unreadable = _Tally(), list[AnySample](), list[str]()
    rng = np.random.default_rng(seed)
    for index in indices:
        try:
            sample = read_sample(reader, index)
        except (DatasetError, ImageError) as error:
            unreadable.append(f"{reader.name}[{index}]: {error}")
            continue
        tally.add(sample, rng)
        if len(kept) < shown:
            kept.append(sample)
    statistics = SetStatistics(
        name=reader.name,
        pictures=len(reader),
        looked_at=tally.sizes.total() + len(unreadable),
        unreadable=tuple(unreadable),
        sizes=tuple((*size, count) for size, count in tally.sizes.most_common()),
        metric=tally.metric,
        shift_known=tally.shift_known,
        sparse=tally.sparse,
        valid_share=_mean(tally.valid),
        sky_share=_mean(tally.sky),
        quantity=tally.quantity(),
        percentiles=tally.percentiles(),
    )
    return Inspection(statistics, tuple(kept))


def draw_sheet(samples: Sequence[AnySample]) -> UInt8[Array, "h w 3"]:
    """A contact sheet, as ``midas.maps.sheets`` draws them: each sample's picture beside its target.

    Of pairs, the nearer point is red and the farther one blue; both are green where they are equally far.

    Raises:
        DatasetError: there is no sample.
    """
    if not samples:
        raise DatasetError("no sample could be read: there is nothing to draw")
    return draw_tiles([_tile(sample) for sample in samples], ("picture", "target"), across=TILES_ACROSS)


def _tile(sample: AnySample) -> Tile:
    if isinstance(sample, PairSample):
        caption = f"{sample.name}   {len(sample.relation)} pairs: nearer red, farther blue, equal green"
        return Tile(caption, (sample.image, _pairs_cell(sample)))
    disparity, mask = _spread(sample) if sample.sparse else (sample.disparity, sample.mask)
    within = target_range(disparity, mask)
    told = range_text(within, metric=sample.metric) if mask.any() else "no value"
    return Tile(f"{sample.name}   {told}", (sample.image, painted(disparity, within, mask)), (True, False))


def _spread(sample: Sample) -> tuple[Float32[Array, "H W"], Bool[Array, "H W"]]:
    """Scattered points made so large that they are seen in the small picture; the nearest wins."""
    side = max(1, round(_POINT_PX * sample.mask.shape[0] / fitted_size(sample.mask)[1]))
    brush = np.ones((side, side), np.uint8)
    known = cv2.dilate(sample.mask.astype(np.uint8), brush) > 0
    lowest = np.float32(sample.disparity.min())
    return np.asarray(cv2.dilate(np.where(sample.mask, sample.disparity, lowest), brush)), np.asarray(known)


def _pairs_cell(sample: PairSample) -> UInt8[Array, "h w 3"]:
    cell = Image.fromarray(sample.image).resize(fitted_size(sample.image), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(cell)
    factor = cell.height / sample.image.shape[0]
    for first, second, relation in list(zip(sample.first, sample.second, sample.relation, strict=True))[:_PAIRS_DRAWN]:
        ends = [(float(point[1]) * factor, float(point[0]) * factor) for point in (first, second)]
        draw.line([*ends[0], *ends[1]], fill="white", width=1)
        colours = (_EQUAL, _EQUAL) if relation == 0 else (_NEARER, _FARTHER)[:: int(np.sign(relation))]
        for (x, y), colour in zip(ends, colours, strict=True):
            draw.ellipse([x - _POINT_PX, y - _POINT_PX, x + _POINT_PX, y + _POINT_PX], fill=colour, outline="white")
    return np.asarray(cell)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
