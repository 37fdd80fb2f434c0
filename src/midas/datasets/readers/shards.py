"""Reader for shards as ``midas data pack`` writes them: samples in tar files, whatever set they are from."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from midas.datasets.reader import Layout
from midas.datasets.sample import AnySample
from midas.datasets.shard_members import DAMAGED, decode_sample
from midas.datasets.shards import INDEX_NAME, ShardCache, read_index, read_members
from midas.errors import DatasetError
from midas.storage.addresses import Place

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

    Samples of a store are read one by one, each by a request for its bytes: whatever samples a process draws, it reads
    those and no others, and a run that is resumed reads on where it stopped. With a ``cache`` each shard is fetched
    whole when its first sample is read, once per machine.

    Args:
        root: the folder.
        address: of a folder in a store, such as ``s3://bucket/set``, in place of ``root``.
        cache: a folder of this machine where shards of the store are kept; empty for none.

    Raises:
        DatasetError: the folder or its index isn't there or isn't as described, or a shard is missing or cut short.
        StorageError: the store doesn't answer.
    """

    def __init__(self, root: str | Path, address: str = "", cache: str = "") -> None:
        if address:
            self.place = Place.of(address)
        else:
            LAYOUT.file(LAYOUT.folder(root) / INDEX_NAME)
            self.place = Place.of(Path(root))
        self.cache = ShardCache(self.place, Path(cache)) if cache else None
        self.index = read_index(self.place)
        sizes = self.place.files()
        for shard in self.index.shards:
            if sizes.get(shard.file) != shard.bytes:
                wrong = "is missing" if shard.file not in sizes else f"is not {shard.bytes} bytes long"
                raise DatasetError(f"{self.place / shard.file} {wrong}: copy or pack it again ({LAYOUT.homepage})")
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
            folder = self.place if self.cache is None else self.cache.folder_of(shard)
            return decode_sample(read_members(folder, shard, place - self.ends[number] + shard.count))
        except DAMAGED as error:
            raise DatasetError(f"{self.place / shard.file}, sample {index} is damaged: {error!r}") from error
