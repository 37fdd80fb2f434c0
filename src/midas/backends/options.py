"""Options that more than one backend takes, and what is said where one doesn't fit."""

from __future__ import annotations

from collections.abc import Collection

from midas.errors import ModelError


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
    """Make sure that there is at least one thread, or no wish.

    Raises:
        ModelError: fewer.
    """
    if threads is not None and threads < 1:
        raise ModelError(f"threads is {threads}; expected a whole number >= 1")
