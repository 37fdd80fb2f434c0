"""Read access to the library: what there is, by category."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any


class LibraryIndex:
    """The index of a finished library."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._by_category: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for entry in json.loads((folder / "library.json").read_text(encoding="utf-8")):
            self._by_category.setdefault((entry["kind"], entry["category"]), []).append(entry)

    def has(self, category: str, kind: str = "asset") -> bool:
        """There is at least one."""
        return (kind, category) in self._by_category

    def pick(self, rng: Random, category: str, kind: str = "asset") -> dict[str, Any]:
        """One entry at random.

        Raises:
            LookupError: there is none.
        """
        entries = self.all(category, kind)
        if not entries:
            raise LookupError(f"the library holds no {kind} of the category {category!r}")
        return rng.choice(entries)

    def all(self, category: str, kind: str = "asset") -> list[dict[str, Any]]:
        """All entries of a category."""
        return self._by_category.get((kind, category), [])

    def file(self, entry: dict[str, Any]) -> Path:
        """Where it lies."""
        return self.folder / str(entry["file"])
