"""The pictures in files that hold several: tars, Parquet files, films. Listed without reading the pictures."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from midas.errors import ImageError, net
from midas.pictures.formats import is_image_path
from midas.scale.entries import Kind
from midas.scale.picture_columns import name_column, picture_column
from midas.storage.addresses import Place

FILM_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts"})
COMPRESSED_TARS = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
NOT_A_TIME = float("nan")


class Member(NamedTuple):
    """One picture in a file; the fields are those of an ``Entry``."""

    offset: int
    size: int
    time_s: float
    name: str


class Inside(NamedTuple):
    """What a file holds: pictures, or the addresses of some."""

    kind: Kind
    members: list[Member]
    addresses: pa.Array | None = None


Lister = Callable[[Place, str | None], Inside]


def lister_for(address: str) -> Lister | None:
    """What lists the pictures in a file that holds several, by its suffix; None for all other files."""
    if address.lower().endswith(COMPRESSED_TARS):
        return _compressed
    suffix = Path(address).suffix.lower()
    return _film if suffix in FILM_SUFFIXES else _LISTERS.get(suffix)


def list_inside(lister: Lister, place: Place, column: str | None) -> Inside:
    """List a file.

    Raises:
        ImageError: it isn't there, or can't be listed.
        MidasError: something is missing that it takes.
    """
    with net(f"{place} can't be listed", ImageError, "expected a picture, a tar, a Parquet file or a film"):
        return lister(place, column)


def _tar(place: Place, column: str | None) -> Inside:
    with place.opened() as file, tarfile.open(fileobj=file, mode="r:") as tar:
        return Inside(
            "tar",
            [
                Member(member.offset_data, member.size, NOT_A_TIME, member.name)
                for member in tar
                if member.isreg() and is_image_path(member.name)
            ],
        )


def _compressed(place: Place, column: str | None) -> Inside:
    raise ImageError(f"{place} is compressed, so that no picture in it can be read by itself; unpack it to a .tar")


def _parquet(place: Place, column: str | None) -> Inside:
    with place.opened() as file:
        parquet = pq.ParquetFile(file)
        pictures = picture_column(parquet.schema_arrow, column, place.address)
        if pictures.holds_paths:
            addresses = parquet.read(columns=[pictures.name])[pictures.name].cast(pa.large_string())
            return Inside("file", [], addresses.combine_chunks())
        names = name_column(parquet.schema_arrow, pictures)
        labels = [None] * parquet.metadata.num_rows if names is None else names.values(parquet)
        rows = [Member(row, -1, NOT_A_TIME, label or f"{row:08d}") for row, label in enumerate(labels)]
        return Inside("parquet", rows)


def _film(place: Place, column: str | None) -> Inside:
    from midas.video.reading import Film

    with place.local_copy() as path, Film(path) as film:
        times = film.frame_times()
    return Inside("film", [Member(number, -1, time_s, f"{number:06d}") for number, time_s in enumerate(times)])


_LISTERS: dict[str, Lister] = {".tar": _tar, ".parquet": _parquet}
