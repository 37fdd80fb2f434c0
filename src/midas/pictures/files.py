"""Which pictures a list of paths means."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from midas.errors import ConfigError, ImageError
from midas.pictures.reading import IMAGE_SUFFIXES, is_image_path


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
        problems: the paths that mean no picture at all, and why.
    """

    pictures: tuple[PictureFile, ...]
    problems: Mapping[str, ImageError]


def find_pictures(paths: Iterable[str], output_dir: Path, *, recursive: bool = False) -> FoundPictures:
    """Expand files, folders and patterns into pictures.

    A file is taken as it is, even if it is missing, so that reading it tells what is wrong. A folder or a pattern
    (``*``, ``?``, ``[...]``, ``**``) gives its files with the suffix of a picture, sorted, but for hidden ones and
    those in the output folder.

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
        found = list(_expand(path, output_dir, recursive))
        if not found:
            problems[path] = _no_pictures(path, recursive)
        for picture in found:
            pictures.setdefault(absolute_path(picture.path), picture)
    return FoundPictures(tuple(pictures.values()), problems)


def absolute_path(path: Path) -> Path:
    """Give the path from the root on, without dots; links keep their places."""
    # Not Path.resolve, which would follow a link out of the folder that the picture was found in.
    return Path(os.path.normpath(path.absolute()))


def _expand(text: str, output_dir: Path, recursive: bool) -> Iterator[PictureFile]:
    path = Path(text)
    if path.is_dir():
        yield from _in_folder(path, output_dir, recursive)
    elif path.exists() or not glob.has_magic(text):
        yield PictureFile(path, path.parent)
    else:
        root = _plain_part(path)
        # Path.glob takes hidden files too, and ** means one thing or another by the version of Python.
        for match in sorted(map(Path, glob.glob(text, recursive=True))):  # noqa: PTH207
            if match.is_dir():
                yield from (PictureFile(found.path, root) for found in _in_folder(match, output_dir, recursive))
            elif is_image_path(match) and not _is_below(match, output_dir):
                yield PictureFile(match, root)


def _in_folder(folder: Path, output_dir: Path, recursive: bool) -> Iterator[PictureFile]:
    if os.path.realpath(folder) == os.path.realpath(output_dir):
        raise ConfigError(f"{folder} is to be read and written to at once; choose another output folder")
    for parent, folder_names, file_names in os.walk(folder):
        kept = [name for name in folder_names if recursive and not name.startswith(".")]
        folder_names[:] = sorted(name for name in kept if not _is_below(Path(parent, name), output_dir))
        yield from (PictureFile(Path(parent, name), folder) for name in sorted(file_names) if is_image_path(name))


def _is_below(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _plain_part(pattern: Path) -> Path:
    """The folder before the first part that is a pattern."""
    return next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))


def _no_pictures(path: str, recursive: bool) -> ImageError:
    if Path(path).is_dir():
        hint = "" if recursive else "; a recursive search looks into its folders too"
        return ImageError(f"{path} holds no pictures (*{', *'.join(sorted(IMAGE_SUFFIXES))}){hint}")
    return ImageError(f"{path} matches no pictures; check the pattern")
