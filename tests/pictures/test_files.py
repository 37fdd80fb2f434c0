"""Which pictures paths mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.empty_files import touch

from midas.errors import ConfigError
from midas.pictures.files import find_pictures

OUT = Path("depth")


def found(*paths: str, recursive: bool = False) -> list[str]:
    return [picture.path.as_posix() for picture in find_pictures(paths, OUT, recursive=recursive).pictures]


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
