"""What libtiff has to say about a file, in place of lines on standard error.

Pillow decodes most compressed TIFF files by it. Its decoders of fax and JPEG data tell an error to a handler, and
nobody else: the pixels look like success. The handler that comes with it prints lines without a file's name.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from PIL import _imaging

# Where libtiff reads tags; those that the pixels need are read by Pillow too.
_OF_TAGS = (b"TIFFFetchNormalTag", b"_TIFFVSetField")

# const char *module, const char *format, and a va_list, which is a pointer where compilers pass it.
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


class _Heard(threading.local):
    """What libtiff said in this thread since it was listened to; None while it isn't."""

    errors: list[str] | None = None


_heard = _Heard()
_listening = threading.Lock()


@contextmanager
def raised_errors() -> Iterator[None]:
    """Raise what libtiff takes for an error while it decodes in this thread.

    Where Pillow was built with a libtiff of its own inside, which can't be reached (in Windows), nothing changes.

    Raises:
        ValueError: it told an error, whatever came of it.
    """
    with _listening:
        _listen()
    before, _heard.errors = _heard.errors, []
    try:
        yield
        if _heard.errors:
            raise ValueError(_heard.errors[0])
    finally:
        _heard.errors = before


@lru_cache(maxsize=1)
def _listen() -> Any:
    """Put our handler in the place of libtiff's, once; outside of ``raised_errors`` it passes on what it hears."""
    try:
        # A library's handle finds the names of those that it was linked with as well.
        library = ctypes.CDLL(_imaging.__file__)
        set_handler = library.TIFFSetErrorHandler
    except (OSError, AttributeError):
        return None
    set_handler.restype, set_handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

    def hear(module: bytes | None, form: bytes | None, arguments: int | None) -> None:
        if _heard.errors is not None:
            if (module or b"").startswith(_OF_TAGS):
                return
            text = (form or b"").decode("utf-8", "replace").split("%")[0].strip(" \"'(:;,.")
            _heard.errors.append(text or "libtiff found an error")
        elif previous:
            previous(module, form, arguments)

    handler = _Handler(hear)
    address = set_handler(ctypes.cast(handler, ctypes.c_void_p))
    previous = _Handler(address) if address else None
    return handler, previous  # kept alive by the cache
