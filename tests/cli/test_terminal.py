"""What a command says on streams of all kinds: consoles of other encodings, full disks, nothing at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from midas.cli.terminal import one_line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="streams are closed as on Unix")

ENCODINGS = ("cp1252", "cp437", "cp932", "cp949", "ascii")


def midas(redirected: str, *arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command in a shell, with its streams where ``redirected`` says."""
    script = f'exec "$@" {redirected}'
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "midas", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", check=False
    )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_console_that_lacks_a_character_gets_an_escape_in_its_place(encoding: str, tmp_path: Path) -> None:
    finished = midas("", "models", "--card", "midas_nano_256", folder=tmp_path, PYTHONIOENCODING=encoding)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "Not for decisions about safety" in finished.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["models"], ["--help"], ["--version"]], ids=" ".join)
@pytest.mark.parametrize("redirected", [">/dev/full", ">&-"])
def test_output_that_is_lost_is_an_error_in_one_line(redirected: str, arguments: list[str], tmp_path: Path) -> None:
    finished = midas(redirected, *arguments, folder=tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.startswith("midas: error: standard output can't be written to: ")
    assert finished.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize(("arguments", "status"), [(["predict", "nothere.jpg"], 1), (["predict", "--nope"], 2)])
def test_an_error_that_cant_be_told_still_has_its_status(
    redirected: str, arguments: list[str], status: int, tmp_path: Path
) -> None:
    finished = midas(redirected, *arguments, folder=tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (status, "", "")


def test_a_command_works_without_any_stream_and_its_files_hold_nothing_else(examples_dir: Path, tmp_path: Path) -> None:
    photograph = str(sorted(examples_dir.glob("*.jpg"))[0])
    finished = midas("<&- >&- 2>&-", "predict", photograph, "-o", "closed", folder=tmp_path)
    assert finished.returncode == 0
    midas("", "predict", photograph, "-o", "open", folder=tmp_path)
    (closed,), (opened,) = ((tmp_path / name).iterdir() for name in ("closed", "open"))
    assert closed.read_bytes() == opened.read_bytes()


def test_a_filter_without_input_says_so(tmp_path: Path) -> None:
    finished = midas("<&-", "predict", "-", folder=tmp_path)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.count("\n") == 1


def test_the_reader_of_a_pipe_may_go_at_any_time(tmp_path: Path) -> None:
    finished = midas("| head -n 1", "models", folder=tmp_path)
    assert finished.stdout.startswith("model ")
    assert finished.stderr == ""


def test_the_name_of_a_file_cant_pass_for_lines_of_ours(tmp_path: Path) -> None:
    name = "a\nmidas: error: forged\r\x1b[2Kmidas: 1 done\u202e.jpg"
    (tmp_path / name).write_bytes(b"no picture")
    finished = midas("", "predict", name, "-o", "depth", folder=tmp_path)
    assert finished.returncode == 1
    lines = finished.stderr.splitlines()
    assert [line.startswith("midas: error: a\\nmidas: error: forged\\r\\x1b[2K") for line in lines[:-1]] == [True]
    assert lines[-1] == "midas: 0 done, in depth; 1 failed"


@pytest.mark.parametrize("text", ["Straße 東京 😀", "tab\\t is two letters", "ñ\u0301"])
def test_names_in_any_script_are_shown_as_they_are(text: str) -> None:
    assert one_line(text) == text
