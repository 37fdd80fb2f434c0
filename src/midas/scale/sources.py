"""Which pictures the sources of a job mean: folders, patterns, lists, tars, Parquet files, films, wherever they lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from midas.errors import ConfigError, ImageError, MidasError
from midas.pictures.formats import is_image_path
from midas.scale.entries import Rows
from midas.scale.insides import Inside, list_inside, lister_for
from midas.scale.placing import parents_of, shared_folder, with_places
from midas.storage.addresses import Place

LIST_SUFFIXES = frozenset({".txt", ".lst", ".list"})
_MAGIC = "*?["
_ROWS_AT_ONCE = 1 << 20
_LISTERS = 8  # tars and films whose insides are listed at a time


@dataclass
class Listing:
    """What was found.

    Attributes:
        entries: a table of ``midas.scale.entries.SCHEMA``.
        problems: what means no pictures at all, and why.
    """

    entries: pa.Table
    problems: dict[str, MidasError] = field(default_factory=dict)


@dataclass
class _Search:
    destination: Place
    column: str | None
    rows: Rows = field(default_factory=Rows)
    roots: set[str] = field(default_factory=set)
    problems: dict[str, MidasError] = field(default_factory=dict)


def list_sources(texts: Iterable[str], destination: Place, *, column: str | None = None) -> Listing:
    """Find all pictures of a job.

    A folder gives the pictures in it and in all folders below, a pattern the files that it means: pictures, and tars,
    Parquet files and films with all that is in them. A text file has a path or an address per line, a Parquet file a
    column of them (``path``, ``url``) or one of pictures' bytes. Hidden files are left out, and what is meant twice
    comes once.

    Args:
        texts: as the user named them.
        destination: is left out where it lies below a source.
        column: of Parquet files, in place of the one that looks like it.

    Raises:
        ConfigError: a source is the destination.
        StorageError: a source can't be searched: a job without its pictures would be another one.
        MissingExtraError: films need ``midas-depth[video]``, stores their fsspec package.
    """
    search = _Search(destination, column)
    for text in texts:
        with _collecting(search, text):
            _add(search, text)
    table = _each_once(search.rows.table())
    if not table.num_rows:
        return Listing(table.append_column("place", pa.nulls(0, pa.string())), search.problems)
    return Listing(with_places(table, shared_folder(search.roots)), search.problems)


def _each_once(table: pa.Table) -> pa.Table:
    """The first of those rows that are the same picture, which two sources may mean, or two lines of a list."""
    encoded = table["source"].combine_chunks().dictionary_encode()
    if len(encoded.dictionary) == table.num_rows:
        return table
    files, offsets = encoded.indices.to_numpy(), table["offset"].to_numpy()
    order = np.lexsort((offsets, files))  # keeps those that are the same in their order
    same = (np.diff(files[order]) == 0) & (np.diff(offsets[order]) == 0)
    return table.take(np.sort(order[np.concatenate([[True], ~same])])) if same.any() else table


@contextmanager
def _collecting(search: _Search, text: str) -> Iterator[None]:
    """Notes what is wrong with a source, so that the others go on.

    What was asked for wrongly ends the listing, and so does what can't be searched now, and may be later.
    """
    try:
        yield
    except ImageError as error:
        search.problems[text] = error


def _add(search: _Search, text: str) -> None:
    place = Place.of(text)
    suffix = Path(place.name).suffix.lower()
    if suffix in LIST_SUFFIXES:
        _add_list(search, place)
    elif _is_pattern(place):
        _add_pattern(search, place)
    elif place.is_folder():
        _add_folder(search, place)
    else:
        size = place.size()
        if size is None:  # a job of a picture that isn't there would be in the way of the one that was meant
            raise ImageError(
                f"{place} does not exist; expected a folder, a picture, a pattern, a list, a tar or a film"
            )
        _add_files(search, [(place.address, size)], place.address.rpartition("/")[0])


def _is_pattern(place: Place) -> bool:
    return any(sign in place.address for sign in _MAGIC) and not (place.is_local and os.path.lexists(place.path))


def _add_folder(search: _Search, folder: Place) -> None:
    is_output = _told_from_outputs(search, folder.address)
    found = False
    for name, size in folder.below():
        address = f"{folder}/{name}"
        if is_image_path(name) and not is_output(address):
            found = True
            search.rows.add(address, "file", size=size)
    if not found:
        raise ImageError(
            f"{folder} holds no pictures; name tars, Parquet files and films by a pattern: '{folder}/*.tar'"
        )
    search.roots.add(folder.address)


def _add_pattern(search: _Search, pattern: Place) -> None:
    parts = pattern.address.split("/")
    fixed = next(index for index, part in enumerate(parts) if any(sign in part for sign in _MAGIC))
    root = "/".join(parts[:fixed])
    is_output = _told_from_outputs(search, root)
    files = [(f"{root}/{name}", size) for name, size in Place(root or "/").matching(parts[fixed:])]
    wanted = [
        (address, size)
        for address, size in files
        if (is_image_path(address) or lister_for(address)) and not is_output(address)
    ]
    if wanted:
        _add_files(search, wanted, root)
    elif not pattern.is_local and pattern.is_folder():  # a name may have such signs in it
        _add_folder(search, pattern)
    elif not pattern.is_local and (size := pattern.size()) is not None:
        _add_files(search, [(pattern.address, size)], pattern.address.rpartition("/")[0])
    else:
        raise ImageError(f"{pattern} matches no pictures, tars, Parquet files or films; check the pattern")


def _told_from_outputs(search: _Search, root: str) -> Callable[[str], bool]:
    """Whether what is found below a folder is an output of the job, which may lie there too."""
    destination, real_root = _real(search.destination.address), _real(root or "/").rstrip("/")
    if real_root == destination:
        raise ConfigError(f"{root} is to be read and written to at once; choose another destination")
    if destination.startswith(f"{real_root}/"):
        outputs = f"{root}{destination.removeprefix(real_root)}/"
        return lambda address: address.startswith(outputs)
    return lambda address: False


def _real(address: str) -> str:
    """The same for a folder under whatever name a link gives it."""
    return os.path.realpath(address) if Place(address).is_local else address


def _add_list(search: _Search, place: Place) -> None:
    """A text file's lines; relative ones lie beside the file."""
    try:
        text = place.read().decode("utf-8")
    except FileNotFoundError:
        raise ImageError(f"{place} does not exist; expected a list of pictures, one per line") from None
    except UnicodeDecodeError as error:
        raise ImageError(f"{place} is no text in UTF-8 ({error.reason}); expected a picture per line") from error
    lines = pc.utf8_trim_whitespace(pc.split_pattern(pa.array([text], pa.large_string()), "\n").flatten())
    _add_listed(search, place, lines.filter(pc.invert(pc.starts_with(lines, "#"))))


def _add_listed(search: _Search, place: Place, names: pa.Array) -> None:
    """Pictures by a column of paths and addresses; a million of them are never objects of Python's."""
    beside = place.address.rpartition("/")[0]
    found, folders = 0, set[str]()
    for begin in range(0, len(names), _ROWS_AT_ONCE):  # a column of strings has room for two gigabytes
        named = names.slice(begin, _ROWS_AT_ONCE).drop_null().cast(pa.string())
        named = named.filter(pc.not_equal(named, ""))
        absolute = pc.match_substring_regex(named, r"^(/|[A-Za-z]:[/\\]|[A-Za-z0-9+]+://)")
        sources = pc.if_else(absolute, named, pc.binary_join_element_wise(f"{beside}/", named, ""))
        search.rows.add_files(sources)
        folders.update(parents_of(sources))
        found += len(sources)
    if not found:
        raise ImageError(f"{place} lists no pictures; expected a path or an address in each line or row")
    search.roots.add(shared_folder(folders))


def _add_files(search: _Search, files: list[tuple[str, int]], root: str) -> None:
    """Files, and what is in those that hold several pictures; the insides are listed side by side, in order.

    Args:
        search: takes them in.
        files: addresses and sizes.
        root: the folder below which their places are kept, but for what they only list.
    """
    with ThreadPoolExecutor(_LISTERS, thread_name_prefix="midas-list") as executor:
        insides = {
            address: executor.submit(list_inside, lister, Place(address), search.column)
            for address, _ in files
            if (lister := lister_for(address)) is not None
        }
        for address, size in files:
            if address not in insides:
                search.roots.add(root)
                search.rows.add(address, "file", size=size)
                continue
            with _collecting(search, address):
                _add_inside(search, Place(address), insides.pop(address).result(), root)


def _add_inside(search: _Search, place: Place, inside: Inside, root: str) -> None:
    if inside.kind == "file":
        _add_listed(search, place, inside.addresses)
        return
    if not inside.members:
        raise ImageError(f"{place} holds no pictures")
    search.roots.add(root)
    for offset, size, time_s, name in inside.members:
        search.rows.add(place.address, inside.kind, offset=offset, size=size, time_s=time_s, name=name)
