"""Which files the depth maps of pictures go to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from midas.maps.formats import FORMATS, format_by_name, output_path
from midas.pictures.files import PictureFile, absolute_path


@dataclass(frozen=True)
class PictureJob:
    """A picture and the files that its depth map goes to.

    Attributes:
        source: the picture.
        outputs: format name → file.
    """

    source: Path
    outputs: Mapping[str, Path]


def plan_outputs(
    pictures: Sequence[PictureFile],
    output_dir: Path,
    formats: Sequence[str],
    path_of: Callable[[Path, str, str], Path] = output_path,
) -> list[PictureJob]:
    """Give each picture output files of its own.

    They lie as the pictures do below the folder that all pictures share, and carry their names. Pictures that differ
    only in their suffix keep it: ``photo.jpg`` and ``photo.png`` give ``photo.jpg.png`` and ``photo.png.png``. No
    output is ever one of the pictures.

    Args:
        pictures: what ``find_pictures`` gave.
        output_dir: the folder of the outputs.
        formats: names of formats, each once.
        path_of: (folder, stem, format's name) → path of a file.

    Raises:
        OutputError: an unknown format.
    """
    places = _places(pictures)
    sharing = Counter(_key(place.with_suffix("")) for place in places)
    taken = {_key(absolute_path(picture.path)) for picture in pictures}
    jobs = []
    for picture, place in zip(pictures, places, strict=True):
        for stem in _stems(place, alone=sharing[_key(place.with_suffix(""))] == 1):
            outputs = {name: path_of(output_dir / place.parent, stem, name) for name in formats}
            keys = {_key(absolute_path(path)) for path in outputs.values()}
            if not keys & taken:
                break
        taken |= keys
        jobs.append(PictureJob(picture.path, outputs))
    return jobs


def usual_format(output: Path | None, *, metric: bool) -> str:
    """The format that is written where none is named: that of the output's suffix, or a PNG of 16 bits.

    Args:
        output: a file or a folder.
        metric: depth in metres is written, which a PNG holds in millimetres.
    """
    named = None if output is None or output.is_dir() else output.suffix.lower()
    suffixes = {chosen.suffix: chosen.name for chosen in reversed(FORMATS.values())} | {".tif": "tiff"}
    return "png-mm" if metric and named in (None, "", ".png") else suffixes.get(named or "", "png16")


def is_one_file(output: Path, pictures: int, formats: Sequence[str]) -> bool:
    """Whether an output is the file of one picture, and no folder: its suffix is that of the one format.

    Args:
        output: as it was named.
        pictures: how many there are.
        formats: names of formats.
    """
    if pictures != 1 or len(formats) != 1 or output.is_dir():
        return False
    return output.suffix.lower() in (format_by_name(formats[0]).suffix, "." + formats[0])


def _places(pictures: Sequence[PictureFile]) -> list[Path]:
    """Each picture's path below the folder that all roots share."""
    roots = {absolute_path(picture.root) for picture in pictures}
    absolute = [absolute_path(picture.path) for picture in pictures]
    try:
        shared = os.path.commonpath(roots)
    except ValueError:  # No roots at all, or roots on several drives.
        return [path.relative_to(path.anchor) for path in absolute]
    return [path.relative_to(shared) for path in absolute]


def _stems(place: Path, *, alone: bool) -> Iterator[str]:
    """Names for the outputs of a picture, the best first."""
    if alone:
        yield place.stem
    yield place.name
    yield from (f"{place.name}-{number}" for number in count(2))


def _key(path: Path) -> str:
    # Some file systems take names that differ in case for the same.
    return str(path).casefold()
