"""Which pictures a list of paths means."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from midas.errors import ConfigError, ImageError, net
from midas.pictures.formats import IMAGE_SUFFIXES, is_image_path

_ANY_FOLDERS = "**"


@dataclass(frozen=True)
class PictureFile:
    """A picture that was asked for.

    Attributes:
        path: the file; whether it is a picture shows when it is read.
        root: the folder below which its place is kept among the outputs.
    """

    path: Path
    root: Path


@dataclass(frozen=True)
class FoundPictures:
    """What a list of paths means.

    Attributes:
        pictures: in the order of the paths, each file once.
        problems: the paths that mean no picture at all, and the folders that can't be searched, and why.
    """

    pictures: tuple[PictureFile, ...]
    problems: Mapping[str, ImageError]


def find_pictures(paths: Iterable[str], output_dir: Path, *, recursive: bool = False) -> FoundPictures:
    """Expand files, folders and patterns into pictures.

    A file is taken as it is, even if it is missing, so that reading it tells what is wrong. A folder or a pattern
    (``*``, ``?``, ``[...]``, ``**``) gives its files with the suffix of a picture, sorted, but for hidden ones and
    those in the output folder. Parts of a pattern that lie there under that very name mean themselves. Links to folders
    are followed, each folder once.

    Args:
        paths: what the user named.
        output_dir: the folder of the outputs.
        recursive: whether the folders inside a folder are searched too.

    Raises:
        ConfigError: the output folder is itself one of the folders to read, so that a second run would take the
            results of the first for pictures.
    """
    pictures: dict[Path, PictureFile] = {}
    problems: dict[str, ImageError] = {}
    for path in paths:
        search = _Search(output_dir)
        if "://" in path and not os.path.lexists(path):
            problems[path] = ImageError(f"{path} is an address, and pictures are read from files; download it first")
            continue
        try:
            with net(f"{path} can't be searched for pictures", ImageError):
                found = list(_expand(path, search, recursive))
        except ImageError as error:
            problems[path] = error
            continue
        problems.update(search.problems)
        if not found and not search.problems:
            problems[path] = _no_pictures(path, recursive)
        for picture in found:
            pictures.setdefault(absolute_path(picture.path), picture)
    return FoundPictures(tuple(pictures.values()), problems)


def absolute_path(path: Path) -> Path:
    """Give the path from the root on, without dots; links keep their places."""
    # Not Path.resolve, which would follow a link out of the folder that the picture was found in.
    return Path(os.path.normpath(path.absolute()))


@dataclass
class _Search:
    """The folders below one that was named.

    Attributes:
        output_dir: is left out.
        problems: the folders that couldn't be searched, and why.
    """

    output_dir: Path
    problems: dict[str, ImageError] = field(default_factory=dict)

    def entries(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """The folders and the files in a folder, sorted, without hidden ones."""
        try:
            with os.scandir(folder) as listed:
                found = sorted((entry.name, _is_folder(entry)) for entry in listed if not entry.name.startswith("."))
        except OSError as error:
            self.problems[str(folder)] = ImageError(
                f"{folder} can't be searched ({error.strerror}); check the permissions of the folder"
            )
            return [], []
        folders = [folder / name for name, is_folder in found if is_folder]
        return folders, [folder / name for name, is_folder in found if not is_folder]

    def below(self, start: Path) -> Iterator[tuple[Path, list[Path]]]:
        """A folder and all below it, each with its files; linked ones come last, so that each has its own place."""
        waiting: list[Path] = [start]
        links: list[Path] = []
        seen: set[str] = set()
        while waiting or links:
            folder = waiting.pop() if waiting else links.pop(0)
            place = os.path.realpath(folder)
            if place in seen or (folder != start and _is_below(folder, self.output_dir)):
                continue
            if folder != start and Path(os.path.realpath(start)).is_relative_to(place):
                self.problems[str(folder)] = ImageError(
                    f"{folder} leads back to a folder that {start} lies in, and is left out; name that folder instead"
                )
                continue
            seen.add(place)
            folders, files = self.entries(folder)
            yield folder, files
            links += [each for each in folders if each.is_symlink()]
            waiting += [each for each in reversed(folders) if not each.is_symlink()]


def _expand(text: str, search: _Search, recursive: bool) -> Iterator[PictureFile]:
    path = Path(text)
    if path.is_dir():
        yield from _in_folder(path, search, recursive)
    elif path.exists() or not glob.has_magic(text):
        yield PictureFile(path, path.parent)
    else:
        root, pattern = _split(path)
        for match in sorted(set(_matches(root, pattern, search))):
            if match.is_dir():
                yield from (PictureFile(found.path, root) for found in _in_folder(match, search, recursive))
            elif is_image_path(match) and not _is_below(match, search.output_dir):
                yield PictureFile(match, root)


def _in_folder(folder: Path, search: _Search, recursive: bool) -> Iterator[PictureFile]:
    if os.path.realpath(folder) == os.path.realpath(search.output_dir):
        raise ConfigError(f"{folder} is to be read and written to at once; choose another output folder")
    found = search.below(folder) if recursive else [(folder, search.entries(folder)[1])]
    for _, files in found:
        yield from (PictureFile(path, folder) for path in files if is_image_path(path))


def _split(pattern: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder that the first parts of a pattern name as they stand, and the parts that are left."""
    parts, root = pattern.parts, Path(pattern.anchor)
    left = list(parts[1:] if pattern.anchor else parts)
    while len(left) > 1 and (not glob.has_magic(left[0]) or (root / left[0]).is_dir()):
        root /= left.pop(0)
    return root, tuple(left)


def _matches(root: Path, pattern: tuple[str, ...], search: _Search) -> Iterator[Path]:
    """The files and folders below a folder that a pattern means."""
    if _ANY_FOLDERS not in pattern:
        text = str(Path(*pattern))
        brackets_as_they_stand = glob.escape(text).replace("[*]", "*").replace("[?]", "?")
        for meant in {text, brackets_as_they_stand}:
            # Path.glob takes hidden files too.
            yield from (root / match for match in glob.glob(meant, root_dir=root))  # noqa: PTH207
        return
    for folder, files in search.below(root):
        for path in (folder, *files):
            if path != root and _fits(path.relative_to(root).parts, pattern):
                yield path


def _fits(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path's parts are what a pattern's parts say; ``**`` stands for any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == _ANY_FOLDERS:
        return any(_fits(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatch(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_below(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _no_pictures(path: str, recursive: bool) -> ImageError:
    if Path(path).is_dir():
        hint = "" if recursive else "; a recursive search looks into its folders too"
        return ImageError(f"{path} holds no pictures (*{', *'.join(sorted(IMAGE_SUFFIXES))}){hint}")
    return ImageError(f"{path} matches no pictures; check the pattern")
