"""What ends a process from outside, Ctrl-C or a signal, ends it in order: nothing half written, no traceback.

Imports what the interpreter has loaded already and no more: until this module is there, Ctrl-C gives a traceback.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time

# Not every system has all of them. A closed terminal, and what `kill` and service managers send, are like Ctrl-C.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(SystemExit):
    """Raised in the main thread by a signal that asks to stop; its code is that of a shell for such a program.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def raise_stopped_on_signals() -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP raise ``Stopped``, where nobody has chosen that they should be ignored."""
    owner, show = os.getpid(), sys.unraisablehook

    def stop(number: int, frame: object) -> None:
        if os.getpid() != owner:  # a worker that was forked ends at once, as it would without us
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        raise Stopped(number)

    def send_later(number: int) -> None:
        time.sleep(0.01)
        if sys.platform == "win32":  # where `os.kill` ends the process, whatever the signal
            signal.raise_signal(number)
        else:
            os.kill(owner, number)

    def once_more(unraisable: object) -> None:
        # Where nothing can be raised, such as in a destructor, an exception is shown and forgotten. Here too: the
        # signal comes again when this place has been left.
        error = getattr(unraisable, "exc_value", None)
        if isinstance(error, Stopped):
            _thread.start_new_thread(send_later, (error.number,))
        else:
            show(unraisable)  # type: ignore[arg-type]

    for number in _numbers():
        if signal.getsignal(number) in _DEFAULTS:
            signal.signal(number, stop)
    sys.unraisablehook = once_more


def end_at_once_on_signals() -> None:
    """From now on they end the process as they do by default: the work is done, and there is nothing left to order."""
    for number in _numbers():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def _numbers() -> list[signal.Signals]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
