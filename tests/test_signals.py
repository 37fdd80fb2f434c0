"""A command that is stopped from outside ends in order, wherever it is: the right status, at most one line, no more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from midas.signals import Stopped

# Raises a signal when a module is about to be imported: the moments at which a command that starts is met.
STOPPED_AT = """
import signal, sys

wanted, sent = sys.argv[1:3]
sys.argv[:3] = ["midas"]


class Stopper:
    def find_spec(name, path=None, target=None):
        if name == wanted:
            signal.raise_signal(getattr(signal, sent))


from midas.__main__ import main

sys.meta_path.insert(0, Stopper)
main()
"""


def stop(module: str, sent: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", STOPPED_AT, module, sent, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on Unix")
@pytest.mark.parametrize("module", ["midas.cli", "typer", "midas.cli.predict", "cv2", "onnxruntime"])
def test_ctrl_c_during_the_start_gives_130_and_no_traceback(module: str, examples_dir: Path, tmp_path: Path) -> None:
    photograph = str(sorted(examples_dir.glob("*.jpg"))[0])
    finished = stop(module, "SIGINT", "predict", photograph, "-o", "depth", folder=tmp_path)
    assert (finished.returncode, finished.stdout) == (130, "")
    assert finished.stderr in ("", "midas: stopped\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on Unix")
def test_ctrl_c_before_the_handler_is_there_gives_130_and_no_traceback(tmp_path: Path) -> None:
    at_its_import = STOPPED_AT.replace("from midas.__main__ import main\n\n", "").replace(
        "main()", "from midas.__main__ import main"
    )
    command = [sys.executable, "-c", at_its_import, "midas.signals", "SIGINT"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")


def test_the_package_imports_nothing_until_it_is_asked() -> None:
    code = "import sys; before = set(sys.modules); import midas; print(sorted(set(sys.modules) - before))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "['midas']\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on Unix")
@pytest.mark.parametrize(("sent", "status"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_other_signals_end_like_ctrl_c(sent: str, status: int, examples_dir: Path, tmp_path: Path) -> None:
    photograph = str(sorted(examples_dir.glob("*.jpg"))[0])
    finished = stop("onnxruntime", sent, "predict", photograph, "-o", "depth", folder=tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (status, "", "midas: stopped\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on Unix")
@pytest.mark.parametrize("sent", ["SIGINT", "SIGHUP"])
def test_a_signal_that_the_parent_had_ignored_stays_ignored(sent: str) -> None:
    code = f"""
import signal
signal.signal(signal.{sent}, signal.SIG_IGN)
from midas.signals import raise_stopped_on_signals
raise_stopped_on_signals()
signal.raise_signal(signal.{sent})
print("still here")
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "still here\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_worker_ends_by_the_signal_itself_and_says_nothing() -> None:
    code = """
import os, signal
from midas.signals import raise_stopped_on_signals
raise_stopped_on_signals()
child = os.fork()
if not child:
    signal.raise_signal(signal.SIGTERM)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (finished.stdout, finished.stderr) == ("-15\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on Unix")
def test_a_signal_is_not_lost_in_a_destructor() -> None:
    code = """
import signal, time
from midas.signals import raise_stopped_on_signals
class Dying:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
raise_stopped_on_signals()
Dying()
time.sleep(30)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")


def test_the_status_is_that_of_a_shell() -> None:
    assert Stopped(15).code == 143
