"""The most memory that this process has taken so far."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_memory_mb() -> float | None:
    """Megabytes (10^6 bytes) of resident memory, at most so far; None where the system doesn't say.

    Files that are mapped into memory count as far as they have been read.
    """
    # Linux counts in ru_maxrss also what the parent had when it made this process.
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    if importlib.util.find_spec("resource") is None:
        return None
    import resource

    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_per_unit / 1e6
