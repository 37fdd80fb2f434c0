"""What ``midas data render`` needs to run without Blender: a stand-in for the generator, in an environment's place."""

from __future__ import annotations

import sys
from pathlib import Path

from midas.scenes.rendered.environment import BODY_REQUIREMENTS, REQUIREMENTS, RenderEnvironment
from midas.scenes.rendered.library import Library

STAND_IN = Path(__file__).parents[1] / "scenes" / "rendered" / "stand_in.py"
_LIBRARY_SCALE = 0.001


class _StandIn(RenderEnvironment):
    """An environment whose processes are the stand-in, to make a library with."""

    @property
    def command(self) -> list[str]:
        return [sys.executable, str(STAND_IN)]

    body_command = command


def write_stand_in(folder: Path) -> list[str]:
    """Write an environment and a library that the command takes for finished ones; the options that name them."""
    environment, library = folder / "environment", folder / "library"
    if not environment.exists():
        python = environment / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}"\n', encoding="utf-8")
        python.chmod(0o755)
        requirements = [path.read_text(encoding="utf-8") for path in (REQUIREMENTS, BODY_REQUIREMENTS)]
        (environment / "midas-requirements.txt").write_text("".join(requirements), encoding="utf-8")
        Library(library).build(_StandIn(environment), scale=_LIBRARY_SCALE)
    return ["--environment", str(environment), "--library", str(library)]
