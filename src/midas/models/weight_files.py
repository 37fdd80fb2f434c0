"""Where a model's weight files are: in the package, in the cache, or on the web and then in the cache.

Environment variables: ``MIDAS_CACHE`` names the folder of the cache; ``MIDAS_OFFLINE=1`` forbids downloads;
``MIDAS_MIRROR`` is the address of a folder that holds the published files under their names, asked in place of theirs.
"""

from __future__ import annotations

import json
import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from midas.assets import asset_path
from midas.errors import ConfigError, DownloadError, LicenceWarning, OutputError, WeightsError
from midas.models.specs import Format, ModelSpec, WeightsFile
from midas.storage.atomic import atomic_file
from midas.storage.partial_files import sha256_of

CACHE_VARIABLE = "MIDAS_CACHE"
OFFLINE_VARIABLE = "MIDAS_OFFLINE"
MIRROR_VARIABLE = "MIDAS_MIRROR"

_FOLDER_NAME = "midas-depth"
_SWITCH = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("", "0", "false", "no", "off"), False)
_NOT_THERE = frozenset({404, 410})


@dataclass(frozen=True)
class FoundWeights:
    """A model's weights on this machine.

    Attributes:
        path: the file.
        file: what the model table says of it.
    """

    path: Path
    file: WeightsFile


def find_weights(spec: ModelSpec, *formats: Format, offline: bool | None = None) -> FoundWeights:
    """A model's preferred file of weights, downloaded if it has to be.

    A file that is part of the package comes first, then one in the cache, then the first that can be downloaded.

    Args:
        spec: the model.
        formats: those that will do; all, if none is named.
        offline: whether downloads are forbidden; None leaves it to ``MIDAS_OFFLINE``.

    Raises:
        WeightsError: the model has no file in these formats, or the file is missing or damaged.
        DownloadError: the file can't be downloaded.
        ConfigError: an environment variable makes no sense.
    """
    files = [file for file in spec.weights.files if not formats or file.format in formats]
    if not files:
        offered = ", ".join(sorted({file.format for file in spec.weights.files})) or "no format"
        raise WeightsError(f"{spec.name} has no weights as {' or '.join(formats)}; expected one of: {offered}")
    warn_of_licence(spec)
    for file in sorted(files, key=lambda file: file.url is not None):
        path = local_path(file)
        if path is not None:
            if file.url is not None:
                check_cached(path, file)
            return FoundWeights(path, file)
    if _is_offline() if offline is None else offline:
        places = ", or ".join(f"{_address(file)} at {cache_folder() / file.name}" for file in files)
        raise WeightsError(
            f"the weights of {spec.name} are not in the cache, and downloads are forbidden: allow them, or put {places}"
        )
    return _download_first(files)


def local_path(file: WeightsFile) -> Path | None:
    """Where a file is on this machine: in the package or in the cache; None if it would have to be downloaded.

    Raises:
        WeightsError: a file of the package is missing.
    """
    if file.url is None:
        path = asset_path(file.name)
        if not path.is_file():
            raise WeightsError(f"{path} is missing, which is part of midas-depth; install the package again")
        return path
    path = cache_folder() / file.name
    return path if path.is_file() else None


def cache_folder() -> Path:
    """The folder of downloaded files: ``MIDAS_CACHE``, or the one that the platform has for such things.

    Raises:
        ConfigError: neither is known.
    """
    try:
        chosen = os.environ.get(CACHE_VARIABLE)
        if chosen:
            return Path(chosen).expanduser()
        return platformdirs.user_cache_path(_FOLDER_NAME, appauthor=False, opinion=False)
    except RuntimeError as error:
        raise ConfigError(f"no folder for downloaded weights is known ({error}); set {CACHE_VARIABLE}") from error


def check_cached(path: Path, file: WeightsFile) -> None:
    """Make sure that a file in the cache is what it was when it came there.

    Its SHA-256 is recorded in ``<name>.sha256.json``, with the file's size and time of change. As long as these two
    stay the same, nothing is read again: hashing a gigabyte takes a second or two. A file without a record, as one put
    into the cache by hand, is hashed, compared with the digits that the model table knows, and recorded. The record
    outlives its file: what is downloaded anew must be what was there before.

    Raises:
        WeightsError: it is another file, or can't be read.
    """
    try:
        state = _state(path)
        record = _read_record(path)
        unchanged = record is not None and record[1] == state
        sha256 = record[0] if record and unchanged else sha256_of(path)
    except OSError as error:
        raise WeightsError(f"{path} can't be read: {error.strerror or error}") from error
    _compare(path, sha256, file.sha256_prefix, "as published")
    if record is not None:
        _compare(path, sha256, record[0], "as when it was first used")
    if not unchanged:
        _write_record(path, sha256)


@cache
def _warn_once(name: str, licence: str) -> None:
    warnings.warn(
        f"the weights of {name} are under {licence}, which forbids commercial use", LicenceWarning, stacklevel=2
    )


def warn_of_licence(spec: ModelSpec) -> None:
    """Warn, once per process and model, of weights that are not for commercial use."""
    if spec.weights.non_commercial:
        _warn_once(spec.name, spec.weights.licence)


def _download_first(files: list[WeightsFile]) -> FoundWeights:
    """The first file that is still published."""
    for file in files[:-1]:
        try:
            return _download(file)
        except DownloadError as error:
            if error.status not in _NOT_THERE:
                raise
    return _download(files[-1])


def _download(file: WeightsFile) -> FoundWeights:
    # The protocols of the web take as long to import as a photograph to read, and the built-in model needs none.
    from midas.storage.downloads import download, progress_bar

    path = cache_folder() / file.name
    # Some files lie where their authors may put others under the same name: what was used once here decides.
    record = _read_record(path)
    expected, advice = file.sha256_prefix, "try again"
    if record is not None and record[0].startswith(expected):
        expected, advice = record[0], _accept_another(path)
    with progress_bar(file.name) as progress:
        sha256 = download(_address(file), path, sha256_prefix=expected, advice=advice, progress=progress)
    _write_record(path, sha256)
    return FoundWeights(path, file)


def _accept_another(path: Path) -> str:
    record = _record_path(path)
    return f"it isn't the one that was first used here, as {record.name} says; to take it all the same, delete {record}"


def _address(file: WeightsFile) -> str:
    mirror = os.environ.get(MIRROR_VARIABLE)
    return f"{mirror.rstrip('/')}/{file.name}" if mirror else str(file.url)


def _is_offline() -> bool:
    text = os.environ.get(OFFLINE_VARIABLE, "").strip().lower()
    if text not in _SWITCH:
        raise ConfigError(f"{OFFLINE_VARIABLE} is {text!r}; expected 1 or 0")
    return _SWITCH[text]


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256.json")


def _compare(path: Path, sha256: str, expected: str, when: str) -> None:
    if not sha256.startswith(expected):
        raise WeightsError(
            f"{path} is damaged or another file: its SHA-256 begins with {sha256[:8]}, not with {expected[:8]} {when}; "
            f"delete it and {_record_path(path).name}"
        )


def _state(path: Path) -> tuple[int, int]:
    """Size in bytes and time of the last change in nanoseconds."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _read_record(path: Path) -> tuple[str, tuple[int, int]] | None:
    """The SHA-256 that was recorded for a file, and the file's state at that time; None without a legible record."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        record = json.loads(_record_path(path).read_text(encoding="utf-8"))
        return str(record["sha256"]), (int(record["size"]), int(record["mtime_ns"]))
    return None


def _write_record(path: Path, sha256: str) -> None:
    size, mtime_ns = _state(path)
    content = json.dumps({"sha256": sha256, "size": size, "mtime_ns": mtime_ns})
    # A cache that several people share may be read-only; then the file is hashed each time.
    with suppress(OutputError), atomic_file(_record_path(path), overwrite=True) as file:
        file.write(content.encode())
