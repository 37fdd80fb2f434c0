"""No output ever meets another, or a picture."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.empty_files import touch

from midas.errors import OutputError
from midas.maps.formats import FORMATS
from midas.maps.names import plan_outputs
from midas.pictures.files import PictureFile, find_pictures

OUT = Path("depth")


def planned(*paths: str, formats: tuple[str, ...] = ("png16",), output_dir: Path = OUT) -> list[str]:
    pictures = find_pictures(paths, output_dir, recursive=True).pictures
    return [path.as_posix() for job in plan_outputs(pictures, output_dir, formats) for path in job.outputs.values()]


def test_outputs_lie_as_the_pictures_do_below_their_folder(here: Path) -> None:
    touch("a/1.jpg", "a/b/1.jpg")
    assert planned("a") == ["depth/1.png", "depth/b/1.png"]


def test_outputs_of_several_folders_lie_below_what_they_share(here: Path) -> None:
    touch("x/a/1.jpg", "x/b/c/1.jpg")
    assert planned("x/a", "x/b/c/1.jpg") == ["depth/a/1.png", "depth/b/c/1.png"]
    assert planned("x/*/1.jpg", "x/**/1.jpg") == ["depth/a/1.png", "depth/b/c/1.png"]


def test_a_path_with_dots_does_not_lead_out_of_the_output_folder(here: Path) -> None:
    touch("a/1.jpg", "b/2.jpg")
    assert planned("a/../b/2.jpg", "b/../a/1.jpg") == ["depth/b/2.png", "depth/a/1.png"]


def test_pictures_that_differ_in_their_suffix_keep_it(here: Path) -> None:
    touch("a/photo.jpg", "a/photo.png", "a/other.v2.jpg")
    assert planned("a") == ["depth/other.v2.png", "depth/photo.jpg.png", "depth/photo.png.png"]


def test_a_picture_is_not_overwritten_by_its_own_map(here: Path) -> None:
    touch("photo.png")
    assert planned("photo.png", output_dir=Path()) == ["photo.png.png"]


def test_an_output_is_not_taken_for_that_of_another_format(here: Path) -> None:
    touch("a/photo.jpg", "a/photo_color.jpg")
    outputs = planned("a", formats=("png16", "color"))
    assert len({path.casefold() for path in outputs}) == len(outputs) == 4


def test_a_link_to_a_folder_keeps_its_own_place(here: Path) -> None:
    touch("elsewhere/deep/1.jpg")
    Path("link").symlink_to(here / "elsewhere" / "deep", target_is_directory=True)
    assert planned("link") == ["depth/1.png"]


def test_an_unknown_format_is_refused(here: Path) -> None:
    touch("1.jpg")
    with pytest.raises(OutputError, match="pgm"):
        planned("1.jpg", formats=("pgm",))


file_names = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "a/", "b/", "a/b/", "../"]),
        st.sampled_from(["p", "P", "p.jpg", "p_color", "p.png", "p-2"]),
        st.sampled_from([".jpg", ".JPG", ".png", "_color.png", ".npy"]),
    ),
)


def lower_case(path: str | Path) -> str:
    return os.path.normpath(Path(path).absolute()).casefold()


@given(
    names=st.lists(file_names, unique=True, min_size=1),
    formats=st.lists(st.sampled_from(sorted(FORMATS)), unique=True, min_size=1),
    output_dir=st.sampled_from(["depth", ".", "a"]),
)
def test_no_output_meets_another_or_a_picture(names: list[str], formats: list[str], output_dir: str) -> None:
    pictures = [PictureFile(Path(name), Path(name).parent) for name in names]
    jobs = plan_outputs(pictures, Path(output_dir), formats)
    outputs = [lower_case(path) for job in jobs for path in job.outputs.values()]
    assert len(set(outputs)) == len(outputs) == len(names) * len(formats)
    assert not set(outputs) & set(map(lower_case, names))
