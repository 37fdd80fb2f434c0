"""The page in a real browser: every control does what it says, and nothing is asked of anybody else."""

from __future__ import annotations

import base64
import io
import json
import os
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.serving.browser import browser, npm_files, wait
from tests.serving.running import Running, running

from midas.maps.colormaps import apply_colormap
from midas.serving.answers import ANSWERS

pytestmark = pytest.mark.slow

PICTURES = ("cat.jpg", "coffee.jpg")


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def page(server: Running, downloads: Path, examples_dir: Path) -> Iterator[Any]:
    """The page with two pictures on it."""
    with browser(downloads) as driver:
        open_page(driver, server.url, [examples_dir / name for name in PICTURES])
        yield driver


def open_page(driver: Any, url: str, pictures: list[Path]) -> None:
    driver.get(url)
    wait(lambda: driver.execute_script("return document.body.dataset.ready"))
    if pictures:
        one(driver, "#files").send_keys("\n".join(map(str, pictures)))
        wait(lambda: len(all_of(driver, "#strip .thumb")) == len(pictures))
        wait(lambda: " ms" in one(driver, "#status").text)


def one(driver: Any, selector: str) -> Any:
    return driver.find_element("css selector", selector)


def all_of(driver: Any, selector: str) -> list[Any]:
    return list(driver.find_elements("css selector", selector))


def slide(driver: Any, selector: str, value: float) -> None:
    driver.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))",
        one(driver, selector),
        value,
    )


def choose(driver: Any, selector: str, value: str) -> None:
    driver.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
        one(driver, selector),
        value,
    )


def show(driver: Any, tab: str) -> None:
    one(driver, f"#tabs label:has([value={tab}])").click()


def pixels(driver: Any, selector: str) -> np.ndarray:
    """What a canvas holds, RGB."""
    script = """const [canvas, done] = arguments;
        requestAnimationFrame(() => requestAnimationFrame(() => done(canvas.toDataURL("image/png"))));"""
    url = driver.execute_async_script(script, one(driver, selector))
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))


def click_at(driver: Any, x: float, y: float) -> None:
    """Click the picture at a share of its width and height."""
    driver.execute_script(
        """const box = document.getElementById("photo").getBoundingClientRect();
        const [clientX, clientY] = [box.left + arguments[0] * box.width, box.top + arguments[1] * box.height];
        const at = {clientX, clientY, bubbles: true};
        document.getElementById("photo").dispatchEvent(new PointerEvent("pointermove", at));
        document.getElementById("photo").dispatchEvent(new MouseEvent("click", at));""",
        x,
        y,
    )


def downloaded(folder: Path, name: str) -> bytes:
    path = wait(lambda: next((each for each in folder.iterdir() if each.name == name), None))
    size = -1
    while size != path.stat().st_size:
        size = path.stat().st_size
        time.sleep(0.1)
    data: bytes = path.read_bytes()
    path.unlink()
    return data


def test_the_map_in_the_browser_has_the_colours_of_the_command(page: Any, server: Running, examples_dir: Path) -> None:
    body = (examples_dir / PICTURES[-1]).read_bytes()
    codes = np.asarray(Image.open(io.BytesIO(server.ask("POST", "/v1/depth", body)[1])))
    for colormap in ("inferno", "grey", "spectral"):
        choose(page, "#colormap", colormap)
        slide(page, "#low", 0)
        slide(page, "#high", 1000)
        expected = apply_colormap((codes / 65535).astype(np.float32), colormap).astype(int)
        assert np.abs(pixels(page, "#map").astype(int) - expected).max() <= 6
    choose(page, "#colormap", "inferno")
    one(page, "#reset").click()


def test_the_window_moves_both_ends(page: Any) -> None:
    one(page, "#reset").click()
    before = pixels(page, "#map")
    slide(page, "#high", 300)
    assert pixels(page, "#map").mean() > before.mean()
    slide(page, "#low", 900)
    low, high = (int(one(page, f"#{name}").get_attribute("value")) for name in ("low", "high"))
    assert low < high
    one(page, "#reset").click()
    assert np.array_equal(pixels(page, "#map"), before)


@pytest.mark.parametrize("format_name", [each.name for each in ANSWERS.values() if not each.only_metres])
def test_a_download_has_the_bytes_of_the_api(
    format_name: str, page: Any, server: Running, downloads: Path, examples_dir: Path
) -> None:
    body = (examples_dir / PICTURES[-1]).read_bytes()
    one(page, f"#downloads [data-format={format_name}]").click()
    wait(lambda: "saved" in one(page, "#status").text)
    name = one(page, "#status").text.removesuffix(" saved")
    page.execute_script("document.getElementById('status').textContent = ''")
    status, expected = server.ask("POST", f"/v1/depth?format={format_name}&colormap=inferno", body)
    assert (status, downloaded(downloads, name)) == (200, expected)


def test_the_slider_uncovers_the_map_by_mouse_and_by_key(page: Any) -> None:
    show(page, "compare")
    slide(page, "#split", 25)
    assert "25%" in page.execute_script("return document.getElementById('map').style.clipPath")
    one(page, "#split").send_keys("\ue014")  # right
    assert "26%" in page.execute_script("return document.getElementById('map').style.clipPath")
    show(page, "depth")
    assert "0%" in page.execute_script("return document.getElementById('map').style.clipPath")
    assert not one(page, "#split").is_displayed()


def test_the_edge_is_dragged_on_the_picture_itself(page: Any) -> None:
    show(page, "compare")
    drag = """const box = document.getElementById("stage").getBoundingClientRect();
        const at = {clientX: box.left + 0.8 * box.width, clientY: box.top + 9, buttons: 1, bubbles: true};
        document.getElementById("photo").dispatchEvent(new PointerEvent("pointermove", at));"""
    page.execute_script(drag)
    assert one(page, "#split").get_attribute("value") == "80"
    assert "80%" in page.execute_script("return document.getElementById('map').style.clipPath")
    show(page, "depth")
    page.execute_script(drag)
    assert "0%" in page.execute_script("return document.getElementById('map').style.clipPath")
    show(page, "compare")
    slide(page, "#split", 50)


def test_two_known_distances_make_metres_of_the_values_here_and_in_the_files(
    page: Any, server: Running, downloads: Path, examples_dir: Path
) -> None:
    show(page, "compare")
    assert not one(page, "#downloads [data-format=png-mm]").is_enabled()
    click_at(page, 0.5, 0.5)
    assert "value" in one(page, "#reading").text
    assert "not metres" in one(page, "#meaning").text
    fields, picks = all_of(page, "#points .metres"), all_of(page, "#points .pick")
    picks[0].click()
    click_at(page, 0.5, 0.95)
    picks[1].send_keys("\ue007")  # Enter presses the button, the arrows move, Enter sets
    picks[1].send_keys(*("\ue013" * 30))
    assert one(page, ".mark.cursor").is_displayed()
    picks[1].send_keys("\ue007")
    marks = [float(mark.value_of_css_property("top")[:-2]) for mark in all_of(page, ".mark:not(.cursor)")]
    height = one(page, "#stage").size["height"]
    assert marks == [pytest.approx(0.95 * height, abs=3), pytest.approx(0, abs=3)]
    fields[0].send_keys("0.2")
    fields[1].send_keys("0.8")
    assert "not metres" not in one(page, "#meaning").text
    click_at(page, 0.5, 0.95)
    assert one(page, "#reading").text.startswith("0.20 m")
    one(page, "#downloads [data-format=npy]").click()
    wait(lambda: "saved" in one(page, "#status").text)
    data = downloaded(downloads, one(page, "#status").text.removesuffix(" saved"))
    depth_m = np.load(io.BytesIO(data))
    spots = [tuple(int(part) for part in place.text.split(",")) for place in all_of(page, "#points .place")]
    column, row = spots[0]
    assert depth_m[row, column] == pytest.approx(0.2, rel=1e-4)
    page.execute_script("document.getElementById('status').textContent = ''")
    one(page, "#downloads [data-format=png-mm]").click()
    wait(lambda: "saved" in one(page, "#status").text)
    known = "".join(f"&known={y},{x},{metres}" for (x, y), metres in zip(spots, ("0.2", "0.8"), strict=True))
    _, expected = server.ask("POST", f"/v1/depth?format=png-mm{known}", (examples_dir / PICTURES[-1]).read_bytes())
    assert downloaded(downloads, one(page, "#status").text.removesuffix(" saved")) == expected
    fields[1].clear()
    fields[1].send_keys("0.1")  # the farther one nearer: no line goes through
    assert "don't go together" in one(page, "#alignment").text
    for field in fields:
        field.clear()


def test_the_scene_turns_and_takes_its_two_assumptions(page: Any) -> None:
    show(page, "scene")
    first = pixels(page, "#scene")
    assert first.std() > 20
    one(page, "#scene").send_keys("\ue014", "\ue014", "\ue014")
    turned = pixels(page, "#scene")
    slide(page, "#fov", 90)
    slide(page, "#ratio", 30)
    other = pixels(page, "#scene")
    assert not np.array_equal(first, turned)
    assert not np.array_equal(turned, other)
    assert [each.text for each in all_of(page, "#scene-tool output")] == ["90°", "30"]
    show(page, "compare")


def test_several_pictures_stand_in_a_strip(page: Any) -> None:
    first, _ = all_of(page, "#strip .thumb")
    first.send_keys("\ue007")  # Enter
    assert page.execute_script("return document.activeElement.className") == "thumb"
    assert [each.get_attribute("aria-pressed") for each in all_of(page, "#strip .thumb")] == ["true", "false"]
    shown = pixels(page, "#photo")
    all_of(page, "#strip .thumb")[1].click()
    assert pixels(page, "#photo").shape != shown.shape or not np.array_equal(pixels(page, "#photo"), shown)


def test_the_page_speaks_chinese_too(page: Any) -> None:
    choose(page, "#language", "zh")
    assert (one(page, "html").get_attribute("lang"), one(page, "#in-title").text) == ("zh", "照片")
    assert "不是米" in one(page, "#meaning").text
    choose(page, "#language", "en")
    assert one(page, "#in-title").text == "Pictures"


def test_an_error_is_told_in_chinese_too_and_again_when_the_language_changes(page: Any, tmp_path: Path) -> None:
    file = tmp_path / "letter.jpg"
    file.write_text("no picture")
    one(page, "#files").send_keys(str(file))
    wait(lambda: one(page, "#status").text.startswith("It failed: "))
    choose(page, "#language", "zh")
    assert one(page, "#status").text.startswith("失败：内容不是已知格式的图片或影片")
    choose(page, "#language", "en")
    assert one(page, "#status").text.startswith("It failed: ")


def test_the_card_tells_the_terms_of_the_model(page: Any) -> None:
    text = one(page, "#card").text
    assert "MIT" in text
    assert "relative disparity" in text


def test_a_file_that_is_no_picture_is_told_and_forgotten(page: Any, tmp_path: Path) -> None:
    file = tmp_path / "letter.jpg"
    file.write_text("no picture")
    count = len(all_of(page, "#strip .thumb"))
    one(page, "#files").send_keys(str(file))
    wait(lambda: "not a picture" in one(page, "#status").text)
    assert len(all_of(page, "#strip .thumb")) == count


def test_the_camera_takes_a_picture(page: Any) -> None:
    count = len(all_of(page, "#strip .thumb"))
    one(page, "#camera").click()
    wait(lambda: one(page, "#finder").is_displayed())
    one(page, "#shoot").click()
    wait(lambda: len(all_of(page, "#strip .thumb")) == count + 1)
    assert not one(page, "#finder").is_displayed()


def test_pictures_are_taken_from_the_clipboard_and_by_dropping(page: Any) -> None:
    for kind, field in (("paste", "clipboardData"), ("drop", "dataTransfer")):
        count = len(all_of(page, "#strip .thumb"))
        page.execute_script(
            """const [kind, field] = arguments;
            document.getElementById("photo").toBlob((blob) => {
              const data = new DataTransfer();
              data.items.add(new File([blob], "copied.png", {type: "image/png"}));
              const event = new Event(kind, {bubbles: true, cancelable: true});
              Object.defineProperty(event, field, {value: data});
              document.dispatchEvent(event);
            });""",
            kind,
            field,
        )
        wait(lambda count=count: len(all_of(page, "#strip .thumb")) == count + 1)


def test_detail_is_asked_of_the_model_and_belongs_to_the_picture(page: Any) -> None:
    before = pixels(page, "#map")
    choose(page, "#size", "384")
    wait(lambda: not np.array_equal(pixels(page, "#map"), before))
    thumbs = all_of(page, "#strip .thumb")
    thumbs[0].click()
    assert one(page, "#size").get_attribute("value") == ""
    all_of(page, "#strip .thumb")[-1].click()
    assert one(page, "#size").get_attribute("value") == "384"
    choose(page, "#size", "")
    wait(lambda: np.array_equal(pixels(page, "#map"), before))


def test_a_picture_is_removed_by_its_cross_or_by_a_key(page: Any) -> None:
    count = len(all_of(page, "#strip .thumb"))
    all_of(page, "#strip .away")[-1].click()
    assert len(all_of(page, "#strip .thumb")) == count - 1
    all_of(page, "#strip .thumb")[-1].send_keys("\ue017")  # Delete
    assert len(all_of(page, "#strip .thumb")) == count - 2
    assert one(page, "#stage").is_displayed()


def test_the_camera_is_mapped_as_it_happens(page: Any) -> None:
    count = len(all_of(page, "#strip .thumb"))
    show(page, "live")
    assert not one(page, "#stage").is_displayed()
    one(page, "#live-start").click()
    wait(lambda: "pictures a second" in one(page, "#live-figures").text)
    assert pixels(page, "#live-photo").shape == pixels(page, "#live-map").shape
    first = pixels(page, "#live-map")
    assert first.std() > 10
    wait(lambda: not np.array_equal(pixels(page, "#live-map"), first))  # it moves
    choose(page, "#live-colormap", "grey")
    wait(lambda: np.ptp(pixels(page, "#live-map").astype(int), axis=-1).max() < 12)
    one(page, "#live-keep").click()
    wait(lambda: len(all_of(page, "#strip .thumb")) == count + 1)
    assert (one(page, "#stage").is_displayed(), one(page, "#live-tool").is_displayed()) == (True, False)
    all_of(page, "#strip .away")[-1].click()


def test_no_request_leaves_the_origin_and_nothing_fails(page: Any, server: Running) -> None:
    asked = [
        json.loads(entry["message"])["message"]["params"]["request"]["url"]
        for entry in page.get_log("performance")
        if json.loads(entry["message"])["message"]["method"] == "Network.requestWillBeSent"
    ]
    strangers = [url for url in asked if urllib.parse.urlsplit(url).scheme not in ("blob", "data")]
    assert [url for url in strangers if not url.startswith(server.url)] == []
    assert len(strangers) > 5
    # The refusal of the letter is one.
    severe = [
        entry for entry in page.get_log("browser") if entry["level"] == "SEVERE" and "415" not in entry["message"]
    ]
    assert severe == []


def test_the_description_of_the_api_shows_every_parameter(page: Any, server: Running) -> None:
    page.get(f"{server.url}docs.html")
    wait(lambda: all_of(page, "#statuses tr"))
    text = one(page, "body").text
    assert [name for name in ("map-size", "colormap", "/v1/models", "/metrics", "429") if name not in text] == []
    choose(page, "#language", "zh")
    chinese = one(page, "body").text
    for words in ("照片的深度图", "参数", "回应头：X-Midas-Model", "字节数或像素数超限"):
        assert words in chinese
    assert "Meaning" not in chinese
    choose(page, "#language", "en")
    assert one(page, "body").text == text


def test_a_newcomer_is_greeted_with_an_example(server: Running, tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        open_page(driver, server.url, [])
        assert [each.is_enabled() for each in all_of(driver, "#tabs input")] == [False, False, False, True, True]
        one(driver, "#example").click()
        wait(lambda: "example.jpg" in one(driver, "#status").text and " ms" in one(driver, "#status").text)
        assert (one(driver, "#stage").is_displayed(), one(driver, "#welcome").is_displayed()) == (True, False)
        one(driver, "#strip .away").click()
        assert (one(driver, "#stage").is_displayed(), one(driver, "#welcome").is_displayed()) == (False, True)


def test_a_server_that_is_gone_is_said(tmp_path: Path) -> None:
    with running() as server, browser(tmp_path) as driver:
        open_page(driver, server.url, [])
        server.stop()
        one(driver, "#example").click()
        wait(lambda: "the server doesn't answer" in one(driver, "#status").text)


def test_a_key_is_asked_for_and_remembered(tmp_path: Path) -> None:
    key_file = tmp_path / "keys"
    key_file.write_text("a-key-of-many-letters\n")
    with running("--key-file", str(key_file)) as server, browser(tmp_path) as driver:
        driver.get(server.url)
        wait(lambda: one(driver, "#key-form").is_displayed())
        one(driver, "#key").send_keys("a-key-of-many-letters")
        one(driver, "#key-form button").click()
        wait(lambda: driver.execute_script("return document.body.dataset.ready"))


@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [("desktop", (1400, 1000), False), ("phone", (390, 844), False), ("dark", (1400, 1000), True)],
)
def test_axe_finds_no_serious_issue_and_nothing_is_cut_off(
    name: str, size: tuple[int, int], dark: bool, server: Running, tmp_path: Path, examples_dir: Path
) -> None:
    axe = npm_files(tmp_path / "axe", "axe-core") / "axe.min.js"
    with browser(tmp_path, size=size, dark=dark) as driver:
        open_page(driver, server.url, [])
        assert serious(driver, axe) == []
        open_page(driver, server.url, [examples_dir / PICTURES[0]])
        show(driver, "compare")
        if "MIDAS_SCREENSHOTS" in os.environ:
            height = driver.execute_script("return document.documentElement.scrollHeight")
            metrics = {"width": size[0], "height": height, "deviceScaleFactor": 1, "mobile": size[0] < 500}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            driver.save_screenshot(str(Path(os.environ["MIDAS_SCREENSHOTS"], f"{name}.png")))
        assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        for tab in ("compare", "scene", "live", "film"):
            show(driver, tab)
            assert serious(driver, axe) == []
            assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        driver.get(f"{server.url}docs.html")
        wait(lambda: all_of(driver, "#statuses tr"))
        assert serious(driver, axe) == []
        assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def serious(driver: Any, axe: Path) -> list[tuple[str, str]]:
    # By the driver, not by the page: the page's policy allows no script that isn't its own.
    driver.execute_script(axe.read_text(encoding="utf-8"))
    found = driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    return [
        (each["id"], each["nodes"][0]["html"])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
