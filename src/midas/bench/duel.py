"""Contestants run in turns, A B A B, so that whatever else the machine does weighs on all alike.

A turn of a function lasts some time and counts as the median of its calls. By a single call after the others' turns one
would measure how fast a processor's caches fill again, which is what a picture now and then costs, but not one of many.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

from midas.bench.processes import environment
from midas.bench.results import DuelResult
from midas.bench.timing import Timing
from midas.errors import ConfigError

PICTURE_FIELD = "{picture}"

_TURN_S = 0.3

# Threads of a runtime go on looking for work for some milliseconds after a call; the next contestant isn't to pay.
_PAUSE_S = 0.05
_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_MESSAGE_CHARACTERS = 500


@runtime_checkable
class Contestant(Protocol):
    """Something that has turns. It is a context: what it needs is there from entering to leaving."""

    def __enter__(self) -> Contestant:
        """Make it ready."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        ...

    def run_ms(self) -> float:
        """Let it have a turn: milliseconds of one run.

        Raises:
            ConfigError: it failed.
        """
        ...


class CallableContestant:
    """A Python callable, warm, in a process of its own.

    Args:
        target: ``module:callable``, importable from the current folder; it takes the picture as a uint8 array.
        picture_path: a NumPy file with that picture.
        settings: if given, ``callable(**settings)`` makes the callable.
        python: interpreter of the environment in which it lives; None is this one.
        threads: of every library in that process; None leaves it to them.
    """

    def __init__(
        self,
        target: str,
        picture_path: Path,
        *,
        settings: Mapping[str, Any] | None = None,
        python: str | None = None,
        threads: int | None = None,
    ) -> None:
        script = Path(__file__).with_name("contestant.py")
        self._name = target
        self._command = [python or sys.executable, str(script), target, str(picture_path)]
        self._command += [] if settings is None else [json.dumps(settings)]
        self._environment = environment(threads)
        self.first_ms = float("nan")

    def __enter__(self) -> CallableContestant:
        """Start the process, import the callable and call it once; ``first_ms`` says how long these two took."""
        self._errors = tempfile.TemporaryFile("w+", errors="replace")
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env=self._environment,
        )  # fmt: skip
        try:
            self.first_ms = self._answer()
        except ConfigError:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._end()

    def run_ms(self) -> float:
        """Call it for 0.3 s, at least once: the median of its calls."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{_TURN_S}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; the missing answer says why
        return self._answer()

    def _answer(self) -> float:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().strip()[-_MESSAGE_CHARACTERS:]
            raise ConfigError(
                f"{self._name} failed: {said or 'without a word'}; expected a callable that takes an RGB array"
            )
        return float(line)

    def _end(self) -> None:
        # Closes its standard input, at which it ends by itself, and the other ends of its pipes.
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._errors.close()


class CommandContestant:
    """A command, cold: from the start of its process to its end.

    Args:
        command: program and arguments; ``{picture}`` stands for the picture's file.
        picture_path: that file.
    """

    def __init__(self, command: str | list[str], picture_path: Path) -> None:
        words = shlex.split(command) if isinstance(command, str) else command
        if not words:
            raise ConfigError("the rival's command is empty; expected a program, or MODULE:CALLABLE")
        self._words = [word.replace(PICTURE_FIELD, str(picture_path)) for word in words]

    def __enter__(self) -> CommandContestant:
        """Run it once, so that its files lie in the disk's cache."""
        self.run_ms()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to end."""

    def run_ms(self) -> float:
        """Run it once more; it must succeed."""
        start = time.perf_counter()
        try:
            finished = subprocess.run(
                self._words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
            )
        except OSError as error:
            raise ConfigError(
                f"{self._words[0]} can't be run ({error}); expected a program, or MODULE:CALLABLE"
            ) from error
        milliseconds = (time.perf_counter() - start) * 1e3
        if finished.returncode:
            said = finished.stderr.decode(errors="replace").strip()[-_MESSAGE_CHARACTERS:]
            raise ConfigError(f"{shlex.join(self._words)} ended with status {finished.returncode}: {said}")
        return milliseconds


def is_callable_name(text: str) -> bool:
    """Whether a rival is ``module:callable``, and not a command."""
    return _CALLABLE.fullmatch(text) is not None


def take_turns(contestants: Mapping[str, Contestant], rounds: int, *, warmup: int = 2) -> dict[str, list[float]]:
    """Milliseconds of each contestant in each round; in every round each has one turn, in the same order.

    Args:
        contestants: by name.
        rounds: how many count.
        warmup: how many go before.

    Raises:
        ConfigError: one of them failed.
    """
    times_ms: dict[str, list[float]] = {name: [] for name in contestants}
    with ExitStack() as stack:
        ready = {name: stack.enter_context(each) for name, each in contestants.items()}
        for turn in range(warmup + rounds):
            for name, contestant in ready.items():
                time.sleep(_PAUSE_S)
                milliseconds = contestant.run_ms()
                if turn >= warmup:
                    times_ms[name].append(milliseconds)
    return times_ms


def compare(label: str, rival: str, ours_ms: list[float], theirs_ms: list[float]) -> DuelResult:
    """Two rows of rounds become one result; the ratio is taken round by round."""
    ratios = Timing.of([theirs / ours for ours, theirs in zip(ours_ms, theirs_ms, strict=True)])
    return DuelResult(
        label, rival, None, Timing.of(ours_ms), Timing.of(theirs_ms), ratios.median_ms, ratios.p5_ms, ratios.p95_ms
    )
