"""The package's own source, parsed once, for the tests that measure it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Module:
    """One source file of the package: its path below src/, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module


@pytest.fixture(scope="session")
def modules(repository: Path) -> list[Module]:
    """Every source file of the package."""
    source = repository / "src"
    found = []
    for path in sorted(source.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Module(path.relative_to(source), text, ast.parse(text)))
    assert found, f"no source files below {source}"
    return found
