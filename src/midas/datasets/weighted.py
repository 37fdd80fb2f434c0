"""A set whose edges are worth more or less in training than those of others."""

from __future__ import annotations

from dataclasses import replace

from midas.datasets.reader import Reader
from midas.datasets.sample import AnySample, Sample


class Weighted:
    """The samples of a set, each with the weight of its gradient term.

    Args:
        reader: the set.
        gradient_weight: of the gradient term, in place of the run's own.
    """

    def __init__(self, reader: Reader, gradient_weight: float) -> None:
        self.reader = reader
        self.gradient_weight = gradient_weight

    @property
    def name(self) -> str:
        """The set's name."""
        return self.reader.name

    def __len__(self) -> int:
        return len(self.reader)

    def __getitem__(self, index: int) -> AnySample:
        """The sample at an index.

        Raises:
            DatasetError: its file is missing or damaged.
            IndexError: there are fewer.
        """
        sample = self.reader[index]
        return replace(sample, gradient_weight=self.gradient_weight) if isinstance(sample, Sample) else sample
