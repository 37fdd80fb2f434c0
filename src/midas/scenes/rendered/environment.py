"""The environment that the generator runs in: Python 3.11 with Blender and Infinigen, made once, used ever after."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from midas.errors import RenderError
from midas.scenes.rendered.claims import LOCK, claimed

PYTHON = "python3.11"
GENERATOR = Path(__file__).parent / "generator"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
BODY_REQUIREMENTS = Path(__file__).parent / "requirements-bodies.txt"

_STAMP = "midas-requirements.txt"
_UNFINISHED = "midas-unfinished"
_BODIES = "bodies"


@dataclass(frozen=True)
class RenderEnvironment:
    """A virtual environment for Blender and Infinigen, and beside it the packages for bodies.

    Bodies are computed with torch, which is large and which this installation has; so Anny goes to a folder of its own
    that only the subprocess for bodies sees.

    Attributes:
        folder: of the environment.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def command(self) -> list[str]:
        """Starts a process of the generator that renders scenes and builds assets."""
        return [str(self.python), "-s", str(GENERATOR)]

    @property
    def body_command(self) -> list[str]:
        """Starts a process of the generator that makes bodies."""
        return [sys.executable, str(GENERATOR), "--packages", str((self.folder / _BODIES).resolve())]

    def is_ready(self) -> bool:
        """It was made to its end, by these very requirements, or by hand with the generator's packages in it."""
        if (self.folder / _UNFINISHED).exists():
            return False
        stamp = self.folder / _STAMP
        if stamp.exists():
            return stamp.read_text(encoding="utf-8") == _wanted()
        return self.python.exists() and not self._missing()

    def make(self, *, python: str = PYTHON) -> None:
        """Make the environment, unless it is there; one whose making was interrupted is made again.

        Args:
            python: name or path of a Python 3.11.

        Raises:
            RenderError: there is no Python 3.11, the folder holds something else, another process is making it, or an
                installation failed.
        """
        if self.is_ready():
            return
        interpreter = shutil.which(python)
        if interpreter is None:
            raise RenderError(
                f"rendering needs Python 3.11, for which Blender and Infinigen are made, and there is no {python!r}: "
                "install it beside this one, or name an environment that has them with --environment"
            )
        _run(
            [interpreter, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 11))"],
            f"{interpreter} is no Python 3.11",
        )
        self._check_folder()
        with claimed(self.folder, "made"):
            (self.folder / _UNFINISHED).touch()
            self._install(interpreter)
            (self.folder / _STAMP).write_text(_wanted(), encoding="utf-8")
            (self.folder / _UNFINISHED).unlink()

    def _check_folder(self) -> None:
        """Whatever else lives in the folder, such as one's own environment, would not survive these versions."""
        ours = any((self.folder / name).exists() for name in (_STAMP, _UNFINISHED))
        if not ours and self.folder.is_dir() and any(each.name != LOCK for each in self.folder.iterdir()):
            raise RenderError(
                f"{self.folder} holds something else than an environment for rendering, whose packages would replace "
                "those that are there: name a new folder with --environment"
            )

    def _install(self, interpreter: str) -> None:
        _run([interpreter, "-m", "venv", str(self.folder)], f"no virtual environment could be made in {self.folder}")
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--no-deps", "--requirement", str(REQUIREMENTS)], "Blender and Infinigen could not be installed")
        bodies = ["--no-deps", "--target", str(self.folder / _BODIES), "--requirement", str(BODY_REQUIREMENTS)]
        _run([*pip, *bodies], "Anny, for bodies, could not be installed")

    def _missing(self) -> bool:
        packages = self.folder / "lib" / PYTHON / "site-packages"
        return not all((packages / name).is_dir() for name in ("bpy", "infinigen"))


def _wanted() -> str:
    return REQUIREMENTS.read_text(encoding="utf-8") + BODY_REQUIREMENTS.read_text(encoding="utf-8")


def _run(command: list[str], trouble: str) -> None:
    """Run a command to its end.

    Raises:
        RenderError: it failed; the message ends in the last line that it wrote.
    """
    try:
        finished = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise RenderError(f"{trouble}: {error}") from error
    if finished.returncode != 0:
        lines = [line.strip() for line in (finished.stdout + finished.stderr).splitlines() if line.strip()]
        raise RenderError(f"{trouble}: {lines[-1] if lines else f'status {finished.returncode}'}")
