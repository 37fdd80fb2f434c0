"""One sample of a set that can't be read is an error of that sample, whatever its reader raises."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.inspect import inspect_set
from midas.datasets.memory import InMemory
from midas.datasets.mixture import Augmentation, EpochPlan, Source, TrainingMixture
from midas.datasets.reader import read_sample, samples
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import Sample
from midas.datasets.shard_members import Packing
from midas.datasets.shards import pack
from midas.datasets.transforms import PhotometricJitter
from midas.errors import DatasetError, MissingExtraError
from midas.models.zoo import find_model

FOREIGN = [
    cv2.error("OpenCV(5.0) bomb\nmore"),
    MemoryError(),
    RecursionError(),
    UnicodeDecodeError("utf-8", b"", 0, 1, ""),
]


@dataclass
class Raising:
    """A set of four samples, of which the second raises."""

    error: Exception
    name: str = "raising"

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        if index == 1:
            raise self.error
        rng = np.random.default_rng(index)
        image = rng.integers(0, 256, (32, 48, 3), np.uint8)
        return Sample.from_depth(image, rng.uniform(1, 9, (32, 48)).astype(np.float32), name=f"raising/a/{index}")


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
def test_whatever_a_reader_raises_names_the_sample(error: Exception) -> None:
    with pytest.raises(DatasetError, match=r"raising\[1\] can't be read") as caught:
        read_sample(Raising(error), 1)
    assert "\n" not in str(caught.value)
    with pytest.raises(DatasetError):
        list(samples(Raising(error)))


def test_a_missing_package_is_no_fault_of_the_sample() -> None:
    with pytest.raises(MissingExtraError):
        read_sample(Raising(MissingExtraError("HDF5", "lab")), 1)


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
def test_what_goes_through_a_set_goes_on(error: Exception, tmp_path: Path) -> None:
    reader = Raising(error)
    assert len(InMemory(reader)) == 4
    assert len(inspect_set(reader, range(4), shown=1).statistics.unreadable) == 1
    assert pack(reader, tmp_path / "shards", Packing()).count == 3
    colours = PhotometricJitter()
    mixture = TrainingMixture(
        [Source(reader, 1.0)],
        Augmentation(((32, 32),), 0.7, colours),
        find_model("midas_nano_256").input,
        EpochPlan(24, 8),
        seed=0,
        epoch=0,
    )
    unreadable = [name for index in range(24) for name in mixture[index].unreadable]
    assert unreadable
    assert all(name.startswith("raising[1]: ") for name in unreadable)


def test_a_picture_that_declares_more_than_any_memory_holds_is_an_error_of_its_sample(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set") or tmp_path / "set"
    dataset = CorpusDataset(root)
    path = dataset.pictures[0].with_suffix(".png")
    header = struct.pack(">IIBBBBB", 65535, 65535, 16, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )
    with pytest.raises(DatasetError):
        read_sample(dataset, 0)
    read_sample(dataset, 1)
