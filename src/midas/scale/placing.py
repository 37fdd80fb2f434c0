"""Where the outputs of each picture lie below the destination: as ``midas predict`` would name them, by columns.

The law is that of ``midas.maps.names.plan_outputs``: as the pictures lie below the folder that all of them share, by
their names without the suffix; those that differ only in the suffix keep it; what is still the same gets a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SUFFIX = r"(?P<stem>[^/])\.[^./]*$"
_SCHEME = r"^[A-Za-z0-9+]+:/+"
_DOTS = r"(^|/)\.(\.?)(/|$)"
_UNSAFE = rf"{_SCHEME}|{_DOTS}|^/"


def shared_folder(folders: Iterable[str]) -> str:
    """The address of the folder that all lie in; empty where there is none, as with two buckets."""
    split = [folder.rstrip("/").split("/") for folder in sorted(set(folders))]
    if not split:
        return ""
    same = [part for part, *others in zip(*split, strict=False) if all(other == part for other in others)]
    whole = next((index for index, parts in enumerate(zip(*split, strict=False)) if len(set(parts)) > 1), len(same))
    return "/".join(split[0][:whole])


def parents_of(addresses: pa.Array) -> Sequence[str]:
    """The folders that files lie in, each once."""
    folders = pc.replace_substring_regex(addresses, r"/[^/]*$", "")
    return [str(folder) for folder in pc.unique(folders).to_pylist()]


def with_places(table: pa.Table, root: str) -> pa.Table:
    """A table of entries with their places.

    Args:
        table: without them.
        root: the folder that all sources share.
    """
    relative = pc.utf8_slice_codeunits(_whole(table), start=len(root) + 1 if root else 0)
    return table.append_column("place", _distinct(_safe(relative)))


def _whole(table: pa.Table) -> pa.ChunkedArray:
    """Addresses of files; of what is in one, the address without its suffix and the name in it."""
    if table["name"].null_count == table.num_rows:
        return table["source"]
    inside = pc.replace_substring_regex(table["source"], r"\.[^./]*$", "")
    within = pc.binary_join_element_wise(inside, table["name"], "/")
    return pc.if_else(pc.is_null(table["name"]), table["source"], within)


def _safe(places: pa.ChunkedArray) -> pa.ChunkedArray:
    """Paths that stay below the folder they are joined to, whatever a tar calls its members."""
    if not pc.any(pc.match_substring_regex(places, _UNSAFE)).as_py():
        return places
    plain = pc.replace_substring_regex(places, _SCHEME, "")
    for _ in range(2):  # neighbours share a slash
        plain = pc.replace_substring_regex(plain, _DOTS, r"\1_\3")
    return pc.replace_substring_regex(plain, "^/+", "")


def _distinct(places: pa.ChunkedArray) -> pa.ChunkedArray:
    stems = pc.replace_substring_regex(places, _SUFFIX, r"\1")
    chosen = pc.if_else(pa.array(_counts(stems) == 1), stems, places).combine_chunks()
    repeated = _counts(chosen) > 1
    if not repeated.any():
        return pa.chunked_array([chosen])
    names = chosen.to_pylist()
    taken = {name.lower() for name in names}
    seen: set[str] = set()
    for index in np.flatnonzero(repeated):
        name = names[index]
        if name.lower() in seen:
            name = next(f"{name}-{number}" for number in count(2) if f"{name}-{number}".lower() not in taken)
        names[index] = name
        seen.add(name.lower())
        taken.add(name.lower())
    return pa.chunked_array([pa.array(names, pa.string())])


def _counts(names: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """How often each name is there; some file systems take names that differ in case for the same."""
    folded = pc.utf8_lower(names)
    folded = folded.combine_chunks() if isinstance(folded, pa.ChunkedArray) else folded
    codes = folded.dictionary_encode().indices.to_numpy()
    return np.asarray(np.bincount(codes)[codes]) if len(codes) else np.zeros(0, np.int64)
