"""A real browser without a window: Debian's chromium and chromium-driver, or others of these names."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 60.0


@contextmanager
def browser(
    downloads: Path,
    *,
    size: tuple[int, int] = (1400, 1000),
    dark: bool = False,
    camera: Path | None = None,
    flags: tuple[str, ...] = (),
) -> Iterator[Any]:
    """A driver of a browser that saves into a folder, sees a fake camera (or a film), and notes what it asks for."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    driver_path = shutil.which("chromedriver")
    if found is None or driver_path is None:
        pytest.skip("no chromium with its driver; apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = found
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        "--lang=en",
        f"--window-size={size[0]},{size[1]}",
        *([f"--use-file-for-fake-video-capture={camera}"] if camera else []),
        *flags,
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    try:
        # A window has a least width; a phone is narrower.
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        driver.set_script_timeout(2 * PATIENCE_S)  # drawing without a graphics card takes its time
        yield driver
    finally:
        driver.quit()


def wait(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What the condition gives as soon as it gives something."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"it hasn't come true within {patience_s} s")


def npm_files(folder: Path, package: str) -> Path:
    """The files of an npm package, installed into a folder."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here")
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", package]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip(f"npm can't install {package} here")
    return folder / "node_modules" / package
