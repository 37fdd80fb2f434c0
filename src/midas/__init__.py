"""Relative depth from a single photograph.

``load`` gives a ``Predictor``; calling it on a picture gives a ``DepthMap``.
"""

# Nothing is imported here: until the command has run its first line, Ctrl-C gives a traceback.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from midas.errors import MidasError
    from midas.loading import list_models, load
    from midas.maps.depth_map import DepthMap
    from midas.predictor import Predictor
    from midas.version import __version__

__all__ = ["DepthMap", "MidasError", "Predictor", "__version__", "list_models", "load"]

_HOMES = {
    "DepthMap": "midas.maps.depth_map",
    "MidasError": "midas.errors",
    "Predictor": "midas.predictor",
    "__version__": "midas.version",
    "list_models": "midas.loading",
    "load": "midas.loading",
}


def __getattr__(name: str) -> "Any":
    # Loaded on first use: the command line imports this package to print a help text too.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted({*globals(), *__all__})
