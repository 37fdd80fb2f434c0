"""Which depth map goes with which picture, in the folders that people have."""

from __future__ import annotations

from pathlib import Path

import pytest

from midas.datasets.layouts import find_pairs
from midas.errors import DatasetError

LAYOUTS = {
    "rgb and depth": ("rgb/{n}.jpg", "depth/{n}.png"),
    "images and disparity": ("images/{n}.png", "disparity/{n}.npy"),
    "scenes above": ("kitchen/rgb/{n}.png", "kitchen/depth/{n}.exr"),
    "scenes below": ("color/kitchen/{n}.jpeg", "gt/kitchen/{n}.tiff"),
    "one name": ("kitchen/{n}.jpg", "kitchen/{n}.png"),
    "numbers only": ("{n}.png", "{n}.npy"),
    "suffix": ("{n}.png", "{n}_depth.png"),
    "prefixes, as in NYU": ("kitchen/rgb_{n}.jpg", "kitchen/sync_depth_{n}.png"),
    "dots, as in 7-Scenes": ("seq-01/frame-{n}.color.png", "seq-01/frame-{n}.depth.png"),
    "words in a scene's name": ("photo_studio/{n}.jpg", "photo_studio/{n}.png"),
}


@pytest.mark.parametrize("names", LAYOUTS.values(), ids=LAYOUTS)
def test_each_picture_finds_its_depth_map(tmp_path: Path, names: tuple[str, str]) -> None:
    for number in range(3):
        for name in names:
            path = tmp_path / name.format(n=f"{number:03d}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    found = find_pairs(tmp_path)
    expected = [tuple(str(tmp_path / name.format(n=f"{number:03d}")) for name in names) for number in range(3)]
    assert [(str(pair.picture), str(pair.depth)) for pair in found.pairs] == expected
    assert not found.unpaired
    assert len({pair.scene for pair in found.pairs}) == 1


def test_files_without_a_partner_are_named(tmp_path: Path) -> None:
    for name in ("rgb/1.jpg", "rgb/2.jpg", "depth/1.png", "depth/3.png", "mask/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_pairs(tmp_path)
    assert [pair.name for pair in found.pairs] == ["1"]
    assert [path.name for path in found.unpaired] == ["3.png", "2.jpg"]


def test_lists_of_moments_pair_what_was_taken_at_the_same_time(tmp_path: Path) -> None:
    for name, moments in (("rgb", (1.0, 2.0, 3.0)), ("depth", (1.01, 2.5, 3.015))):
        (tmp_path / name).mkdir()
        lines = [f"{moment:.3f} {name}/{moment:.3f}.png" for moment in moments]
        (tmp_path / f"{name}.txt").write_text("# moments\n" + "\n".join(lines), encoding="utf-8")
    found = find_pairs(tmp_path)
    assert [(pair.picture.name, pair.depth.name) for pair in found.pairs] == [
        ("1.000.png", "1.010.png"), ("3.000.png", "3.015.png"),
    ]  # fmt: skip
    assert found.steps_per_metre == 5000


def test_a_folder_without_pairs_says_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(DatasetError, match=r"(?s)a\.jpg.*rgb/NAME\.jpg and depth/NAME\.png"):
        find_pairs(tmp_path)
