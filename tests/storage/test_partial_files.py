"""Files that arrive piece by piece."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from midas.storage.partial_files import PartialFile, sha256_of


def test_what_was_received_is_taken_up_with_its_hash(tmp_path: Path) -> None:
    for piece, size in ((b"abc", 0), (b"def", 3)):
        part = PartialFile(tmp_path / "a.part", "u", verified=False)
        assert (part.size, part.version, part.total) == ((size, "v", 6) if size else (0, "", None))
        if not size:
            part.restart("v", 6)
        part.append(piece)
        part.close()
    assert part.sha256.hexdigest() == hashlib.sha256(b"abcdef").hexdigest() == sha256_of(tmp_path / "a.part")


@pytest.mark.parametrize("record", ["", "[]", '{"url": "u"}', '{"url": "u", "version": "v", "total": "many"}'])
def test_a_damaged_record_means_a_fresh_beginning(record: str, tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(b"abc")
    (tmp_path / "a.part.json").write_text(record)
    part = PartialFile(tmp_path / "a.part", "u", verified=False)
    part.close()
    assert (part.size, part.version, part.total) == (0, "", None)


def test_a_finished_file_leaves_neither_part_nor_record(tmp_path: Path) -> None:
    part = PartialFile(tmp_path / "a.part", "u", verified=False)
    part.restart("v", 3)
    part.append(b"abc")
    part.finish(tmp_path / "a")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"abc")]
