"""What all readers share: the protocol, what a set's folder must look like, and the errors when it doesn't."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from midas.datasets.sample import AnySample
from midas.errors import ConfigError, DatasetError, net

Found = TypeVar("Found")


@runtime_checkable
class Reader(Protocol):
    """A set of pictures with targets. Any index may be read at any time, in threads and in processes."""

    @property
    def name(self) -> str:
        """The set's short name, the first part of every sample's."""

    def __len__(self) -> int:
        """Number of pictures."""

    def __getitem__(self, index: int) -> AnySample:
        """The sample at an index: for one set always the same kind.

        Raises:
            DatasetError: a file is missing or damaged.
            IndexError: there are fewer.
        """


@dataclass(frozen=True)
class Layout:
    """Where a set is from and what its folder must look like.

    Attributes:
        title: the set's name in prose.
        homepage: where it is to be had.
        licence: its terms in a few words; the homepage has the last one.
        tree: the folder, as text, one entry per line.
    """

    title: str
    homepage: str
    licence: str
    tree: str

    def folder(self, path: str | Path) -> Path:
        """The path, if it is a folder.

        Raises:
            DatasetError: it isn't; says where to get the set and how to lay it out.
        """
        if not Path(path).is_dir():
            raise self._missing(f"there is no folder {path} with {self.title}")
        return Path(path)

    def file(self, path: Path) -> Path:
        """The path, if it is a file that isn't empty.

        Raises:
            DatasetError: it isn't, so that the set is only half there.
        """
        if not path.is_file():
            raise self._missing(f"{path} is missing: {self.title} is only half there")
        if path.stat().st_size == 0:
            raise self._missing(f"{path} is empty: {self.title} is only half there")
        return path

    def some(self, found: Sequence[Found], what: str, root: Path) -> list[Found]:
        """What was found, if anything.

        Args:
            found: files or frames.
            what: what they are, as the message names them.
            root: where they were looked for.

        Raises:
            DatasetError: nothing was found.
        """
        if not found:
            raise self._missing(f"{root} holds no {what} of {self.title}")
        return list(found)

    def _missing(self, problem: str) -> DatasetError:
        return DatasetError(
            f"{problem}. Get it from {self.homepage} and lay it out like this:", below=self.tree.strip()
        )


def check_choice(option: str, value: str, choices: Sequence[str]) -> str:
    """A reader's option, if it is one of its choices.

    Raises:
        ConfigError: it is none of them.
    """
    if value not in choices:
        raise ConfigError(f"{option} {value!r} is none of {', '.join(choices)}")
    return value


def read_sample(reader: Reader, index: int) -> AnySample:
    """The sample of a set at an index, whatever its files hold.

    Raises:
        MidasError: it can't be read; a ``DatasetError`` for all that its reader didn't foresee.
    """
    with net(f"{reader.name}[{index}] can't be read", DatasetError, "download the set again"):
        return reader[index]


def samples(reader: Reader, limit: int | None = None) -> Iterator[AnySample]:
    """All samples of a set in order, or the first so many."""
    for index in range(len(reader) if limit is None else min(limit, len(reader))):
        yield read_sample(reader, index)
