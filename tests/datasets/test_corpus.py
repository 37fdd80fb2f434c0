"""The corpus format, on a miniature and, where it is at hand, on the real thing."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.readers.corpus import CorpusDataset
from midas.errors import DatasetError


def test_depth_is_read_as_inverse_depth_in_1_per_metre(tmp_path: Path) -> None:
    sample = CorpusDataset(write_miniature(tmp_path / "set"))[0]
    assert sample.metric
    assert sample.disparity[20, 50] == pytest.approx(1 / 6.0, rel=1e-3)
    assert sample.disparity[71].max() == pytest.approx(1 / 1.5, rel=1e-3)


def test_stereo_disparity_is_kept_as_it_is(tmp_path: Path) -> None:
    sample = CorpusDataset(write_miniature(tmp_path / "set", depth_kind="disparity"))[0]
    assert not sample.metric
    assert sample.disparity[20, 50] == pytest.approx(6.0)


def test_a_stored_zero_is_invalid(tmp_path: Path) -> None:
    sample = CorpusDataset(write_miniature(tmp_path / "set"))[0]
    assert not sample.mask[:8, :8].any()
    assert sample.mask[8:].all()
    assert (sample.disparity[~sample.mask] == 0).all()


def test_pictures_are_rgb(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set")
    cv2.imwrite(str(root / "a" / "000.jpg"), np.full((72, 96, 3), (0, 0, 255), np.uint8))
    assert CorpusDataset(root)[0].image[40, 40, 0] > 240


def test_scenes_chosen_and_excluded_share_no_picture(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set", scenes=("a", "b", "c"))
    chosen, rest = CorpusDataset(root, scenes=("b",)), CorpusDataset(root, excluded=("b",))
    assert len(chosen) == 3
    assert not set(chosen.pictures) & set(rest.pictures)
    assert len(chosen) + len(rest) == len(CorpusDataset(root))


def test_an_unknown_scene_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no scene 'z'"):
        CorpusDataset(write_miniature(tmp_path / "set"), scenes=("z",))


def test_a_folder_without_its_description_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"dataset\.json doesn't exist"):
        CorpusDataset(tmp_path)


@pytest.mark.parametrize("change", [{"depth_kind": "metres"}, {"depth_scale": "wide"}])
def test_a_wrong_description_is_an_error(tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(DatasetError):
        CorpusDataset(write_miniature(tmp_path / "set", **change))


def test_a_missing_field_is_an_error(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set")
    (root / "dataset.json").write_text(json.dumps({"name": "set"}), encoding="utf-8")
    with pytest.raises(DatasetError, match="depth_kind"):
        CorpusDataset(root)


def test_a_damaged_target_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set")
    (root / "a" / "001.png").write_bytes(b"damaged")
    with pytest.raises(DatasetError, match=r"001\.png is damaged"):
        CorpusDataset(root)[1]


def test_a_target_of_another_size_is_an_error(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set")
    cv2.imwrite(str(root / "a" / "001.png"), np.ones((10, 10), np.uint16))
    with pytest.raises(DatasetError, match="picture's size"):
        CorpusDataset(root)[1]


def test_every_set_of_the_real_corpus_opens_and_its_first_target_is_sane(shared_dir: Path) -> None:
    for description in sorted((shared_dir / "corpus").glob("*/dataset.json")):
        dataset = CorpusDataset(description.parent)
        sample = dataset[0]
        assert sample.mask.any(), dataset.info.name
        assert np.isfinite(sample.disparity).all(), dataset.info.name
        assert dataset.info.split in ("train", "eval")
