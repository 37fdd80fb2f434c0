"""The folder of a run: one run lies in it, and nothing of it is replaced unless that is asked for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from midas.errors import ConfigError, OutputError
from midas.storage.atomic import atomic_file
from midas.training.config_files import to_toml
from midas.training.journal import EVENTS, LOG, PICTURES
from midas.training.state import BEST_WEIGHTS, CHECKPOINT, LAST_WEIGHTS, NAN_BATCH

CONFIG = "config.toml"
SHEET = "data.png"

_OWN = (CHECKPOINT, LOG, BEST_WEIGHTS, LAST_WEIGHTS, NAN_BATCH, CONFIG, SHEET, PICTURES, EVENTS)
_EPOCHS = "epoch_[0-9][0-9][0-9].safetensors"


def prepare_folder(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """See to it that a run may begin, or go on, in a folder.

    Args:
        folder: of the run.
        resume: the run that lies there goes on.
        overwrite: the run that lies there is removed; other files stay.

    Raises:
        ConfigError: a run lies there and neither was asked for, or both were.
        OutputError: it can't be removed.
    """
    if resume and overwrite:
        raise ConfigError("--resume goes on with the run in the folder and --overwrite removes it; give one of them")
    # Other processes of the same run find what the first has written by then.
    if resume or not is_first_process():
        return
    there = run_files(folder)
    if there and not overwrite:
        raise ConfigError(
            f"{folder} holds a run already ({there[0].name}); go on with it by --resume, replace it by --overwrite, or "
            "name another folder"
        )
    for path in there:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:
            raise OutputError(f"{path} can't be removed: {error.strerror}") from error


def check_continuing(folder: Path, *, resume: bool, overwrite: bool) -> tuple[bool, bool]:
    """Whether a run that is to begin or to go on resumes, and whether it replaces what lies there.

    A run that was killed before its first checkpoint has left its settings alone, and begins anew.

    Raises:
        ConfigError: one of the two was asked for besides.
    """
    if resume or overwrite:
        raise ConfigError("--continue finds out by itself whether to resume; leave out --resume and --overwrite")
    there = (folder / CHECKPOINT).is_file()
    return there, not there and not (folder / LAST_WEIGHTS).exists()


def run_files(folder: Path) -> list[Path]:
    """What a run has left in a folder."""
    named = [folder / name for name in _OWN]
    return [path for path in (*named, *sorted(folder.glob(_EPOCHS))) if path.exists()]


def is_first_process() -> bool:
    """Whether this is the only process of a run, or the first of those that ``torchrun`` or Fabric started."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0


def write_config(folder: Path, settings: dict[str, Any]) -> Path:
    """Write the settings of a run into its folder: ``midas train FOLDER/config.toml -o OTHER`` does it again."""
    path = folder / CONFIG
    if is_first_process():
        heading = "# The settings of the run in this folder; relative paths are from where it was started.\n"
        with atomic_file(path, overwrite=True) as file:
            file.write(f"{heading}\n{to_toml(settings)}".encode())
    return path
