"""A set in two parts that share nothing: one to learn from, one to measure on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from midas.datasets.reader import Reader
from midas.datasets.sample import AnySample
from midas.errors import DatasetError


@runtime_checkable
class NamedFrames(Protocol):
    """A reader that tells the names of its frames without reading them."""

    @property
    def frame_names(self) -> Sequence[str]:
        """``scene/frame`` of each sample, or the frame alone."""


class Part:
    """Some samples of a set.

    Args:
        reader: the set.
        indices: of the samples.
    """

    def __init__(self, reader: Reader, indices: Sequence[int]) -> None:
        self.reader = reader
        self.indices = tuple(indices)

    @property
    def name(self) -> str:
        """The set's name."""
        return self.reader.name

    @property
    def frame_names(self) -> list[str]:
        """``scene/frame`` of each sample of this part.

        Raises:
            DatasetError: the set doesn't tell its frames' names.
        """
        names = names_of(self.reader)
        return [names[index] for index in self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> AnySample:
        """The sample at an index of this part.

        Raises:
            DatasetError: a file is missing or damaged.
            IndexError: there are fewer.
        """
        return self.reader[self.indices[index]]


def scenes_of(reader: Reader) -> list[str]:
    """The scene of each sample; empty where a frame lies in none.

    Raises:
        DatasetError: the reader doesn't tell its frames' names.
    """
    return [name.rpartition("/")[0] for name in names_of(reader)]


def names_of(reader: Reader) -> Sequence[str]:
    """The name of each frame.

    Raises:
        DatasetError: the reader doesn't tell its frames' names.
    """
    if not isinstance(reader, NamedFrames):
        raise DatasetError(f"the frames of {reader.name} have no names to tell scenes by")
    return reader.frame_names


def chosen_scenes(scenes: Sequence[str], share: float, seed: int) -> list[str]:
    """Scenes drawn at random until they hold a share of the frames, at least one and never all; sorted by name.

    Args:
        scenes: of each frame.
        share: of the frames.
        seed: of the draw.
    """
    names = sorted(set(scenes))
    order = np.random.default_rng(seed).permutation(len(names))
    chosen: list[str] = []
    for index in order[: max(len(names) - 1, 0)]:
        if chosen and sum(scene in chosen for scene in scenes) >= share * len(scenes):
            break
        chosen.append(names[index])
    return sorted(chosen)


def split_by_scenes(reader: Reader, held_out: Collection[str]) -> tuple[Part, Part]:
    """A set without some scenes, and these.

    Raises:
        DatasetError: a scene isn't there, or nothing is left of the set.
    """
    scenes = scenes_of(reader)
    unknown = sorted(set(held_out) - set(scenes))
    if unknown:
        known = ", ".join(sorted(set(scenes))[:8])
        raise DatasetError(f"{reader.name} has no scene {unknown[0]!r} with a frame in it; it has {known}")
    if set(scenes) <= set(held_out):
        raise DatasetError(f"{reader.name} holds no frame outside of {', '.join(sorted(held_out))}")
    return _parts(reader, [scene in held_out for scene in scenes])


def split_by_share(reader: Reader, share: float, seed: int) -> tuple[Part, Part]:
    """A set without a share of its frames, and these: frames in a row, from a place drawn at random.

    Frames in a row, since neighbours of a film are nearly the same picture: single ones drawn from among those that are
    trained on would measure memory.

    Raises:
        DatasetError: the set has fewer than two frames.
    """
    count = len(reader)
    held = min(max(1, round(share * count)), count - 1)
    first = int(np.random.default_rng(seed).integers(0, count - held + 1)) if count > 1 else 0
    return _parts(reader, [first <= index < first + held for index in range(count)])


def _parts(reader: Reader, held_out: Sequence[bool]) -> tuple[Part, Part]:
    kept = Part(reader, [index for index, held in enumerate(held_out) if not held])
    held = Part(reader, [index for index, held in enumerate(held_out) if held])
    if not len(kept) or not len(held):
        raise DatasetError(f"{reader.name} has {len(reader)} frames, too few to learn from some and measure on others")
    return kept, held
