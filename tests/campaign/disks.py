"""Commands whose output doesn't fit its disk: a small file system in memory, in a namespace of its own. Linux alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.campaign.commands import COMMANDS, LongCommand, leftovers, whole_outputs
from tests.campaign.findings import Part

# The least that a file takes there.
_PAGE_KB = 4


def available() -> bool:
    """Whether this machine lets us have file systems of our own."""
    if shutil.which("unshare") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", folder]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def full_disks() -> Part:
    """Run every long command on a disk that is too small for it."""
    part = Part("full disk")
    if not available():
        part.outcomes["not to be had here"] += 1
        return part
    for command in COMMANDS:
        with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
            inside = ["unshare", "-rm", sys.executable, "-m", "tests.campaign.disks", command.name, folder]
            finished = subprocess.run(inside, capture_output=True, text=True, check=False)
        part.tried += 1
        if finished.returncode:
            part.found("foreign", f"{command.name}: {finished.stderr[-300:]}")
            continue
        for kind, what in json.loads(finished.stdout):
            part.found(kind, f"{command.name}: {what}")
        part.outcomes["refused"] += 1
    return part


def _inside(command: LongCommand, folder: Path) -> list[tuple[str, str]]:
    """In the namespace: what is wrong with how a command fails."""
    line = command.line(folder)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    size_kb = max(command.room, _PAGE_KB)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "none", str(out)], check=True)
    (out / "filling").write_bytes(bytes(0 if command.room else 1024 * _PAGE_KB))
    finished = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    (out / "filling").unlink()
    faults = []
    lines = finished.stderr.strip().splitlines()
    if finished.returncode != 1 or not any("No space left on device" in each for each in lines):
        faults.append(("foreign", f"status {finished.returncode}: {finished.stderr[-300:]}"))
    faults += [("line", each) for each in command.nameless(finished.stderr)]
    problem = whole_outputs(command, out)
    return faults + [("half", problem)] * bool(problem) + [("leftover", path) for path in leftovers(out)]


if __name__ == "__main__":
    _name, _folder = sys.argv[1:]
    print(json.dumps(_inside(next(each for each in COMMANDS if each.name == _name), Path(_folder))))
