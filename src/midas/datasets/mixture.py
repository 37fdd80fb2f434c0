"""Mixing data sets into one stream of training samples that is the same however often it is interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from midas.datasets.grafting import MixedSample, cut_mix, graft
from midas.datasets.mixing import MixingRule, batch_plan
from midas.datasets.overlay import cut_out, overlay
from midas.datasets.reader import Reader, read_sample
from midas.datasets.sample import AnySample, PairSample, Sample
from midas.datasets.sky import with_sky
from midas.datasets.transforms import (
    PhotometricJitter,
    jitter_colours,
    normalize_pixels,
    normalize_target,
    random_crop,
    random_flip,
    random_rotation,
    random_upside_down,
    resize_pairs,
)
from midas.errors import ConfigError, DatasetError, ImageError
from midas.pictures.preprocess import InputSpec

# How often another sample of the same set is drawn in place of one that can't be read.
_TRIES = 20

# Draws that all samples of a batch share come from streams of their own.
_SIZE_STREAM, _SOURCE_STREAM = 1, 2


@dataclass(frozen=True)
class Source:
    """A data set and its part in the mixture.

    Attributes:
        dataset: where samples come from.
        weight: relative probability that a sample is drawn from this set.
        sky: find the sky and count it as valid at disparity 0.
        late_weight: the weight for the later part of a run; None keeps it as it is.
        notes: what a run says of it before it begins.
    """

    dataset: Reader
    weight: float
    sky: bool = False
    late_weight: float | None = None
    notes: tuple[str, ...] = ()

    def late(self) -> Source:
        """The same set with its weight for the later part of a run."""
        return replace(self, weight=self.weight if self.late_weight is None else self.late_weight)


@dataclass(frozen=True)
class Augmentation:
    """How samples are varied.

    Attributes:
        sizes: (height, width) of the training pictures; each batch has one of them.
        min_crop_share: smallest crop, as a share of the largest that fits.
        colours: changes of colour.
        rotation_deg: samples with maps are turned by up to so much, either way.
        keep_zero: targets whose 0 is infinitely far are scaled but not shifted, so that it stays there.
        graft_share, cut_mix_share: of the samples that are put together from two, see ``midas.datasets.grafting``.
        upside_down_share: of the samples that stand on their heads.
        overlay_share: of the samples that a near thing is laid over, see ``midas.datasets.overlay``.
        overlay_from: name of the source that things are cut from; its targets are dense and exact.
    """

    sizes: tuple[tuple[int, int], ...]
    min_crop_share: float
    colours: PhotometricJitter
    rotation_deg: float = 0.0
    keep_zero: bool = False
    graft_share: float = 0.0
    cut_mix_share: float = 0.0
    upside_down_share: float = 0.0
    overlay_share: float = 0.0
    overlay_from: str = ""


@dataclass(frozen=True)
class EpochPlan:
    """How many samples an epoch has, and how its batches are shared.

    Attributes:
        pictures: samples per epoch.
        batch_size: samples that share one size, and over which the rule of mixing holds.
        rule: how a batch is shared among the sets.
        pairs: number of pairs of points that samples of ordinal sets are brought to.
    """

    pictures: int
    batch_size: int
    rule: MixingRule = "weighted"
    pairs: int = 1


class Item(NamedTuple):
    """One training sample; batched, every field gains a leading axis.

    Attributes:
        pixels: normalised RGB (3, H, W).
        target: disparity in [0, 1], (H, W); 0 where there is none.
        mask: True where the target is valid; nowhere for a sample with pairs.
        second_part: True where a sample put together from two pictures shows the second, (H, W). The target's scale
            and shift are other ones there.
        gradient_weight: of the gradient term; below 0 where the loss's own holds.
        points: rows and columns of pairs, (P, 4): first row, first column, second row, second column.
        relation: (P,): +1 where the first is nearer, -1 the second, 0 equally far.
        pair_mask: (P,): True for pairs that there are.
        source: index of the data set.
        unreadable: names of samples that were drawn and could not be read; another one stands here.
    """

    pixels: Tensor
    target: Tensor
    mask: Tensor
    second_part: Tensor
    gradient_weight: Tensor
    points: Tensor
    relation: Tensor
    pair_mask: Tensor
    source: Tensor
    unreadable: tuple[str, ...]

    def to(self, device: torch.device) -> Item:
        """The same on another device; from pinned memory without waiting for the copy."""
        tensors = {name: value for name, value in self._asdict().items() if isinstance(value, Tensor)}
        moved: dict[str, Any] = {name: value.to(device, non_blocking=True) for name, value in tensors.items()}
        return self._replace(**moved)


def collate(items: Sequence[Item]) -> Item:
    """Samples as one batch."""
    tensors: dict[str, Any] = {name: torch.stack([getattr(item, name) for item in items]) for name in Item._fields[:-1]}
    return items[0]._replace(**tensors, unreadable=tuple(name for item in items for name in item.unreadable))


def source_of_things(sources: Sequence[Source], share: float, wanted: str) -> Source | None:
    """The source of that name, which things are cut from; None where nothing is laid over anything.

    Raises:
        ConfigError: there is none.
    """
    if not share:
        return None
    for source in sources:
        if source.dataset.name == wanted:
            return source
    known = ", ".join(source.dataset.name for source in sources)
    raise ConfigError(f"data.overlay_from is {wanted!r}; the mixture's sets and domains are {known}")


class TrainingMixture(Dataset[Item]):
    """Samples of one epoch. Item i depends on (seed, epoch, i) alone, so a resumed run sees what it would have seen.

    Args:
        sources: the sets and their weights.
        augmentation: crops and colours.
        input_spec: mean and standard deviation of the network's input.
        plan: of the epoch.
        seed, epoch: what the draws depend on.

    Raises:
        ConfigError: things are to be laid over samples, and no source has the name that they come from.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        augmentation: Augmentation,
        input_spec: InputSpec,
        plan: EpochPlan,
        *,
        seed: int,
        epoch: int,
    ) -> None:
        self.sources = sources
        self.augmentation = augmentation
        self.input_spec = input_spec
        self.plan = plan
        self.key = (seed, epoch)
        self.things = source_of_things(sources, augmentation.overlay_share, augmentation.overlay_from)

    def __len__(self) -> int:
        return self.plan.pictures

    def __getitem__(self, index: int) -> Item:
        """The sample at an index, varied.

        Raises:
            DatasetError: one set gives nothing that can be read.
        """
        # Several loader processes share the cores with the network; OpenCV's own threads would only be in the way.
        cv2.setNumThreads(0)
        rng = np.random.default_rng((*self.key, index))
        sample, source, unreadable = self._draw(index, rng)
        varied = self._vary(sample, index, rng)
        if self.things is not None and not isinstance(varied, PairSample):
            varied = self._overlaid(varied, self.things, index, rng)
        mixed = None if isinstance(varied, PairSample) else self._mix(varied, source, index, rng)
        return self._to_item(varied if mixed is None else mixed, source, unreadable)

    def draw(self, index: int) -> AnySample:
        """The sample that item ``index`` is made from, before crop, flip and colours."""
        return self._draw(index, np.random.default_rng((*self.key, index)))[0]

    def _draw(self, index: int, rng: np.random.Generator) -> tuple[AnySample, int, tuple[str, ...]]:
        chosen = self._source_of(index)
        sample, unreadable = self._draw_from(self.sources[chosen], rng)
        return sample, chosen, unreadable

    def _draw_from(self, source: Source, rng: np.random.Generator) -> tuple[AnySample, tuple[str, ...]]:
        unreadable: list[str] = []
        for _ in range(_TRIES):
            picture = int(rng.integers(len(source.dataset)))
            try:
                sample = read_sample(source.dataset, picture)
            except (DatasetError, ImageError) as error:
                unreadable.append(f"{source.dataset.name}[{picture}]: {error}")
                continue
            found = with_sky(sample) if source.sky and isinstance(sample, Sample) else sample
            return found, tuple(unreadable)
        raise DatasetError(
            f"{_TRIES} samples of {source.dataset.name} in a row can't be read; the last: {unreadable[-1]}"
        )

    def _source_of(self, index: int) -> int:
        batch, place = divmod(index, self.plan.batch_size)
        plan = batch_plan(
            self.plan.rule,
            [source.weight for source in self.sources],
            [len(source.dataset) for source in self.sources],
            self.plan.batch_size,
            np.random.default_rng((*self.key, batch, _SOURCE_STREAM)),
        )
        return int(plan[place])

    def _vary(self, sample: AnySample, index: int, rng: np.random.Generator) -> AnySample:
        sizes = self.augmentation.sizes
        of_batch = np.random.default_rng((*self.key, index // self.plan.batch_size, _SIZE_STREAM))
        size = sizes[int(of_batch.integers(len(sizes)))]
        if isinstance(sample, PairSample):
            varied: AnySample = resize_pairs(sample, size, flip=bool(rng.random() >= 0.5))
        else:
            turned = random_rotation(sample, self.augmentation.rotation_deg, rng)
            cropped = random_flip(random_crop(turned, size, self.augmentation.min_crop_share, rng), rng)
            upright = random_upside_down(cropped, self.augmentation.upside_down_share, rng)
            target = normalize_target(upright, keep_zero=self.augmentation.keep_zero)
            varied = replace(upright, disparity=target)
        return replace(varied, image=jitter_colours(varied.image, self.augmentation.colours, rng))

    def _overlaid(self, sample: Sample, things: Source, index: int, rng: np.random.Generator) -> Sample:
        """The sample, now and then with a near thing over it; not a sparse one, whose points it would outweigh."""
        if rng.random() >= self.augmentation.overlay_share or sample.sparse:
            return sample
        drawn, _ = self._draw_from(things, rng)
        other = self._vary(drawn, index, rng)
        if isinstance(other, PairSample):
            return sample
        thing = cut_out(other, rng)
        return sample if thing is None else overlay(sample, other, thing, rng)

    def _mix(self, first: Sample, source: int, index: int, rng: np.random.Generator) -> MixedSample | None:
        """The sample together with another of the same source, both varied and normalised; None for most."""
        grafted, either = self.augmentation.graft_share, self.augmentation.graft_share + self.augmentation.cut_mix_share
        # Runs without it draw what they drew before there was such a thing.
        chance = rng.random() if either else 1.0
        if chance >= either:
            return None
        drawn, _ = self._draw_from(self.sources[source], rng)
        second = self._vary(drawn, index, rng)
        if isinstance(second, PairSample):
            return None
        return (graft if chance < grafted else cut_mix)(first, second, rng)

    def _to_item(self, given: AnySample | MixedSample, source: int, unreadable: tuple[str, ...]) -> Item:
        sample = given.sample if isinstance(given, MixedSample) else given
        pixels = torch.from_numpy(normalize_pixels(sample.image, self.input_spec))
        points = torch.zeros(self.plan.pairs, 4, dtype=torch.long)
        relation, pair_mask = torch.zeros(self.plan.pairs), torch.zeros(self.plan.pairs, dtype=torch.bool)
        if isinstance(sample, PairSample):
            count = min(self.plan.pairs, len(sample.relation))
            points[:count] = torch.from_numpy(np.concatenate([sample.first, sample.second], axis=1)[:count])
            relation[:count] = torch.from_numpy(sample.relation[:count].astype(np.float32))
            pair_mask[:count] = True
            target, mask = torch.zeros(pixels.shape[1:]), torch.zeros(pixels.shape[1:], dtype=torch.bool)
            gradient_weight = None
        else:
            target = torch.from_numpy(np.ascontiguousarray(sample.disparity))
            mask = torch.from_numpy(sample.mask.copy())
            gradient_weight = sample.gradient_weight
        second_part = torch.zeros_like(mask)
        if isinstance(given, MixedSample):
            second_part = torch.from_numpy(given.second_part)
        weight = torch.tensor(-1.0 if gradient_weight is None else gradient_weight)
        drawn_from = torch.tensor(source)
        return Item(pixels, target, mask, second_part, weight, points, relation, pair_mask, drawn_from, unreadable)
