"""Of several downloads of one file, in threads or processes, one works and the others wait."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from midas.storage.downloads import _only_one

HOLD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from midas.storage.downloads import _only_one
with _only_one(Path(sys.argv[1]), while_waiting=lambda: None):
    print("held", flush=True)
    time.sleep(60)
"""


def test_only_one_runs_the_block_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        with _only_one(tmp_path / "lock", while_waiting=lambda: None):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(8)))
    assert most == [1] * 8
    assert list(tmp_path.iterdir()) == []


def test_a_lock_ends_with_the_process_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD_UNTIL_KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        waits: list[None] = []
        with _only_one(path, while_waiting=lambda: waits.append(other.kill())) as held:
            assert held
        assert waits
