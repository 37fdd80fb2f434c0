"""The one door to PyAV: loaded when a film is opened, silent, and missing with a sentence."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from midas.errors import MissingExtraError


def pyav() -> Any:
    """The package ``av``, whose libraries write nothing to standard error.

    Raises:
        MissingExtraError: it is not installed.
    """
    if find_spec("av") is None:
        raise MissingExtraError("video", "video")
    import av

    # FFmpeg would say on standard error what it thinks of each damaged packet; what matters of that, the reader counts.
    # PyAV's own level stays None: its handler in Python waits for the interpreter's lock, for ever where a thread of
    # FFmpeg speaks while a codec is closed.
    av.logging.set_libav_level(av.logging.PANIC)
    return av
