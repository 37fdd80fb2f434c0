"""Mixing data sets into one stream of training samples that is the same however often it is interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import Sample
from midas.datasets.sky import with_sky
from midas.datasets.transforms import PhotometricJitter, jitter_colours, normalize_target, random_crop, random_flip
from midas.preprocess import InputSpec


@dataclass(frozen=True)
class Source:
    """A data set and its part in the mixture.

    Attributes:
        dataset: where samples come from.
        weight: relative probability that a sample is drawn from this set.
        sky: find the sky and count it as valid at disparity 0.
        late_weight: the weight for the later part of a run; None keeps it as it is.
    """

    dataset: CorpusDataset
    weight: float
    sky: bool
    late_weight: float | None = None

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
    """

    sizes: tuple[tuple[int, int], ...]
    min_crop_share: float
    colours: PhotometricJitter


class TrainingMixture(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Samples of one epoch. Item i depends on (seed, epoch, i) alone, so a resumed run sees what it would have seen.

    Args:
        sources: the sets and their weights.
        augmentation: crops and colours.
        input_spec: mean and standard deviation of the network's input.
        batch_size: samples that share one size.
        pictures: samples per epoch.
        seed, epoch: what the draws depend on.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        augmentation: Augmentation,
        input_spec: InputSpec,
        *,
        batch_size: int,
        pictures: int,
        seed: int,
        epoch: int,
    ) -> None:
        self.sources = sources
        self.augmentation = augmentation
        self.input_spec = input_spec
        self.batch_size = batch_size
        self.pictures = pictures
        self.key = (seed, epoch)
        weights = np.array([source.weight for source in sources], dtype=np.float64)
        self.thresholds = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        return self.pictures

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (3, H, W), target disparity in [0, 1] (H, W), mask (H, W)."""
        # Several loader processes share the cores with the network; OpenCV's own threads would only be in the way.
        cv2.setNumThreads(0)
        rng = np.random.default_rng((*self.key, index))
        return self._to_tensors(self._vary(self._draw(rng), index, rng))

    def draw(self, index: int) -> Sample:
        """The sample that item ``index`` is made from, before crop, flip and colours."""
        return self._draw(np.random.default_rng((*self.key, index)))

    def _draw(self, rng: np.random.Generator) -> Sample:
        chosen = min(int(np.searchsorted(self.thresholds, rng.random())), len(self.sources) - 1)
        source = self.sources[chosen]
        sample = source.dataset[int(rng.integers(len(source.dataset)))]
        return with_sky(sample) if source.sky else sample

    def _vary(self, sample: Sample, index: int, rng: np.random.Generator) -> Sample:
        sizes = self.augmentation.sizes
        of_batch = np.random.default_rng((*self.key, index // self.batch_size, len(sizes)))
        size = sizes[int(of_batch.integers(len(sizes)))]
        sample = random_flip(random_crop(sample, size, self.augmentation.min_crop_share, rng), rng)
        return replace(sample, image=jitter_colours(sample.image, self.augmentation.colours, rng))

    def _to_tensors(self, sample: Sample) -> tuple[Tensor, Tensor, Tensor]:
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.input_spec.mean, self.input_spec.std))
        pixels = torch.from_numpy(sample.image.copy()).permute(2, 0, 1).float().div(255.0)
        target = torch.from_numpy(normalize_target(sample))
        return (pixels - mean) / std, target, torch.from_numpy(sample.mask.copy())
