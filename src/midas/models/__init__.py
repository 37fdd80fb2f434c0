"""The networks: a table of facts that needs no torch, and the code that builds them, which does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midas.models.factory import create_model as create_model

__all__ = ["create_model"]


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that reading the model table never imports torch.
    if name == "create_model":
        from midas.models.factory import create_model

        return create_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
