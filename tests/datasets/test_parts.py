"""A set in two parts that share nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.parts import chosen_scenes, split_by_scenes, split_by_share
from midas.datasets.readers.corpus import CorpusDataset
from midas.errors import DatasetError


def test_parts_share_no_sample_and_lose_none(tmp_path: Path) -> None:
    whole = CorpusDataset(write_miniature(tmp_path / "set"))
    for kept, held_out in (split_by_scenes(whole, ["b"]), split_by_share(whole, 0.3, seed=0)):
        assert sorted((*kept.indices, *held_out.indices)) == list(range(len(whole)))


def test_frames_of_a_share_are_in_a_row_and_the_seed_moves_them(tmp_path: Path) -> None:
    whole = CorpusDataset(write_miniature(tmp_path / "set", frames=20))
    parts = [split_by_share(whole, 0.2, seed)[1].indices for seed in range(5)]
    assert all(part == tuple(range(part[0], part[0] + 8)) for part in parts)
    assert len(set(parts)) > 1


def test_scenes_are_drawn_until_they_hold_the_share_but_never_all() -> None:
    scenes = [name for name in "abcdefghij" for _ in range(5)]
    chosen = chosen_scenes(scenes, 0.2, seed=0)
    assert len(chosen) == 2
    assert chosen_scenes(scenes, 0.2, seed=0) == chosen
    assert len(chosen_scenes(["a", "b"], 0.99, seed=0)) == 1


def test_unknown_scenes_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no scene 'c'"):
        split_by_scenes(CorpusDataset(write_miniature(tmp_path / "set")), ["c"])
