"""Reader for shards as ``midas data pack`` writes them: samples in tar files, whatever set they are from."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from midas.datasets.reader import Layout
from midas.datasets.sample import AnySample
from midas.datasets.shard_members import DAMAGED, decode_sample
from midas.datasets.shards import INDEX_NAME, read_index, read_members
from midas.errors import DatasetError

LAYOUT = Layout(
    title="a set in shards, as `midas data pack` writes it",
    homepage="docs/datasets.md",
    licence="each set's own",
    tree="""
<root>/index.json
<root>/shard-000000.tar
""",
)


class ShardDataset:
    """All samples of a folder of shards. No file is unpacked, and none stays open between two samples.

    Args:
        root: the folder.

    Raises:
        DatasetError: the folder or its index isn't there or isn't as described, or a shard is missing or cut short.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = LAYOUT.folder(root)
        LAYOUT.file(self.root / INDEX_NAME)
        self.index = read_index(self.root)
        for shard in self.index.shards:
            if LAYOUT.file(self.root / shard.file).stat().st_size != shard.bytes:
                raise DatasetError(f"{self.root / shard.file} is not {shard.bytes} bytes long: copy or pack it again")
        self.ends = list(accumulate(shard.count for shard in self.index.shards))

    @property
    def name(self) -> str:
        """The name of the set that was packed, the first part of every sample's."""
        return self.index.name

    def __len__(self) -> int:
        return self.index.count

    def __getitem__(self, index: int) -> AnySample:
        """The sample at an index.

        Raises:
            DatasetError: it is damaged.
            IndexError: there are fewer.
        """
        place = range(len(self))[index]
        number = bisect_right(self.ends, place)
        shard = self.index.shards[number]
        try:
            return decode_sample(read_members(self.root, shard, place - self.ends[number] + shard.count))
        except DAMAGED as error:
            raise DatasetError(f"{self.root / shard.file}, sample {index} is damaged: {error!r}") from error
