"""Backends in several processes: pickled for a new one, and opened anew in one that was forked.

Runtimes keep threads and locks of their own, which a fork doesn't copy: what was opened before it hangs sooner or later
in the child, at a run, at a new size, or when it is freed, which waits for threads that aren't there. ONNX Runtime can
be opened anew; OpenVINO, whose threads are its process's, can't; PyTorch can go on with one thread.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

_OPENING = Lock()


class Fork:
    """Whether a fork lies between a library's first use and now.

    Attributes:
        crossed: this process was forked from one that had used it.
    """

    def __init__(self) -> None:
        self.crossed = False
        self._noted = False

    def note_use(self, in_child: Callable[[], object] = lambda: None) -> None:
        """Say that the library is used from now on; in processes that are forked hence ``in_child`` is called."""
        if self._noted or not hasattr(os, "register_at_fork"):
            return
        self._noted = True

        def cross() -> None:
            self.crossed = True
            in_child()

        os.register_at_fork(after_in_child=cross)


class FileBackend:
    """A backend that is known by the file that it was opened from, and how."""

    _arguments: dict[str, Any]
    _process: int

    def _note_opening(self, model_path: Path, **options: Any) -> None:
        """Keep what it takes to open this backend once more, in whatever folder and process."""
        self._arguments = {"model_path": model_path.absolute(), **options}
        self._process = os.getpid()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=partial(_never_free, weakref.ref(self)))

    def _open_here(self) -> None:
        """Make sure that this process has opened it."""
        if self._process == os.getpid():
            return
        with _OPENING:
            if self._process != os.getpid():
                self.__dict__ = vars(type(self)(**self._arguments))

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (type(self), self._arguments)


def _opened(kind: type[FileBackend], arguments: dict[str, Any]) -> FileBackend:
    return kind(**arguments)


def _never_free(backend: weakref.ref[FileBackend]) -> None:
    """In a child, keep what came over the fork for as long as the child lives, the end of the interpreter included."""
    alive = backend()
    if alive is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(dict(vars(alive))))
