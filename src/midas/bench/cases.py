"""What is measured: every combination of model, back end, precision, size, batch and threads that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from midas.backends import AUTO, BACKENDS
from midas.errors import ConfigError

ALL = "all"
FLOAT32 = "float32"

# Words for number formats. A back end that hasn't one of them says so, and its row with it.
PRECISIONS = (FLOAT32, "bfloat16", "float16", "int8")

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Case:
    """One way of running one model.

    Attributes:
        model: a name from the model table, or a model file's path.
        backend: one of ``midas.backends.BACKENDS``, or ``"auto"``.
        precision: number format of the computation, in the back end's words.
        device: where it runs, in the back end's words.
        size: shorter side of the network's input in pixels; None is the model's own.
        batch: pictures that go through the network at once.
        threads: processor threads; None leaves the number to the back end.
    """

    model: str
    backend: str = AUTO
    precision: str = FLOAT32
    device: str = AUTO
    size: int | None = None
    batch: int = 1
    threads: int | None = None

    @property
    def label(self) -> str:
        """The case in a few words, without what is at its default."""
        words = [self.model, self.backend, self.precision]
        words += [] if self.device == AUTO else [self.device]
        words += [] if self.size is None else [f"size {self.size}"]
        words += [] if self.batch == 1 else [f"batch {self.batch}"]
        words += [] if self.threads is None else ["1 thread" if self.threads == 1 else f"{self.threads} threads"]
        return ", ".join(words)


@dataclass(frozen=True)
class Grid:
    """Choices of which every combination is a case.

    Attributes:
        models: names or paths.
        backends: names, or ``"all"`` for every one that this version knows.
        precisions: number formats, or ``"all"``.
        device: of all cases.
        sizes: shorter sides in pixels; None is each model's own.
        batches: numbers of pictures.
        threads: numbers of threads; None leaves it to the back end.
    """

    models: tuple[str, ...]
    backends: tuple[str, ...] = (ALL,)
    precisions: tuple[str, ...] = (FLOAT32,)
    device: str = AUTO
    sizes: tuple[int | None, ...] = (None,)
    batches: tuple[int, ...] = (1,)
    threads: tuple[int | None, ...] = (None,)

    def cases(self) -> list[Case]:
        """The cases, the last-named choice changing fastest.

        Raises:
            ConfigError: there is no back end of that name, or a choice is left empty.
        """
        backends = _spread(self.backends, BACKENDS)
        unknown = sorted(set(backends) - {AUTO, *BACKENDS})
        if unknown:
            raise ConfigError(f"no back end is called {unknown[0]!r}; there are: {', '.join((ALL, AUTO, *BACKENDS))}")
        precisions = _spread(self.precisions, PRECISIONS)
        named = {"model": self.models, "back end": backends, "precision": precisions, "size": self.sizes}
        empty = [
            name for name, choices in {**named, "batch": self.batches, "threads": self.threads}.items() if not choices
        ]
        if empty:
            raise ConfigError(f"there is no {empty[0]} to measure; expected one or more")
        engines = list(product(_once(self.models), backends, precisions))
        loads = list(product(_once(self.sizes), _once(self.batches), _once(self.threads)))
        return [Case(*engine, self.device, *load) for engine in engines for load in loads]

    @property
    def tries_all(self) -> bool:
        """Whether cases may turn out not to exist on this machine: nobody named each of them."""
        return ALL in self.backends or ALL in self.precisions


def _spread(chosen: tuple[str, ...], known: Sequence[str]) -> tuple[str, ...]:
    return _once(tuple(each for name in chosen for each in (known if name == ALL else (name,))))


def _once(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    return tuple(dict.fromkeys(choices))
