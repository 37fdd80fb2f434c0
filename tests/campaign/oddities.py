"""Odd names, odd shapes, absurd settings: one command each, and one line for what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from tests.campaign.findings import SLOW_S, Part

NAMES = [
    b"plain.jpg",
    b"two\nlines.jpg",
    b"\x1b[31mred\x1b[0m.jpg",
    b"back\rto the start.jpg",
    b"-o.jpg",
    b"--help.jpg",
    b"'quotes\" and `ticks`.jpg",
    b"%s %d {0}.jpg",
    b"[brackets]*.jpg",
    b"no utf-8 \xff\xfe.jpg",
    "\u202egpj.right to left.jpg".encode(),
    "Straße 東京 😀.jpg".encode(),
    b"n" * 246 + b".jpg",
    b" leading and trailing .jpg",
    b"dots...jpg",
    b".hidden.jpg",
    b"CON.jpg",
]

SETTINGS = [
    "--size 0", "--size -1", "--size 4097", "--size 100000", "--size 1e3", "--size 99999999999999999999",
    "--threads 0", "--threads 513", "--threads 20000", "--batch 0", "--batch 100000", "--tile 0", "--tile 9",
    "--max-megapixels inf", "--max-megapixels nan", "--max-megapixels -1", "--max-megapixels 1e300",
    "--format ,", "--format nothing", "--colormap nothing", "--backend nothing", "--device cuda:99", "--precision int3",
    "--max-megapixels 0", "--model nothing", "--model /", "--model /dev/null", "--model " + "n" * 5000,
    "--weights nothing.pt", "-o /dev/null", "-o /proc",
]  # fmt: skip

# (height, width); as much work as a picture of so many pixels, and no more.
SHAPES = [(1, 1), (1, 2), (3, 1), (1, 5000), (5000, 1), (1, 1_000_000), (1_000_000, 1), (2, 65_536), (7, 20_000)]


def odd_names() -> Part:
    """Predict a folder of pictures with names that mean something to shells, terminals or file systems."""
    part = Part("names")
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        pictures = Path(folder, "pictures")
        pictures.mkdir()
        photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8))
        photo.save(pictures / "x.jpg")
        content = (pictures / "x.jpg").read_bytes()
        (pictures / "x.jpg").unlink()
        for name in NAMES:
            with open(os.path.join(os.fsencode(pictures), name), "wb") as file:  # noqa: PTH118, PTH123
                file.write(content)
        finished = _midas("predict", str(pictures), "-o", str(Path(folder, "out")), "--json", "--threads", "1")
        reported = [json.loads(line) for line in finished.stdout.splitlines()]
        wanted = [name for name in NAMES if not name.startswith(b".")]
        part.tried = len(NAMES)
        part.outcomes["maps"] = sum("outputs" in line for line in reported)
        part.outcomes["left out as hidden"] = len(NAMES) - len(wanted)
        if {os.fsencode(Path(line["input"]).name) for line in reported} != set(wanted) or finished.returncode:
            part.found("foreign", f"status {finished.returncode}, {len(reported)} of {len(wanted)}: {finished.stderr}")
        for line in finished.stderr.splitlines():
            part.found("line", line)
    return part


def absurd_settings() -> Part:
    """One run for each setting without sense."""
    part = Part("settings")
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        photo = Path(folder, "photo.png")
        Image.new("RGB", (64, 48)).save(photo)
        for setting in SETTINGS:
            start = processor_s_of_children()
            words = setting.split(" ", 1)
            output = [] if "-o" in words else ["-o", str(Path(folder, "out"))]
            finished = _midas("predict", str(photo), *output, *words)
            part.tried += 1
            if finished.returncode not in (1, 2) or "Traceback" in finished.stderr:
                part.found("foreign", f"{setting[:60]}: status {finished.returncode} {finished.stderr[-200:]}")
            else:
                part.outcomes["refused"] += 1
            if "not foreseen" in finished.stderr:
                part.found("foreign", f"{setting[:60]}: {finished.stderr[-200:]}")
            if processor_s_of_children() - start > SLOW_S:  # start included
                part.found("slow", setting[:60])
    return part


def odd_shapes() -> Part:
    """Pictures that are strips: seconds of the processor's time, in a process that is warm."""
    import midas

    part = Part("shapes")
    predictor = midas.load(backend="onnxruntime", threads=1)
    predictor(np.zeros((64, 64, 3), np.uint8))
    for size in SHAPES:
        start = time.process_time()
        depth_map = predictor(np.zeros((*size, 3), np.uint8))
        part.tried += 1
        part.outcomes["maps"] += depth_map.size == size
        if time.process_time() - start > SLOW_S:
            part.found("slow", f"{size}: {time.process_time() - start:.1f} s")
    return part


def processor_s_of_children() -> float:
    """Seconds of the processor's time that processes took which this one started and which are over."""
    times = os.times()
    return times.children_user + times.children_system


def _midas(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "midas", *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="surrogateescape", check=False)
