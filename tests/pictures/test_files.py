"""Which pictures paths mean."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("Trip [2019]/*.jpg", ["Trip [2019]/1.jpg", "Trip [2019]/2.jpg"]),
        ("Trip [2019]/[1].jpg", ["Trip [2019]/1.jpg"]),
        ("Trip [2019]/**/*.jpg", ["Trip [2019]/1.jpg", "Trip [2019]/2.jpg", "Trip [2019]/more/3.jpg"]),
        ("*/IMG[1]*.jpg", ["a/IMG1.jpg", "a/IMG[1] copy.jpg"]),
        ("**/[13].jpg", ["Trip [2019]/1.jpg", "Trip [2019]/more/3.jpg"]),
        ("Trip */**", ["Trip [2019]/1.jpg", "Trip [2019]/2.jpg", "Trip [2019]/more/3.jpg"]),
        ("**/more", ["Trip [2019]/more/3.jpg"]),
    ],
)
def test_brackets_mean_a_choice_or_themselves(pattern: str, names: list[str], here: Path) -> None:
    touch("Trip [2019]/1.jpg", "Trip [2019]/2.jpg", "Trip [2019]/more/3.jpg", "a/IMG1.jpg", "a/IMG[1] copy.jpg")
    assert found(pattern) == names
    assert sorted(found(pattern, recursive=True)) == names


# ── what a search would pass over ────────────────────────────────────────────────


@pytest.mark.parametrize("paths", [("a",), ("a/**/*.jpg",)])
def test_linked_folders_are_searched_each_once(paths: tuple[str, ...], here: Path) -> None:
    touch("a/1.jpg", "a/c/2.jpg", "elsewhere/3.jpg")
    for link, target in (("a/b", "a/c"), ("a/d", "elsewhere"), ("a/c/loop", "a"), ("a/e", "elsewhere"), ("a/x", "a/x")):
        Path(link).symlink_to(here / target)
    assert sorted(found(*paths, recursive=True)) == ["a/1.jpg", "a/c/2.jpg", "a/d/3.jpg"]
    assert not find_pictures(paths, OUT, recursive=True).problems


def test_a_link_to_a_folder_around_the_searched_one_is_a_problem(here: Path) -> None:
    touch("a/b/1.jpg", "a/2.jpg")
    Path("a/b/up").symlink_to(here / "a")
    result = find_pictures(["a/b"], OUT, recursive=True)
    assert [picture.path for picture in result.pictures] == [Path("a/b/1.jpg")]
    assert "leads back" in str(result.problems[str(Path("a/b/up"))])


@pytest.mark.parametrize("path", ["a", "a/**/*.jpg"])
def test_a_folder_that_cant_be_searched_is_a_problem_and_the_others_are_searched(
    path: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch("a/1.jpg", "a/locked/2.jpg", "a/open/3.jpg")
    listed = os.scandir

    def scandir(folder: Path) -> object:
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    result = find_pictures([path], OUT, recursive=True)
    assert [picture.path.name for picture in result.pictures] == ["1.jpg", "3.jpg"]
    assert "can't be searched (Permission denied)" in str(result.problems[str(Path("a/locked"))])


def test_pictures_whose_decoder_is_missing_are_found_so_that_they_are_named(here: Path) -> None:
    touch("a/1.heic", "a/2.HEIF", "a/3.avif", "a/4.txt")
    assert found("a") == ["a/1.heic", "a/2.HEIF", "a/3.avif"]


def test_the_output_folder_is_not_searched(here: Path) -> None:
    touch("1.jpg", "depth/1.png", "depth/sub/2.png", "other/3.png")
    assert found(".", recursive=True) == ["1.jpg", "other/3.png"]
    assert found("**/*.png") == ["other/3.png"]


def test_a_folder_is_never_read_and_written_to_at_once(here: Path) -> None:
    touch("depth/1.jpg")
    with pytest.raises(ConfigError, match="another output folder"):
        find_pictures(["depth/../depth/"], OUT)
