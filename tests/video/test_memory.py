"""A long film takes no more memory than a short one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tiny_model import write_tiny_model
from tests.video.clips import apart, ramp, write_clip

PROGRAM = """
import resource, sys
from pathlib import Path
import midas
from midas.video import FilmSettings, write_film
predictor = midas.load(sys.argv[1], backend="onnxruntime")
outputs = {"side-by-side": Path("long.mp4"), "values": Path("long.mkv")}
report = write_film(predictor, sys.argv[2], outputs, FilmSettings(end_s=float(sys.argv[3]), overwrite=True))
print(report.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n" + PROGRAM


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the address space, of Linux")
def test_four_thousand_frames_go_through_two_gigabytes_of_address_space(tmp_path: Path) -> None:
    tiny = write_tiny_model(tmp_path / "tiny.onnx")
    clip = write_clip(tmp_path / "clip.mkv", (ramp(number, (96, 128)) for number in range(4000)))
    command = [sys.executable, "-c", LIMITED, str(tiny), str(clip), "160"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ, cwd=tmp_path)
    assert done.stdout.split()[0] == "4000"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="resource usage of POSIX")
@pytest.mark.parametrize("behind", [True, False], ids=["behind", "in front"])
def test_ten_minutes_of_sound_apart_from_the_pictures_take_the_memory_of_ten_seconds(
    tmp_path: Path, *, behind: bool
) -> None:
    tiny = write_tiny_model(tmp_path / "tiny.onnx")
    pictures = (ramp(number, (96, 128)) for number in range(600))
    film = write_clip(tmp_path / "film.mkv", pictures, range(0, 600_000, 1000), sound="aac", options={"bf": "0"})
    clip, found = apart(film, tmp_path / "apart.mkv", behind=behind), {}
    for seconds in (10, 600):
        command = [sys.executable, "-c", PROGRAM, str(tiny), str(clip), str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ, cwd=tmp_path)
        frames, found[seconds] = map(int, done.stdout.split())
        assert frames == seconds
    assert found[600] <= 1.05 * found[10], found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="resource usage of POSIX")
def test_two_minutes_take_the_memory_of_twenty_seconds(tmp_path: Path) -> None:
    tiny = write_tiny_model(tmp_path / "tiny.onnx")
    clip = write_clip(tmp_path / "clip.mkv", (ramp(number, (96, 128)) for number in range(3000)), sound="aac")
    found = {}
    for seconds in (20, 120):
        command = [sys.executable, "-c", PROGRAM, str(tiny), str(clip), str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ, cwd=tmp_path)
        frames, found[seconds] = map(int, done.stdout.split())
        assert frames == 25 * seconds
    assert found[120] <= 1.05 * found[20], found
