"""Which files the depth maps of pictures go to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from midas.errors import ConfigError, OutputError
from midas.maps.formats import FORMATS, canonical_suffix, format_by_name, output_path
from midas.pictures.files import PictureFile, absolute_path
from midas.pictures.formats import is_image_path


@dataclass(frozen=True)
class PictureJob:
    """A picture and the files that its depth map goes to.

    Attributes:
        source: the picture.
        outputs: format name → file.
        metric_outputs: the same for metres, where they are written beside relative values.
    """

    source: Path
    outputs: Mapping[str, Path]
    metric_outputs: Mapping[str, Path] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return (*self.outputs.values(), *self.metric_outputs.values())


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


def with_metres_beside(pictures: Sequence[PictureFile], output_dir: Path, formats: Sequence[str]) -> list[PictureJob]:
    """``plan_outputs`` with a second file for each format that holds values: ``photo_metres.npy`` beside ``photo.npy``.

    A PNG of 16 bits holds metres as millimetres; pictures for the eye are drawn of the relative values alone.

    Raises:
        OutputError: an unknown format, or none that holds values.
    """
    relative = list(dict.fromkeys("png16" if name == "png-mm" else name for name in formats))
    metric = {_METRES + _METRIC_FORMAT.get(name, name): None for name in relative if format_by_name(name).read}
    if not metric:
        raise OutputError(f"{', '.join(formats)} hold no values, which metres beside them would need")
    jobs = plan_outputs(pictures, output_dir, [*relative, *metric], _path_beside)
    return [_split(job.source, job.outputs) for job in jobs]


def beside_one_file(source: Path, output: Path, format_name: str) -> PictureJob:
    """One picture's named file, and that of its metres, which carries ``_metres`` in its name."""
    relative = "png16" if format_name == "png-mm" else format_name
    metric = _METRIC_FORMAT.get(relative, relative)
    return PictureJob(source, {relative: output}, {metric: output.with_name(f"{output.stem}_metres{output.suffix}")})


_METRES = "metres/"
_METRIC_FORMAT = {"png16": "png-mm", "png8": "png-mm"}


def _path_beside(folder: Path, stem: str, name: str) -> Path:
    if not name.startswith(_METRES):
        return output_path(folder, stem, name)
    return folder / f"{stem}_metres{format_by_name(name.removeprefix(_METRES)).suffix}"


def _split(source: Path, outputs: Mapping[str, Path]) -> PictureJob:
    metric = {name.removeprefix(_METRES): path for name, path in outputs.items() if name.startswith(_METRES)}
    return PictureJob(source, {name: path for name, path in outputs.items() if not name.startswith(_METRES)}, metric)


def usual_format(output: Path | None, *, metric: bool) -> str:
    """The format that is written where none is named: that of the output's suffix, or a PNG of 16 bits.

    Args:
        output: a file or a folder.
        metric: depth in metres is written, which a PNG holds in millimetres.
    """
    named = None if output is None or output.is_dir() else canonical_suffix(output)
    suffixes = {chosen.suffix: chosen.name for chosen in reversed(FORMATS.values())}
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
    return canonical_suffix(output) in (format_by_name(formats[0]).suffix, "." + formats[0])


def check_output(output: Path, pictures: int, formats: Sequence[str]) -> None:
    """Make sure that an output that is called like a picture or a map can be that file, or is a folder already.

    Args:
        output: as it was named.
        pictures: how many there are.
        formats: names of formats.

    Raises:
        ConfigError: there are several files to write, or none of that suffix: a folder of that name is not what was
            meant.
    """
    suffixes = {chosen.suffix for chosen in FORMATS.values()}
    suffix = canonical_suffix(output)
    called_like_a_file = suffix in suffixes or is_image_path(output)
    if not called_like_a_file or not pictures or output.is_dir() or is_one_file(output, pictures, formats):
        return
    if pictures > 1 or len(formats) > 1:
        files = f"{pictures} pictures" if pictures > 1 else f"the formats {', '.join(formats)}"
        raise ConfigError(f"{output} is called like one file, and there are several for {files}; name a folder")
    wanted = format_by_name(formats[0]).suffix if suffix in suffixes else ", ".join(sorted(suffixes))
    raise ConfigError(f"{output} can't be written: maps are files that end in {wanted}; or name a folder")


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
