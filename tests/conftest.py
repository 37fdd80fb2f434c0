"""What all tests share: shapes in signatures are checked at every call, and where the files are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

REPOSITORY = Path(__file__).resolve().parents[1]

# Processes side by side share the cores; threads of each beyond its share would only wait for one another.
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    _SHARE = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, _SHARE)))

# Before the first import of midas: from here on a wrong shape or type in a call or a return raises. Not in the command
# line: typer calls commands with a context class of its own, which is not the one in their signatures.
install_import_hook(
    [f"midas.{entry.stem}" for entry in (REPOSITORY / "src" / "midas").glob("[!_.]*") if entry.stem != "cli"],
    "beartype.beartype",
)

# A busy machine is no reason to fail, and two runs of one commit must agree.
settings.register_profile("midas", deadline=None, derandomize=True)
settings.load_profile("midas")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many processes as cores for the whole suite, up to what memory bears; none for files that are named."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return min(8, os.cpu_count() or 1)
    config.option.dist = "no"
    return 0


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def examples_dir() -> Path:
    """The folder of example photographs."""
    return REPOSITORY / "examples"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The data folder beside the repository, which not every checkout has."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared folder beside this checkout")
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
