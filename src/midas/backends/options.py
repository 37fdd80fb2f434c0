"""Options that more than one backend takes, and what is said where one doesn't fit."""

from __future__ import annotations

from collections.abc import Collection
from numbers import Integral

from midas.errors import ModelError
from midas.pipeline import MAX_THREADS

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
"""Number formats that some backend computes in; ``"auto"`` leaves it to the backend."""


def check_precision(name: str) -> None:
    """Make sure that a precision is one of ``PRECISIONS``: before libraries are loaded to be asked for it.

    Raises:
        ModelError: it isn't; the message lists them.
    """
    if name not in PRECISIONS:
        raise ModelError(f"no precision is called {name!r}; there are: {', '.join(PRECISIONS)}")


def check_option(runtime: str, name: str, value: str, choices: Collection[str]) -> None:
    """Make sure that a runtime has a device or a precision.

    Raises:
        ModelError: it hasn't; the message lists what it has.
    """
    if value not in choices:
        raise ModelError(
            f"{runtime} has no {name} {value!r} here; there are: {', '.join(choices)}. Backend 'torch' of "
            "midas-depth[lab] may have it"
        )


def check_threads(threads: int | None) -> None:
    """Make sure that a number of threads is one from 1 to ``MAX_THREADS``, or no wish.

    Raises:
        ModelError: it isn't.
    """
    if threads is not None and not (isinstance(threads, Integral) and 1 <= threads <= MAX_THREADS):
        raise ModelError(f"threads is {threads}; expected a whole number from 1 to {MAX_THREADS}")
