"""Which pictures paths mean, and that no output ever meets another, or a picture."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midas.errors import ConfigError, OutputError
from midas.picture_files import PictureFile, find_pictures, plan_outputs
from midas.writers import FORMATS

OUT = Path("depth")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def found(*paths: str, recursive: bool = False) -> list[str]:
    return [picture.path.as_posix() for picture in find_pictures(paths, OUT, recursive=recursive).pictures]


def planned(*paths: str, formats: tuple[str, ...] = ("png16",), output_dir: Path = OUT) -> list[str]:
    pictures = find_pictures(paths, output_dir, recursive=True).pictures
    return [path.as_posix() for job in plan_outputs(pictures, output_dir, formats) for path in job.outputs.values()]


# ── finding ─────────────────────────────────────────────────────────────────


def test_a_folder_gives_its_pictures_sorted(here: Path) -> None:
    touch("a/2.png", "a/1.jpg", "a/notes.txt", "a/.hidden.jpg", "a/10.JPG")
    assert found("a") == ["a/1.jpg", "a/10.JPG", "a/2.png"]


def test_the_folders_of_a_folder_are_searched_on_request(here: Path) -> None:
    touch("a/1.jpg", "a/b/c/2.jpg", "a/.thumbnails/3.jpg")
    assert found("a") == ["a/1.jpg"]
    assert found("a", recursive=True) == ["a/1.jpg", "a/b/c/2.jpg"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a/*.jpg", ["a/1.jpg", "a/2.jpg"]),
        ("a/[2-9].*", ["a/2.jpg", "a/3.png"]),
        ("*/?.png", ["a/3.png"]),
        ("a*", ["a/1.jpg", "a/2.jpg", "a/3.png"]),
        ("**/*.jpg", ["a/1.jpg", "a/2.jpg", "a/b/4.jpg"]),
    ],
)
def test_a_pattern_gives_the_pictures_that_match(pattern: str, names: list[str], here: Path) -> None:
    touch("a/1.jpg", "a/2.jpg", "a/3.png", "a/b/4.jpg", "a/1.txt")
    assert found(pattern) == names


def test_a_file_named_like_a_pattern_is_that_file(here: Path) -> None:
    touch("[1].jpg", "1.jpg")
    assert found("[1].jpg") == ["[1].jpg"]


def test_a_file_is_taken_as_it_is_missing_or_strange(here: Path) -> None:
    touch("notes.txt")
    assert found("missing.jpg", "notes.txt") == ["missing.jpg", "notes.txt"]


def test_a_picture_named_twice_is_found_once(here: Path) -> None:
    touch("a/1.jpg", "a/2.jpg")
    assert found("a/2.jpg", "a", "a/../a/*.jpg", str(here / "a" / "1.jpg")) == ["a/2.jpg", "a/1.jpg"]


@pytest.mark.parametrize("path", ["empty", "a/*.tif"])
def test_a_path_that_means_no_picture_is_a_problem_of_its_own(path: str, here: Path) -> None:
    touch("a/1.jpg")
    Path("empty").mkdir()
    result = find_pictures([path, "a"], OUT)
    assert [picture.path for picture in result.pictures] == [Path("a/1.jpg")]
    assert list(result.problems) == [path]


def test_the_output_folder_is_not_searched(here: Path) -> None:
    touch("1.jpg", "depth/1.png", "depth/sub/2.png", "other/3.png")
    assert found(".", recursive=True) == ["1.jpg", "other/3.png"]
    assert found("**/*.png") == ["other/3.png"]


def test_a_folder_is_never_read_and_written_to_at_once(here: Path) -> None:
    touch("depth/1.jpg")
    with pytest.raises(ConfigError, match="another output folder"):
        find_pictures(["depth/../depth/"], OUT)


# ── naming ──────────────────────────────────────────────────────────────────


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
