"""``python -m midas`` and the console script: the command ``midas``."""

try:
    from midas.signals import end_at_once_on_signals, raise_stopped_on_signals
except KeyboardInterrupt:  # before anybody can say how it is to end
    raise SystemExit(130) from None


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
