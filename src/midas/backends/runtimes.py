"""The one door to the runtimes of others: they are loaded without what they would do on their own.

Seen in versions of 2026: importing ONNX Runtime writes a device id and a database of events below ``~/.cache`` and asks
for a host of its maker's some seconds later; importing OpenVINO or NNCF writes an id below ``~/intel`` and sends an
event. Their own switches don't serve: ONNX Runtime's ``disable_telemetry_events`` can be called only after the import
has written, and OpenVINO's ``opt_in_out`` writes its answer into the same folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

# Who sets it to 0 has asked for it.
_SWITCH = "ORT_DISABLE_TELEMETRY"

# What sends for OpenVINO and NNCF; where it isn't installed, they do without.
_SENDER = "openvino_telemetry"

# Of each session of ONNX Runtime. Where a processor has AVX2 and no products of 8 bits into 32, its own way adds two of
# them in 16, which overflow: an int8 file was two and a half times as far from its network. This way is exact.
WHOLE_PRODUCTS = ("session.x64quantprecision", "1")


def import_runtime(name: str) -> Any:
    """A module of ONNX Runtime, OpenVINO or NNCF, which neither writes nor sends anything on its own from here on.

    Raises:
        ImportError: it isn't installed.
    """
    os.environ.setdefault(_SWITCH, "1")
    with _hidden(_SENDER):
        module = import_module(name)
    if name == "onnxruntime" and os.environ[_SWITCH] != "0":
        module.disable_telemetry_events()  # for the case that somebody has imported it before
    return module


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """As if a module weren't installed."""
    missing = object()
    before: Any = sys.modules.get(name, missing)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if before is missing:
            del sys.modules[name]
        else:
            sys.modules[name] = before
