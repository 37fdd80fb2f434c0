"""A set whose pictures are decoded once and then stay in memory."""

from __future__ import annotations

from midas.datasets.reader import Reader, read_sample
from midas.datasets.sample import AnySample, Sample
from midas.datasets.sky import with_sky
from midas.errors import DatasetError, ImageError


class InMemory:
    """All samples of a set, read when it is opened.

    Decoding takes a third of the time of a training sample, and finding the sky more than that again. A picture of
    384 x 288 takes 0.9 MB. Loader processes that are forked, as on Linux, share the memory.

    Args:
        reader: the set.
        sky: find each picture's sky and count it as valid at disparity 0.
    """

    def __init__(self, reader: Reader, *, sky: bool = False) -> None:
        self.reader = reader
        self.sky = sky
        self._samples = [self._read_quietly(index) for index in range(len(reader))]

    @property
    def name(self) -> str:
        """The set's name."""
        return self.reader.name

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> AnySample:
        """The sample at an index; its arrays are shared by all who ask for it.

        Raises:
            DatasetError: its file is missing or damaged.
            IndexError: there are fewer.
        """
        kept = self._samples[index]
        return self._read(index) if kept is None else kept

    def _read(self, index: int) -> AnySample:
        sample = read_sample(self.reader, index)
        return with_sky(sample) if self.sky and isinstance(sample, Sample) else sample

    def _read_quietly(self, index: int) -> AnySample | None:
        # What can't be read is an error only when it is drawn: the run counts it, names it and goes on.
        try:
            return self._read(index)
        except (DatasetError, ImageError):
            return None
