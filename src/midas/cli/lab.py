"""The check that commands of the lab begin with."""

from __future__ import annotations

from importlib.util import find_spec

from midas.errors import MissingExtraError

LAB_PACKAGES = ("torch", "timm", "safetensors", "pydantic", "onnx")


def require_lab(feature: str) -> None:
    """Make sure that the lab's packages are installed.

    Raises:
        MissingExtraError: one of them isn't.
    """
    if any(find_spec(package) is None for package in LAB_PACKAGES):
        raise MissingExtraError(feature, "lab")
