"""``python -m midas`` is the command ``midas``."""

from __future__ import annotations

from midas.cli import main

if __name__ == "__main__":
    main()
