"""Empty files below the current folder, for tests of names alone."""

from __future__ import annotations

from pathlib import Path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
