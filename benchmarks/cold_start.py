"""Cold start: `midas predict one.jpg`, process start to file written, beside `import torch, timm` alone.

The two run in turns, so that what else the machine does weighs on both alike.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

CLAIM = 0.2
RIVAL = [sys.executable, "-c", "import torch, timm"]


def main() -> None:
    """Time both in turns and print medians and their ratio."""
    options = read_options()
    photograph = options.photograph or first_photograph(options.examples)
    midas_s, rival_s = [], []
    for run in range(options.runs + 1):
        with tempfile.TemporaryDirectory(prefix="midas-bench-") as folder:
            predict = [
                sys.executable,
                "-m",
                "midas",
                "predict",
                str(photograph),
                "-o",
                folder,
                "--model",
                options.model,
            ]
            times = seconds_of(predict), seconds_of(RIVAL)
            assert list(Path(folder).iterdir()), "midas predict wrote nothing"
        if run:  # the first one fills the disk's cache
            midas_s.append(times[0])
            rival_s.append(times[1])
    print(f"| command, {options.runs} runs | median, s | range, s |\n|---|---|---|")
    for name, seconds in (("`midas predict one.jpg`", midas_s), ('`python -c "import torch, timm"`', rival_s)):
        print(f"| {name} | {median(seconds):.3f} | {min(seconds):.3f}–{max(seconds):.3f} |")
    ratios = [ours / theirs for ours, theirs in zip(midas_s, rival_s, strict=True)]
    print(f"\nratio, median of the turns: {median(ratios):.3f} (claimed: at most {CLAIM})")


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    repository = Path(__file__).resolve().parents[1]
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default: 7)")
    parser.add_argument("--photograph", type=Path, help="the picture (default: the first of the examples)")
    parser.add_argument("--examples", type=Path, default=repository / "examples", help="folder of examples")
    parser.add_argument("--model", default="midas_nano_256", help="model name or file")
    return parser.parse_args()


def first_photograph(folder: Path) -> Path:
    """The first JPEG of a folder."""
    photographs = sorted(folder.glob("*.jpg"))
    if not photographs:
        raise SystemExit(f"{folder} holds no JPEG; name one with --photograph")
    return photographs[0]


def seconds_of(command: list[str]) -> float:
    """Seconds from the start of a process to its end; it must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
