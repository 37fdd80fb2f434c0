"""Tasks go to processes of their own, and their results come back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# What libraries read when they are loaded. OpenCV's and NumPy's threads are part of a whole prediction, too.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)

_LAST_LINES = 3


def environment(threads: int | None) -> dict[str, str]:
    """This process's environment variables, and the number of threads where it is given."""
    chosen = {} if threads is None else dict.fromkeys(THREAD_VARIABLES, str(threads))
    return {**os.environ, **chosen}


def run_task(task: dict[str, Any], *, threads: int | None = None) -> dict[str, Any]:
    """What ``midas.bench.worker`` makes of a task; where it fails, ``error`` says why.

    Args:
        task: what that module describes.
        threads: number of threads of every library in that process; None leaves it to them.
    """
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as folder:
        task_path, result_path = Path(folder, "task.json"), Path(folder, "result.json")
        task_path.write_text(json.dumps(task), encoding="utf-8")
        command = [sys.executable, "-m", "midas.bench.worker", str(task_path), str(result_path)]
        finished = subprocess.run(
            command, env=environment(threads), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", check=False,
        )  # fmt: skip
        if finished.returncode == 0 and result_path.exists():
            result: dict[str, Any] = json.loads(result_path.read_text(encoding="utf-8"))
            return result
    return {"error": _reason(finished.returncode, finished.stderr)}


def _reason(status: int, text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = "; ".join(lines[-_LAST_LINES:]) or "without a word"
    if status < 0:
        return f"its process was ended by signal {-status} ({said}); perhaps the machine has too little memory"
    return f"its process ended with status {status}: {said}"
