"""Samples in tar files: few large files in place of many small ones, each sample readable at any time.

The members of a sample lie side by side and share their name up to the first dot, as the ``webdataset`` package has it,
so that its loaders read the shards too; `midas.datasets.shard_members` says what they hold. ``index.json`` has
the offset of each sample, so that nothing needs to be unpacked, and it is written last: a folder without it is a pack
that didn't end. The same samples give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from midas.datasets.reader import Reader, read_sample
from midas.datasets.shard_members import Members, Packing, encode_sample
from midas.errors import ConfigError, DatasetError, ImageError, OutputError, net
from midas.pipeline import run_ahead
from midas.storage.addresses import Place
from midas.storage.atomic import atomic_file
from midas.storage.partial_files import sha256_of

INDEX_NAME = "index.json"
INDEX_VERSION = 1
SHARD_PATTERN = "shard-*.tar"

_BLOCK_BYTES = 512


@dataclass(frozen=True)
class Shard:
    """One tar file.

    Attributes:
        file: its name.
        bytes: its length.
        sha256: of the whole file, in hexadecimal.
        offsets: where each sample begins, and where the last one ends.
    """

    file: str
    bytes: int
    sha256: str
    offsets: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.offsets) - 1


@dataclass(frozen=True)
class ShardIndex:
    """What ``index.json`` says.

    Attributes:
        name: of the set.
        shards: in order.
        unreadable: what was wrong with the samples that were left out.
    """

    name: str
    shards: tuple[Shard, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(shard.count for shard in self.shards)

    @property
    def bytes(self) -> int:
        """Length of all shards together."""
        return sum(shard.bytes for shard in self.shards)


# ── writing ──────────────────────────────────────────────────────────────────


def pack(
    reader: Reader,
    folder: Path,
    packing: Packing,
    *,
    indices: Iterable[int] | None = None,
    workers: int = 1,
    overwrite: bool = False,
) -> ShardIndex:
    """Write all samples of a set as shards and an index. Samples that can't be read are left out and named in it.

    Args:
        reader: the set.
        folder: made if it isn't there.
        packing: how samples are stored.
        indices: which samples, in order; None for all.
        workers: threads that read and compress ahead of the writing.
        overwrite: whether shards that are there already may be replaced.

    Raises:
        ConfigError: fewer than one sample per shard.
        DatasetError: not one sample could be read.
        OutputError: the folder holds shards already, or a file can't be written.
    """
    if packing.samples_per_shard < 1:
        raise ConfigError(f"{packing.samples_per_shard} samples per shard: expected 1 or more")
    _clear(folder, overwrite=overwrite)
    unreadable: list[str] = []
    order = range(len(reader)) if indices is None else indices
    ahead = run_ahead(partial(_encoded, reader, packing), order, workers=workers, waiting=workers)
    samples = _readable((future.result() for future in ahead), unreadable)
    shards: list[Shard] = []
    for first in samples:
        path = folder / f"shard-{len(shards):06d}.tar"
        shards.append(_write_shard(path, chain([first], samples), packing.samples_per_shard))
    if not shards:
        reason = unreadable[0] if unreadable else "it is empty"
        raise DatasetError(f"no sample of {reader.name} can be read: {reason}")
    index = ShardIndex(reader.name, tuple(shards), tuple(unreadable))
    with atomic_file(folder / INDEX_NAME) as file:
        file.write(json.dumps({"version": INDEX_VERSION, **asdict(index)}).encode())
    return index


def _clear(folder: Path, *, overwrite: bool) -> None:
    if (folder / INDEX_NAME).exists() and not overwrite:
        raise OutputError(f"{folder} holds shards already: choose another folder, or allow overwriting")
    # The index first: what is left without one is no set.
    for path in [folder / INDEX_NAME, *sorted(folder.glob(SHARD_PATTERN))]:
        path.unlink(missing_ok=True)


def _encoded(reader: Reader, packing: Packing, index: int) -> tuple[str, Members] | str:
    """A sample's key and members, or what is wrong with it."""
    try:
        sample = read_sample(reader, index)
        with net(f"{sample.name} can't be packed", DatasetError):
            return f"{index:08d}", encode_sample(sample, packing)
    except (DatasetError, ImageError) as error:
        return f"{reader.name}[{index}]: {error}"


def _readable(encoded: Iterable[tuple[str, Members] | str], unreadable: list[str]) -> Iterator[tuple[str, Members]]:
    for found in encoded:
        if isinstance(found, str):
            unreadable.append(found)
        else:
            yield found


def _write_shard(path: Path, samples: Iterator[tuple[str, Members]], most: int) -> Shard:
    sha256, offsets, written = hashlib.sha256(), [0], 0

    with atomic_file(path, overwrite=True) as file:

        def write(data: bytes) -> None:
            nonlocal written
            file.write(data)
            sha256.update(data)
            written += len(data)

        for key, members in samples:
            for suffix, content in members.items():
                header = tarfile.TarInfo(f"{key}.{suffix}")  # no time, no owner: they'd differ from run to run
                header.size = len(content)
                write(header.tobuf(tarfile.USTAR_FORMAT))
                write(content + bytes(-len(content) % _BLOCK_BYTES))
            offsets.append(written)
            if len(offsets) > most:
                break
        write(bytes(2 * _BLOCK_BYTES))
        write(bytes(-written % tarfile.RECORDSIZE))
    return Shard(path.name, written, sha256.hexdigest(), tuple(offsets))


# ── reading ──────────────────────────────────────────────────────────────────


def read_index(folder: Path | Place) -> ShardIndex:
    """Read the index of a folder of shards, on this machine or in a store.

    Raises:
        DatasetError: it isn't there, or isn't as described.
    """
    path = folder / INDEX_NAME
    try:
        facts = json.loads(path.read_bytes() if isinstance(path, Path) else path.read())
        if facts["version"] != INDEX_VERSION:
            raise DatasetError(f"{path} is of version {facts['version']!r}, this package reads {INDEX_VERSION}")
        shards = tuple(
            Shard(str(one["file"]), int(one["bytes"]), str(one["sha256"]), tuple(map(int, one["offsets"])))
            for one in facts["shards"]
        )
        index = ShardIndex(str(facts["name"]), shards, tuple(facts["unreadable"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is no index of shards ({error!r}): pack the set again") from error
    return index


def verify(folder: Path) -> ShardIndex:
    """Read all shards and compare them with their hashes.

    Raises:
        DatasetError: one is missing or damaged.
    """
    index = read_index(folder)
    for shard in index.shards:
        sha256 = hashlib.sha256()
        try:
            with (folder / shard.file).open("rb") as file:
                for chunk in iter(partial(file.read, 1 << 20), b""):
                    sha256.update(chunk)
        except OSError as error:
            raise DatasetError(f"{folder / shard.file} can't be read: {error.strerror or error}") from error
        if sha256.hexdigest() != shard.sha256:
            raise DatasetError(f"{folder / shard.file} is damaged: copy or pack the set again")
    return index


def read_members(folder: Path | Place, shard: Shard, place: int) -> Members:
    """The members of one sample of a shard: suffix → bytes. Of a store, one request for the sample's bytes alone.

    Raises:
        DatasetError: they are damaged.
        StorageError: the store doesn't answer.
    """
    begin, end = shard.offsets[place], shard.offsets[place + 1]
    try:
        data = Place.of(str(folder / shard.file)).read_range(begin, end - begin)
    except EOFError as error:
        raise DatasetError(f"{error}: copy or pack the set again") from error
    members, at = Members(), 0
    try:
        while at < len(data):
            header = tarfile.TarInfo.frombuf(data[at : at + _BLOCK_BYTES], "utf-8", "strict")
            at += _BLOCK_BYTES
            members[header.name.partition(".")[2]] = data[at : at + header.size]
            at += -(-header.size // _BLOCK_BYTES) * _BLOCK_BYTES
    except (tarfile.TarError, UnicodeDecodeError) as error:
        raise DatasetError(f"{folder / shard.file} is damaged at byte {begin + at}: {error}") from error
    return members


class ShardCache:
    """Shards of a store, kept in a folder of this machine; processes that share it fetch each shard once.

    Args:
        source: where they are from.
        folder: where they are kept; it may grow as large as the set.
    """

    def __init__(self, source: Place, folder: Path) -> None:
        self.source = source
        self.folder = folder

    def folder_of(self, shard: Shard) -> Path:
        """The folder, once the shard is in it.

        Raises:
            StorageError: it can't be fetched.
            DatasetError: what was fetched is another file.
        """
        path = self.folder / shard.file
        if _size(path) != shard.bytes:
            from filelock import FileLock

            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / f"{shard.file}.lock"):
                if _size(path) != shard.bytes:
                    self._fetch(shard, path)
        return self.folder

    def _fetch(self, shard: Shard, path: Path) -> None:
        with (self.source / shard.file).local_copy() as copy:
            if sha256_of(copy) != shard.sha256:
                raise DatasetError(f"{self.source / shard.file} is damaged: copy or pack the set again")
            with atomic_file(path, overwrite=True) as file, copy.open("rb") as whole:
                shutil.copyfileobj(whole, file)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
