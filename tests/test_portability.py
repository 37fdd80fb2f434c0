"""What only Linux or Unix has is used where it is there, and not missed where it isn't."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from tests.tiny_model import write_tiny_model

# A stand-in for Windows as far as another system can be one: what libraries of others ask for stays.
PROGRAM = """
import os, signal, sys
from pathlib import Path

for name in ("resource", "termios", "tty", "pty"):
    sys.modules[name] = None
for name in ("sched_getaffinity", "sysconf_names", "fork", "O_NONBLOCK", "O_CLOEXEC"):
    if hasattr(os, name):
        delattr(os, name)
if hasattr(signal, "SIGHUP"):
    del signal.SIGHUP
exists = Path.exists
Path.exists = lambda self, **options: not str(self).startswith("/proc") and exists(self, **options)

from midas.__main__ import main
from midas.bench.machine import describe_machine
from midas.bench.memory import peak_memory_mb

assert peak_memory_mb() is None
assert describe_machine().memory_gb is None
sys.argv = ["midas", "predict", "photo.png", "--model", "tiny.onnx", "-o", "map.npy"]
main()
"""


def test_a_picture_is_predicted_where_there_is_nothing_that_only_unix_has(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "tiny.onnx")
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(tmp_path / "photo.png")
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert (tmp_path / "map.npy").is_file()
