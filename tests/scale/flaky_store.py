"""A store in memory that refuses every few requests, as an object store does that is asked by many."""

from __future__ import annotations

from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class FlakyFileSystem(MemoryFileSystem):
    """``flaky://``: like ``memory://``, but that each third request fails."""

    protocol = "flaky"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    requests = 0
    refused = 0

    @classmethod
    def _refuse(cls) -> None:
        cls.requests += 1
        if cls.requests % 3 == 0:
            cls.refused += 1
            raise OSError("503 Slow Down")

    def cat_file(self, *arguments: Any, **options: Any) -> Any:
        self._refuse()
        return super().cat_file(*arguments, **options)

    def pipe_file(self, *arguments: Any, **options: Any) -> Any:
        self._refuse()
        return super().pipe_file(*arguments, **options)

    def put_file(self, *arguments: Any, **options: Any) -> Any:
        self._refuse()
        return super().put_file(*arguments, **options)

    def ls(self, *arguments: Any, **options: Any) -> Any:
        options.pop("refresh", None)
        return super().ls(*arguments, **options)

    def info(self, *arguments: Any, **options: Any) -> Any:
        self._refuse()
        return super().info(*arguments, **options)


def register() -> None:
    """Make ``flaky://`` known."""
    fsspec.register_implementation("flaky", FlakyFileSystem, clobber=True)
