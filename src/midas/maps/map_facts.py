"""What the kinds of maps have in common: read-only values, arrays, and what files say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from midas.arrays import Array
from midas.errors import MidasError
from midas.maps.kinds import KIND_KEY, KINDS, SPACE_KEY, Kind, space_of
from midas.maps.value_range import as_float32_map
from midas.version import __version__

LENS_FACTS = ("projection", "projection_found", "fov_deg", "values_along", "distortion")
"""What files may say of a lens."""

_SOFTWARE = f"midas-depth {__version__}"


def as_array(values: Array, dtype: Any, copy: bool | None) -> Array:
    """What ``__array__`` gives.

    Raises:
        ValueError: another type is asked for without a copy.
    """
    if copy is False and dtype is not None and np.dtype(dtype) != values.dtype:
        raise ValueError(f"values of {values.dtype} become {np.dtype(dtype)} by a copy alone")
    return values.astype(dtype or values.dtype, copy=bool(copy))


def file_metadata(kind: Kind, model: str | None, source: str | None) -> dict[str, str]:
    """What files say about the values of a map."""
    known = {KIND_KEY: kind, SPACE_KEY: space_of(kind), "model": model, "source": source, "software": _SOFTWARE}
    return {name: text for name, text in known.items() if text is not None}


def lens_facts(metadata: Mapping[str, str]) -> dict[str, str]:
    """What a file says of its picture's lens."""
    return {name: text for name, text in metadata.items() if name in LENS_FACTS}


def check_facts(kind: Kind, model: str | None, source: str | None) -> None:
    """Make sure that what is known of a map can be written into a file.

    Raises:
        MidasError: there is no such kind, or a name is no text.
    """
    if kind not in KINDS:
        raise MidasError(f"there is no kind {kind!r} of values; expected one of {', '.join(KINDS)}")
    for name, text in (("model", model), ("source", source)):
        if text is not None and not isinstance(text, str):
            raise MidasError(f"{name} is a {type(text).__name__}: expected a text, or None")


def read_only_map(values: Array) -> Array:
    """The values as a map that nobody can write to.

    Raises:
        MidasError: they are no map.
    """
    try:
        view = as_float32_map(values).view()
    except ValueError as error:
        raise MidasError(str(error)) from error
    view.setflags(write=False)
    return view
