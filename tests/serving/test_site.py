"""The page without a server: what is written, and what it does in a real browser."""

from __future__ import annotations

import io
import shutil
import threading
import urllib.parse
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.serving.browser import browser, wait
from tests.serving.test_page import all_of, choose, click_at, downloaded, one, open_page, pixels, show

import midas
from midas.errors import ConfigError, OutputError
from midas.models.factory import create_model
from midas.models.zoo import DEFAULT_MODEL, MODELS
from midas.serving.pages import page_folder
from midas.serving.site import RUNTIME_FILES, export_site


def test_the_page_loads_no_file_that_there_isnt() -> None:
    names = {path.name for path in page_folder().iterdir()}
    for path in page_folder().iterdir():
        if path.suffix == ".jpg":
            continue
        text = path.read_text(encoding="utf-8")
        assert "//cdn" not in text
        imported = {part.split('"')[0] for part in text.split('from "./')[1:]}
        linked = {part.split('"')[0] for part in text.split('src="')[1:]}
        assert imported | linked <= names


def test_a_runtime_that_is_none_and_a_folder_with_files_are_refused(tmp_path: Path) -> None:
    network, spec = create_model(DEFAULT_MODEL, weights=None), MODELS[DEFAULT_MODEL]
    with pytest.raises(ConfigError, match="lacks"):
        export_site(tmp_path / "site", network, spec, runtime=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="isn't empty"):
        export_site(tmp_path, network, spec, runtime=tmp_path)
    with pytest.raises(OutputError, match="expected a folder"):
        export_site(tmp_path / "file", network, spec, runtime=tmp_path, overwrite=True)


# A graphics card that the processor draws: slow, but with all of WebGPU.
SOFTWARE_CARD = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the exported site, on a plain server of files."""
    folder = tmp_path_factory.mktemp("site")
    if shutil.which("npm") is None:
        pytest.skip("no npm here to bring the runtime")
    network = create_model(DEFAULT_MODEL, weights="pretrained").eval()
    written = export_site(folder / "site", network, MODELS[DEFAULT_MODEL])
    assert {path.name for path in written} >= {*RUNTIME_FILES, "index.html", "model.onnx", "source.js"}
    handler = partial(QuietHandler, directory=str(folder / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.mark.slow
def test_the_site_gives_the_map_of_the_predictor_and_asks_nobody_else(
    site: str, tmp_path: Path, examples_dir: Path
) -> None:
    picture = tmp_path / "coffee.png"  # of which every decoder makes the same pixels
    Image.open(examples_dir / "coffee.jpg").save(picture)
    expected = midas.load(backend="quick")(picture, interpolation="cubic").values
    with browser(tmp_path) as driver:
        open_page(driver, site, [picture])
        one(driver, "#downloads [data-format=npy]").click()
        values = np.load(io.BytesIO(saved(driver, tmp_path)))
        assert np.abs(values - expected).max() < 1e-3 * np.ptp(expected)
        one(driver, "#downloads [data-format=png16]").click()
        (tmp_path / "map.png").write_bytes(saved(driver, tmp_path))
        again = midas.DepthMap.load(tmp_path / "map.png")
        assert np.abs(again.values - values).max() <= np.ptp(values) / 65535
        check_what_else_it_writes(driver, tmp_path, values)
        show(driver, "scene")
        assert pixels(driver, "#scene").std() > 20
        asked = driver.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)")
        strangers = [url for url in asked if urllib.parse.urlsplit(url).scheme not in ("blob", "data")]
        assert [url for url in strangers if not url.startswith(site)] == []
        assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.slow
@pytest.mark.parametrize(("flags", "wish"), [((), ""), (SOFTWARE_CARD, ""), (SOFTWARE_CARD, "?on=wasm")])
def test_without_a_graphics_card_the_site_takes_the_processor(
    flags: tuple[str, ...], wish: str, site: str, tmp_path: Path
) -> None:
    with browser(tmp_path, flags=flags) as driver:
        assert bool(adapter_of(driver, site + wish)) == bool(flags)
        one(driver, "#example").click()
        wait(lambda: " ms" in one(driver, "#status").text)
        assert one(driver, "body").get_attribute("data-provider") == "wasm"


@pytest.mark.slow
def test_on_a_graphics_card_the_site_gives_the_map_of_the_predictor(
    site: str, tmp_path: Path, examples_dir: Path
) -> None:
    picture = tmp_path / "astronaut.png"
    Image.open(examples_dir / "astronaut.jpg").resize((256, 256)).save(picture)
    expected = midas.load(backend="quick")(picture, interpolation="cubic").values
    with browser(tmp_path, flags=SOFTWARE_CARD) as driver:
        assert adapter_of(driver, f"{site}?on=webgpu") == "swiftshader"
        one(driver, "#files").send_keys(str(picture))
        wait(lambda: " ms" in one(driver, "#status").text, 240)  # the processor draws what a card would
        assert one(driver, "body").get_attribute("data-provider") == "webgpu"
        one(driver, "#downloads [data-format=npy]").click()
        values = np.load(io.BytesIO(saved(driver, tmp_path)))
        assert np.abs(values - expected).max() < 1e-2 * np.ptp(expected)


@pytest.mark.slow
def test_what_fails_on_a_graphics_card_is_done_by_the_processor(site: str, tmp_path: Path) -> None:
    with browser(tmp_path, flags=SOFTWARE_CARD) as driver:
        adapter_of(driver, f"{site}?on=webgpu")
        driver.execute_script("GPUAdapter.prototype.requestDevice = async () => { throw new Error('taken away'); }")
        one(driver, "#example").click()
        wait(lambda: " ms" in one(driver, "#status").text, 240)
        assert one(driver, "body").get_attribute("data-provider") == "wasm"


def adapter_of(driver: Any, url: str) -> str | None:
    """What the page's browser says of its graphics card."""
    open_page(driver, url, [])
    found = driver.execute_async_script(
        """const done = arguments[0];
        (async () => (await navigator.gpu?.requestAdapter())?.info.architecture ?? null)().then(done);"""
    )
    return None if found is None else str(found)


@pytest.mark.slow
def test_the_camera_is_mapped_in_the_browser(site: str, tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        open_page(driver, site, [])
        assert not one(driver, "#tabs label:has([value=film])").is_displayed()
        show(driver, "live")
        one(driver, "#live-start").click()
        wait(lambda: "pictures a second" in one(driver, "#live-figures").text)
        first = pixels(driver, "#live-map")
        assert first.std() > 10
        wait(lambda: not np.array_equal(pixels(driver, "#live-map"), first))


def check_what_else_it_writes(driver: Any, folder: Path, values: np.ndarray) -> None:
    height, width = values.shape
    one(driver, "#downloads [data-format=pfm]").click()
    (folder / "map.pfm").write_bytes(saved(driver, folder))
    assert np.array_equal(midas.DepthMap.load(folder / "map.pfm").values, values)
    choose(driver, "#colormap", "viridis")
    for name, columns in (("color", width), ("side-by-side", 2 * width)):
        one(driver, f"#downloads [data-format={name}]").click()
        assert Image.open(io.BytesIO(saved(driver, folder))).size == (columns, height)
    for pick, field, at, metres in zip(
        all_of(driver, "#points .pick"), all_of(driver, "#points .metres"), (0.95, 0.05), ("0.2", "0.8"), strict=True
    ):
        pick.click()
        click_at(driver, 0.5, at)
        field.send_keys(metres)
    one(driver, "#downloads [data-format=npy]").click()
    depth_m = np.load(io.BytesIO(saved(driver, folder)))
    column, row = (int(part) for part in all_of(driver, "#points .place")[0].text.split(","))
    assert depth_m[row, column] == pytest.approx(0.2, rel=1e-4)


def saved(driver: Any, folder: Path) -> bytes:
    wait(lambda: "saved" in one(driver, "#status").text)
    name = one(driver, "#status").text.removesuffix(" saved")
    driver.execute_script("document.getElementById('status').textContent = ''")
    return downloaded(folder, name)
