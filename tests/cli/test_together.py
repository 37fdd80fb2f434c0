"""Several commands at once, into one folder: each file once, no errors of a race, nothing left over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from midas.maps.depth_map import DepthMap

COMMANDS = 4


def test_commands_into_one_folder_write_each_file_once(examples_dir: Path, tmp_path: Path) -> None:
    photographs = sorted(examples_dir.glob("*.jpg"))[:3]
    for number in range(12):
        shutil.copy(photographs[number % 3], tmp_path / f"{number:02d}.jpg")
    command = [
        sys.executable,
        "-m",
        "midas",
        "predict",
        str(tmp_path),
        "-o",
        str(tmp_path / "depth"),
        "--format",
        "npy,png16",
    ]
    together = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(COMMANDS)
    ]
    said = [process.communicate()[1] for process in together]
    assert [process.returncode for process in together] == [0] * COMMANDS, said
    assert not any("error" in text for text in said)
    written = {path.name for path in (tmp_path / "depth").iterdir()}
    assert written == {f"{number:02d}{suffix}" for number in range(12) for suffix in (".npy", ".png")}
    assert all(DepthMap.load(tmp_path / "depth" / name).size for name in written)


def test_a_file_that_is_there_is_never_touched_by_any_of_them(examples_dir: Path, tmp_path: Path) -> None:
    photograph = sorted(examples_dir.glob("*.jpg"))[0]
    command = [sys.executable, "-m", "midas", "predict", str(photograph), "-o", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = tmp_path.iterdir()
    before = path.stat()
    for process in [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]:
        process.communicate()
        assert process.returncode == 0
    assert path.stat() == before
