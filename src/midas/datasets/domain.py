"""Several sets as one: rooms from eight sensors are one task, streets another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from midas.datasets.reader import Reader, read_sample
from midas.datasets.sample import AnySample, Sample
from midas.datasets.sky import with_sky
from midas.errors import ConfigError


class Domain:
    """Pictures of several sets, drawn by weights, behind the face of one set.

    Its length is the number of different draws, not of pictures: item i is the same at every call, its set and its
    picture depend on i alone.

    Args:
        name: of the domain.
        sets: what is drawn from.
        weights: relative share of each set.
        sky: for each set, whether sky is found and counted as valid at disparity 0.

    Raises:
        ConfigError: there is no set, or not one weight above 0 and one choice of sky for each.
    """

    DRAWS = 2**31

    def __init__(self, name: str, sets: Sequence[Reader], weights: Sequence[float], sky: Sequence[bool]) -> None:
        if not sets or not len(sets) == len(weights) == len(sky) or min(weights) <= 0:
            raise ConfigError(f"domain {name}: {len(sets)} sets need as many weights above 0, not {list(weights)}")
        self._name = name
        self.sets = tuple(sets)
        self.shares = np.asarray(weights, dtype=np.float64) / sum(weights)
        self.sky = tuple(sky)

    @property
    def name(self) -> str:
        """The domain's name."""
        return self._name

    def __len__(self) -> int:
        """Number of draws."""
        return self.DRAWS

    def __getitem__(self, index: int) -> AnySample:
        """The sample of a draw.

        Raises:
            DatasetError: its file is missing or damaged.
            IndexError: there are fewer draws.
        """
        if not 0 <= index < self.DRAWS:
            raise IndexError(f"draw {index} of {self.DRAWS} of the domain {self.name}")
        rng = np.random.default_rng(index)
        chosen = int(rng.choice(len(self.sets), p=self.shares))
        sample = read_sample(self.sets[chosen], int(rng.integers(len(self.sets[chosen]))))
        return with_sky(sample) if self.sky[chosen] and isinstance(sample, Sample) else sample
