"""Every exception that this package raises on purpose, in one tree, and the one warning that it gives.

Each message says what was wrong, what was expected, and what to do about it.
"""

from __future__ import annotations


class MidasError(Exception):
    """Base of all errors of this package; the command line prints its text in place of a traceback."""


class ImageError(MidasError):
    """A picture that can't be read: missing, truncated, empty, not an image, too large."""


class OutputError(MidasError):
    """A depth map that can't be written or read back: unknown format, existing file, full disk."""


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
    """Rules of an evaluation that a set can't keep: they need a unit or a zero that it hasn't, or don't know it."""


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
        self.extra = extra


class LicenceWarning(UserWarning):
    """Weights on terms that forbid what one might want to do with them."""


class PrecisionWarning(RuntimeWarning):
    """A number format that was too small for a picture, which was therefore computed again in a larger one."""


class DamageWarning(UserWarning):
    """A picture that isn't all there, and was read all the same."""
