"""Every exception that this package raises on purpose, in one tree; its warnings; and the net of every boundary.

Each message says what was wrong, what was expected, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Longer ones repeat a whole file, or a library's source.
_REASON_CHARACTERS = 300


class MidasError(Exception):
    """Base of all errors of this package; the command line prints its text in place of a traceback.

    Args:
        message: one line, which may hold names from outside.
        below: further lines of our own making, such as how a folder should be laid out.
    """

    def __init__(self, message: str = "", *, below: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.below = below

    def __str__(self) -> str:
        return f"{self.message}\n{self.below}" if self.below else self.message


class ImageError(MidasError):
    """A picture that can't be read: missing, truncated, empty, not an image, too large."""


class UnknownFormatError(ImageError):
    """Data that are no picture, or one of a kind that can't be read."""


class TooManyPixelsError(ImageError):
    """A picture that has more pixels than it may have."""


class VideoError(MidasError):
    """A film that can't be read: missing, without moving pictures, damaged from the start."""


class OutputError(MidasError):
    """A depth map that can't be written or read back: unknown format, existing file, full disk."""


class FileThereError(OutputError):
    """An output file that is there already, and may not be replaced."""


class StorageError(MidasError):
    """A file system or an object store that refuses, or doesn't answer."""


class TooManyFailuresError(MidasError):
    """A job that was ended because more of its pictures failed than may."""


class AlignmentError(MidasError):
    """Scale and shift that can't be determined: too few points, a constant prediction."""


class ModelError(MidasError):
    """A model that can't be found or built, or an input that it doesn't accept."""


class WeightsError(MidasError):
    """A weight file that is missing, damaged, or doesn't fit its network."""


class DownloadError(WeightsError):
    """A file that can't be fetched.

    Args:
        message: what was wrong and what to do.
        status: the HTTP status, where that is what was wrong.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ConfigError(MidasError):
    """A setting that is unknown, of the wrong type, or out of range."""


class UnsuitableProtocolError(ConfigError):
    """Rules or a figure of an evaluation that a set can't have: for want of a unit or a zero, or of rules for it."""


class DatasetError(MidasError):
    """A data set that is missing, half there, or not laid out as expected."""


class RenderError(MidasError):
    """A generator of rendered scenes that can't be set up or run, or output that doesn't go with earlier output."""


class TrainingError(MidasError):
    """A training run that can't go on: a loss that is no number, a checkpoint of another run."""


class MissingExtraError(MidasError):
    """A feature whose optional packages aren't installed.

    Args:
        feature: what was asked for, as the user would name it.
        extra: the extra of this package that brings it, for instance ``"lab"``.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs more packages: pip install 'midas-depth[{extra}]'")
        self.feature = feature
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.feature, self.extra)


class LicenceWarning(UserWarning):
    """Weights on terms that forbid what one might want to do with them."""


class PrecisionWarning(RuntimeWarning):
    """A number format that was too small for a picture, which was therefore computed again in a larger one."""


class DamageWarning(UserWarning):
    """A picture that isn't all there, and was read all the same."""


class EmptyMapWarning(UserWarning):
    """A map that is next to all zero, as with the weights of another network."""


class CostWarning(UserWarning):
    """A setting that makes every picture take many times as long, or as much memory, as it would without."""


@contextmanager
def net(problem: str, kind: type[MidasError], advice: str = "", *, item: str = "") -> Iterator[None]:
    """Where something from outside meets us: whatever its handling raises becomes an error of ours, for this one item.

    This is the only place in the package, but for the command line's own, that catches broadly. A boundary is what
    enters it; ``tests/architecture`` lists them. Errors of ours pass as they are, and so does what ends a process:
    ``KeyboardInterrupt``, ``SystemExit``. The original error stays the cause, with its traceback.

    Args:
        problem: the item, and what can't be done with it: ``"photo.jpg can't be read"``.
        kind: of the error.
        advice: what to do about it.
        item: what errors of ours that don't name it are given for a beginning.

    Raises:
        MidasError: of that kind, in place of any other exception.
    """
    try:
        yield
    except MidasError as error:
        if item not in error.message:
            error.message = f"{item}: {error.message}"
        raise
    except BaseException as error:
        if not is_failure(error):
            raise
        raise kind(f"{problem}: {reason_of(error)}{advice and '; '}{advice}") from error


def is_failure(error: BaseException) -> bool:
    """Whether an exception says that something failed, and not that the process is to end.

    Libraries in Rust raise their panics outside of ``Exception``.
    """
    return isinstance(error, Exception) or type(error).__module__ == "pyo3_runtime"


def reason_of(error: BaseException) -> str:
    """Why it failed, in one line: what the system or a library says, without their advice."""
    if isinstance(error, MidasError):
        return error.message
    if isinstance(error, MemoryError) or "std::bad_alloc" in str(error):
        return "there is too little memory for it"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    for each in (error, error.__context__):  # PyTorch, for one, puts words of its own over the system's
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{first[:_REASON_CHARACTERS]} ({type(error).__name__})" if first else type(error).__name__
