"""An environment for each peer."""

from __future__ import annotations

import subprocess
import sysconfig
import venv
from pathlib import Path

REQUIREMENTS = {
    "eager_torch": ("torch", "timm", "safetensors", "jaxtyping", "opencv-python-headless", "pillow"),
    "huggingface": ("transformers", "torch", "torchvision", "pillow"),
    "plain_onnxruntime": ("onnxruntime", "opencv-python-headless"),
}


def python_of(peer: str, folder: Path, *, fresh: bool) -> str:
    """The interpreter of a peer's environment, which is made first if it isn't there.

    Args:
        peer: a key of REQUIREMENTS.
        folder: where environments are kept.
        fresh: whether everything comes from PyPI, several gigabytes; if not, packages that the environment of this
            process has in versions that will do are used from there, and only the others are installed.
    """
    home = folder / (f"{peer}_fresh" if fresh else peer)
    python = home / "bin" / "python"
    done = home / "requirements_are_installed"
    if not done.exists():
        venv.create(home, with_pip=True, clear=True)
        if not fresh:
            packages = Path(run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
            (packages / "also_these.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS[peer])
        done.touch()
    return str(python)


def version_of(python: str, package: str) -> str:
    """A package's version there."""
    return run(python, "-c", f"from importlib.metadata import version; print(version({package!r}))").strip()


def run(*command: str) -> str:
    """What a command prints; it must succeed."""
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {finished.returncode}: {finished.stderr.strip()}")
    return finished.stdout
