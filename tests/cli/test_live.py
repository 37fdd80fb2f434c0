"""``midas live`` as its users meet it: a page in a browser, and an end at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.serving.browser import browser, wait
from tests.tiny_model import write_tiny_model
from tests.video.clips import ramp, write_clip

pytestmark = pytest.mark.slow

STOP_S = 1.0
# Reads what an element shows, as red, green and blue of one place in it, from 0 to 1 across and down.
COLOUR_AT = """const image=document.getElementById("view"),canvas=document.createElement("canvas");
canvas.width=image.naturalWidth;canvas.height=image.naturalHeight;const c=canvas.getContext("2d");
c.drawImage(image,0,0);
return [...c.getImageData(canvas.width*arguments[0],canvas.height*arguments[1],1,1).data].slice(0,3)"""


@contextmanager
def live(folder: Path, source: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running ``midas live``, and its page's address."""
    tiny = write_tiny_model(folder / "tiny.onnx")
    command = [sys.executable, "-m", "midas", "live", source, "--model", str(tiny), "--backend", "onnxruntime"]
    process = subprocess.Popen(
        [*command, "--port", "0", *arguments], stderr=subprocess.PIPE, text=True, env=os.environ, cwd=folder
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())
        assert found
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def figures(driver: Any) -> str:
    return str(driver.execute_script("return document.getElementById('figures').textContent"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_a_second_and_the_recording_is_whole(tmp_path: Path, number: int) -> None:
    write_clip(tmp_path / "clip.mkv", map(ramp, range(75)))
    with live(tmp_path, "clip.mkv", "--record", "shown.mkv") as (process, _):
        time.sleep(2)
        begun = time.monotonic()
        process.send_signal(number)
        process.communicate(timeout=30)
        seconds = time.monotonic() - begun
    assert seconds < STOP_S
    assert (tmp_path / "shown.mkv").stat().st_size > 0
    assert not list(tmp_path.glob(".midas-*"))


def test_a_browser_shows_a_paced_film_pauses_it_and_takes_other_colours(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mkv", map(ramp, range(75)))
    with live(tmp_path, "clip.mkv") as (_, address), browser(tmp_path) as driver:
        driver.get(address)
        wait(lambda: driver.execute_script("return document.getElementById('view').naturalWidth") == 128)
        wait(lambda: "per second" in figures(driver) and "–" not in figures(driver))
        assert re.search(r"[\d.]+ ms old · \d+ dropped", figures(driver))
        driver.find_element("id", "pause").click()
        wait(lambda: driver.execute_script("return document.getElementById('pause').textContent") == "Go on")
        before = driver.execute_async_script(
            "const done=arguments[0];fetch('/figures').then(a=>a.json()).then(f=>setTimeout("
            "()=>fetch('/figures').then(a=>a.json()).then(g=>done([f.paused,g.shown-f.shown])),800))"
        )
        assert before[0] is True
        assert before[1] <= 1  # the one that was under way
        driver.execute_script("const s=document.getElementById('colors');s.value='viridis';s.onchange({target:s})")
        driver.find_element("id", "pause").click()
        # The dark end of viridis is violet, that of inferno black: some place of the map has to show blue.
        wait(lambda: max(driver.execute_script(COLOUR_AT, 0.55 + 0.04 * i, 0.5)[2] for i in range(10)) > 60)


def test_a_browsers_own_camera_is_mapped(tmp_path: Path) -> None:
    camera = write_clip(
        tmp_path / "camera.mjpeg", map(ramp, range(50)), codec="mjpeg", pixels="yuvj420p", container="mjpeg"
    )
    with live(tmp_path, "browser") as (_, address), browser(tmp_path, camera=camera) as driver:
        driver.get(address)
        driver.find_element("id", "own").click()
        wait(lambda: driver.execute_script("return document.getElementById('view').src").startswith("blob:"))
        wait(lambda: driver.execute_script("return document.getElementById('view').naturalWidth") > 0)
        # To the left the film's own picture: dark at the top left, red growing to the right.
        left, right = (driver.execute_script(COLOUR_AT, across, 0.9) for across in (0.03, 0.47))
        assert right[0] - left[0] > 100
        wait(lambda: "per second" in figures(driver))
