"""Films on the page, in a real browser: sent, watched, played, saved, stopped, and nothing of them stays."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serving.browser import browser, npm_files, wait
from tests.serving.running import Running, running
from tests.serving.test_page import all_of, choose, downloaded, one, open_page, serious, show
from tests.video.clips import times_of, write_clip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("--max-film-seconds", "20") as started:
        yield started


@pytest.fixture(scope="module")
def page(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    folder = tmp_path_factory.mktemp("saved")
    with browser(folder) as driver:
        open_page(driver, server.url, [])
        show(driver, "film")
        yield driver, folder


def clip(folder: Path, frames: int) -> Path:
    """A near square that moves before a slope."""
    rows, columns = np.mgrid[:120, :160]
    ground = np.stack([rows * 2, columns, 255 - rows * 2], axis=-1).astype(np.uint8)

    def frame(number: int) -> np.ndarray:
        picture = ground.copy()
        picture[40:90, 10 + number % 100 : 60 + number % 100] = (230, 180, 40)
        return picture

    return write_clip(folder / f"clip{frames}.mp4", map(frame, range(frames)))


def films_of(server: Running) -> list[Path]:
    """What lies in the server's temporary folder."""
    return list(server.log.parent.glob("midas-film-*"))


def test_a_film_is_sent_watched_played_and_saved(page: tuple[Any, Path], server: Running, tmp_path: Path) -> None:
    driver, folder = page
    film = clip(tmp_path, 60)
    choose(driver, ".film-form", "side-by-side")
    one(driver, ".film-file").send_keys(str(film))
    wait(lambda: "frames" in one(driver, ".film-status").text)
    wait(lambda: driver.execute_script("return document.querySelector('.film-preview').naturalWidth") == 320)
    assert 0 < float(one(driver, ".film-bar").get_attribute("value")) <= 1
    wait(lambda: "is done" in one(driver, ".film-status").text)
    wait(lambda: driver.execute_script("return document.querySelector('.film-player').videoWidth") == 320)
    assert not one(driver, ".film-stop").is_displayed()
    one(driver, ".film-save").click()
    saved = downloaded(folder, "clip60_depth.mp4")
    (tmp_path / "saved.mp4").write_bytes(saved)
    assert times_of(tmp_path / "saved.mp4") == times_of(film)
    assert saved == by_api(server, film, "side-by-side")
    wait(lambda: films_of(server) == [])


def by_api(server: Running, film: Path, form: str) -> bytes:
    name = json.loads(server.ask("POST", f"/v1/films?format={form}", film.read_bytes())[1])["id"]
    while json.loads(server.ask("GET", f"/v1/films/{name}")[1])["state"] not in ("done", "failed"):
        time.sleep(0.1)
    status, content = server.ask("GET", f"/v1/films/{name}/result.mp4")
    assert status == 200
    server.ask("DELETE", f"/v1/films/{name}")
    return content


def test_a_film_that_is_stopped_leaves_nothing(page: tuple[Any, Path], server: Running, tmp_path: Path) -> None:
    driver, _ = page
    one(driver, ".film-file").send_keys(str(clip(tmp_path, 400)))
    wait(lambda: " of 400 frames" in one(driver, ".film-status").text)
    one(driver, ".film-stop").click()
    wait(lambda: one(driver, ".film-status").text == "Stopped")
    wait(lambda: films_of(server) == [])


def test_a_film_that_is_none_or_too_long_is_told(page: tuple[Any, Path], server: Running, tmp_path: Path) -> None:
    driver, _ = page
    (tmp_path / "letter.mp4").write_text("no film")
    for film, word in ((tmp_path / "letter.mp4", "no film"), (clip(tmp_path, 600), "at most 20 s")):
        one(driver, ".film-file").send_keys(str(film))
        wait(lambda word=word: word in one(driver, ".film-status").text)
    wait(lambda: films_of(server) == [])


def test_a_film_that_is_dropped_is_a_film(page: tuple[Any, Path]) -> None:
    driver, _ = page
    driver.execute_script(
        """const data = new DataTransfer();
        data.items.add(new File(["no film"], "dropped.mp4", {type: "video/mp4"}));
        const event = new Event("drop", {bubbles: true, cancelable: true});
        Object.defineProperty(event, "dataTransfer", {value: data});
        document.dispatchEvent(event);"""
    )
    wait(lambda: "no film" in one(driver, ".film-status").text)
    assert all_of(driver, "#strip li") == []


def test_films_are_there_for_those_who_use_a_screen_reader_and_in_chinese(
    page: tuple[Any, Path], tmp_path: Path
) -> None:
    driver, _ = page
    choose(driver, "#language", "zh")
    assert "红青立体" in one(driver, ".film-form").text
    assert one(driver, ".film-bar").get_attribute("aria-label") == "进度"
    assert serious(driver, npm_files(tmp_path / "axe", "axe-core") / "axe.min.js") == []
    choose(driver, "#language", "en")


def test_who_closes_the_page_wants_no_film_any_more(page: tuple[Any, Path], server: Running, tmp_path: Path) -> None:
    driver, _ = page
    one(driver, ".film-file").send_keys(str(clip(tmp_path, 400)))
    wait(lambda: " of 400 frames" in one(driver, ".film-status").text)
    driver.get("about:blank")
    wait(lambda: films_of(server) == [])
