"""The environment for rendering: made once, or one sentence that says why not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from midas.errors import RenderError
from midas.scenes.rendered.claims import claimed
from midas.scenes.rendered.environment import BODY_REQUIREMENTS, GENERATOR, REQUIREMENTS, RenderEnvironment

unix_only = pytest.mark.skipif(os.name != "posix", reason="the stand-in for Python is a shell script")


def fake_python(folder: Path, failing: str = "") -> Path:
    """A program that makes environments by copying itself, and fails where a word is among its arguments.

    What it installs into an environment is what the generator looks for first.
    """
    path = folder / "python3.11"
    path.write_text(
        f"""#!/bin/sh
case "$*" in *"{failing or "no such word"}"*) echo "ERROR: no matching distribution" >&2; exit 1;; esac
echo "$*" >> {folder}/calls
if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi
case "$*" in
*requirements.txt) p="$(dirname "$0")/../lib/python3.11/site-packages"; mkdir -p "$p/bpy" "$p/infinigen";;
esac
""",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


@unix_only
def test_an_environment_is_made_once(tmp_path: Path) -> None:
    environment = RenderEnvironment(tmp_path / "environment")
    environment.make(python=str(fake_python(tmp_path)))
    calls = (tmp_path / "calls").read_text(encoding="utf-8")
    assert f"--no-deps --requirement {REQUIREMENTS}" in calls
    assert f"--target {tmp_path}/environment/bodies --requirement {BODY_REQUIREMENTS}" in calls
    environment.make(python=str(fake_python(tmp_path)))
    assert (tmp_path / "calls").read_text(encoding="utf-8") == calls


def test_without_python_311_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"needs Python 3\.11.*'python3\.11-missing'"):
        RenderEnvironment(tmp_path / "environment").make(python="python3.11-missing")


@unix_only
def test_another_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"is no Python 3\.11"):
        RenderEnvironment(tmp_path / "environment").make(python=str(fake_python(tmp_path, "version_info")))


@unix_only
@pytest.mark.parametrize(
    ("failing", "trouble"),
    [
        ("requirements.txt", "Blender and Infinigen"),
        ("requirements-bodies", "Anny"),
        ("venv", "no virtual environment"),
    ],
)
def test_a_failed_installation_is_told_with_its_last_line(tmp_path: Path, failing: str, trouble: str) -> None:
    environment = RenderEnvironment(tmp_path / "environment")
    with pytest.raises(RenderError, match=f"{trouble}.*: ERROR: no matching distribution"):
        environment.make(python=str(fake_python(tmp_path, failing)))
    assert not environment.is_ready()
    # The same call goes on once the reason is gone: half of the packages are no environment.
    environment.make(python=str(fake_python(tmp_path)))
    assert environment.is_ready()


@unix_only
def test_a_folder_with_something_else_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "venv"
    (own / "bin").mkdir(parents=True)
    (own / "pyvenv.cfg").write_text("home = /usr/bin\n", encoding="utf-8")
    with pytest.raises(RenderError, match=r"holds something else.*name a new folder with --environment"):
        RenderEnvironment(own).make(python=str(fake_python(tmp_path)))
    assert sorted(path.name for path in own.iterdir()) == ["bin", "pyvenv.cfg"]


@unix_only
def test_a_file_in_the_environment_s_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "environment").touch()
    with pytest.raises(RenderError, match="environment can't be written to: "):
        RenderEnvironment(tmp_path / "environment").make(python=str(fake_python(tmp_path)))


@unix_only
def test_two_processes_do_not_make_one_environment(tmp_path: Path) -> None:
    environment, python = RenderEnvironment(tmp_path / "environment"), str(fake_python(tmp_path))
    refused = pytest.raises(RenderError, match="environment is being made by another process: wait")
    with claimed(environment.folder, "made"), refused:
        environment.make(python=python)
    environment.make(python=python)


def test_bodies_are_made_by_this_interpreter(tmp_path: Path) -> None:
    command = RenderEnvironment(tmp_path).body_command
    assert command[:2] == [sys.executable, str(GENERATOR)]


@pytest.mark.parametrize("path", [REQUIREMENTS, BODY_REQUIREMENTS])
def test_every_requirement_is_pinned(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines
    assert [line for line in lines if "==" not in line] == []
