"""``python -m midas`` and the console script: the command ``midas``."""

from __future__ import annotations

from midas.signals import end_at_once_on_signals, raise_stopped_on_signals


def main() -> None:
    """Run the command; it ends by ``SystemExit``."""
    raise_stopped_on_signals()  # before all else is imported, which takes long enough to be stopped in
    try:
        from midas.cli import main as command

        command()
    finally:
        end_at_once_on_signals()


if __name__ == "__main__":
    main()
