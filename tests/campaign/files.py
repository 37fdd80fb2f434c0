"""Damaged files by the thousand: a worker tries them, and is started again behind what it died of."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.campaign.findings import SLOW_S, Part

# A file on which a worker says nothing for so long has hanged it.
PATIENCE_S = 60.0


def damaged_files(kind: str, count: int, seed: int) -> Part:
    """Try so many damaged files of a kind that ``worker.KINDS`` knows."""
    part = Part(kind)
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        first = 0
        while first < count:
            first = _run(part, kind, seed, first, count - first, Path(folder))
    return part


def _run(part: Part, kind: str, seed: int, first: int, count: int, folder: Path) -> int:
    """Run a worker; the number of the file to go on with."""
    command = [sys.executable, "-m", "tests.campaign.worker", kind, str(seed), str(first), str(count), str(folder)]
    at, name = first, ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(worker.stdout, selectors.EVENT_READ)
            begun = False
            while True:
                # Starting takes its time: libraries are imported, a checkpoint is made.
                if not selector.select(PATIENCE_S if begun else 20 * PATIENCE_S):
                    worker.kill()
                    part.found("slow", f"{kind} {seed} {at} ({name}): more than {PATIENCE_S:.0f} s")
                    part.tried += 1
                    return at + 1
                line = worker.stdout.readline()
                if not line:
                    break
                answer: dict[str, Any] = json.loads(line)
                begun = True
                if "begins" in answer:
                    at, name = answer["begins"], answer["name"]
                else:
                    note(part, kind, seed, answer)
                    at = answer["number"] + 1
        worker.wait()
        if worker.returncode:
            assert worker.stderr is not None
            said = worker.stderr.read().strip()[-300:]
            if not begun:
                raise RuntimeError(f"the worker for {kind} can't start: {said}")
            part.found("crash", f"{kind} {seed} {at} ({name}): status {worker.returncode} {said}")
            part.tried += 1
            return at + 1
    return first + count


def note(part: Part, kind: str, seed: int, answer: dict[str, Any]) -> None:
    """Note what a worker says of a file."""
    part.tried += 1
    which = f"{kind} {seed} {answer['number']} ({answer['name']})"
    if answer["foreign"]:
        part.found("half" if "half a file" in answer["foreign"] else "foreign", f"{which}: {answer['foreign']}")
    else:
        part.outcomes[answer["outcome"]] += 1
    if answer["seconds"] > SLOW_S:
        part.found("slow", f"{which}: {answer['seconds']:.1f} s")
    if answer["said"]:
        part.found("line", f"{which}: {answer['said'][:200]!r}")
    if answer["left"]:
        part.found("leftover", which)
