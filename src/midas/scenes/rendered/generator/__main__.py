"""Start of the generator's process: makes this folder a package whatever its path, then serves jobs."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    # This folder's modules are known as generator.*; their bare names must not hide others.
    sys.path[0] = str(_HERE.parent)
    sys.path.append(sys.path.pop(0))
    if sys.argv[1:2] == ["--packages"]:
        sys.path.insert(0, sys.argv[2])
    from generator.serve import serve

    serve()
