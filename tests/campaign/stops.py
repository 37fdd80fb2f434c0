"""Commands that are stopped at all times of their life, by Ctrl-C, by SIGTERM, and with no chance to do anything."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from tests.campaign.commands import LongCommand, leftovers, whole_outputs
from tests.campaign.findings import Part

import midas

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def stopped_command(command: LongCommand, times: int, seed: int) -> Part:
    """Stop a command so many times by each signal, at random moments, and let it finish in the end."""
    part = Part(f"stopped: {command.name}")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        folder = Path(name)
        (folder / "whole").mkdir()
        start = time.monotonic()
        subprocess.run(command.line(folder / "whole"), check=True, capture_output=True, cwd=folder)
        duration_s = time.monotonic() - start
        for number in range(times * len(SIGNALS)):
            sent, delay_s = SIGNALS[number % len(SIGNALS)], float(rng.uniform(0, 0.9 * duration_s))
            _stop_once(part, command, folder, sent, delay_s)
        _finish(part, command, folder)
    return part


def _stop_once(part: Part, command: LongCommand, folder: Path, sent: signal.Signals, delay_s: float) -> None:
    # After the first time some of the output is there; who goes on with it must be able to.
    again = (folder / "run" / "out").exists() and bool(any((folder / "run" / "out").iterdir()))
    (folder / "run").mkdir(exist_ok=True)
    which = f"{command.name}, {sent.name} after {delay_s:.2f} s"
    process = subprocess.Popen(
        command.line(folder / "run", again=again), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(delay_s)
    process.send_signal(sent)
    try:
        _, said = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
        part.found("slow", f"{which}: still there after 120 s")
    part.tried += 1
    status = process.returncode
    # Before Python has got as far as our first line, the signal does as it does by default.
    expected = {0, -sent, 128 + sent}
    if again and command.name == "train" and "nothing to resume" in said:
        expected.add(1)
    if sent == signal.SIGINT and status in (1, -sent) and interpreter_s_own(said):
        part.outcomes["before our first line"] += 1
        said = ""
    elif status not in expected:
        part.found("foreign", f"{which}: status {status}: {said[-300:]}")
    else:
        part.outcomes["done before" if status == 0 else "stopped"] += 1
    for line in command.nameless(said):
        part.found("line", f"{which}: {line!r}")
    if said.count("midas: ") > 1:
        part.found("line", f"{which}, more than one: {said[-300:]!r}")
    problem = whole_outputs(command, folder / "run" / "out")
    if problem:
        part.found("half", f"{which}: {problem}")
    if status == 0:  # from the beginning again
        shutil.rmtree(folder / "run" / "out")


def interpreter_s_own(said: str) -> bool:
    """Whether Ctrl-C met Python's own start, whose traceback no program can prevent: no frame of ours stands in it."""
    return said.rstrip().endswith("KeyboardInterrupt") and str(Path(midas.__file__).parent) not in said


def _finish(part: Part, command: LongCommand, folder: Path) -> None:
    """The run after the last one must succeed, and leave nothing but its output."""
    out = folder / "run" / "out"
    again = out.exists() and any(out.iterdir())
    finished = subprocess.run(
        command.line(folder / "run", again=again), cwd=folder, capture_output=True, text=True, check=False
    )
    part.tried += 1
    if finished.returncode:
        part.found("foreign", f"{command.name}, after all stops: {finished.stderr[-300:]}")
    else:
        part.outcomes["finished"] += 1
    problem = whole_outputs(command, out)
    if problem:
        part.found("half", f"{command.name}, after all stops: {problem}")
    for path in leftovers(out):
        part.found("leftover", f"{command.name}: {path}")
