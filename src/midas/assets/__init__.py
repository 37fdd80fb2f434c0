"""The files that ship with the package: the built-in model's weights and its card."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def asset_path(file_name: str) -> Path:
    """Path of the file of that name in this folder, whether or not it exists."""
    return Path(str(files(__name__).joinpath(file_name)))
