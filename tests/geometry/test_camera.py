"""The focal length: by the file, by the user, or assumed and called so."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midas.errors import ConfigError
from midas.geometry import Camera
from midas.pictures.lens import Lens, read_lens
from midas.pictures.reading import read_image

DIAGONAL = math.hypot(36, 24)


def photograph(size: tuple[int, int], orientation: int = 1, **lens: float) -> bytes:
    """A JPEG file of (height, width) as stored, with EXIF data."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    tags = {"focal_35mm": 0xA405, "focal_mm": 0x920A, "zoom": 0xA404, "width": 0xA002, "height": 0xA003}
    exif.get_ifd(0x8769).update({tags[name]: value for name, value in lens.items()})
    file = io.BytesIO()
    Image.new("RGB", size[::-1], "grey").save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_the_equivalent_focal_length_counts_over_the_diagonal() -> None:
    camera = Camera.of_lens(read_lens(photograph((30, 40), focal_35mm=26)))
    assert camera.found == "exif"
    assert camera.focal_px == pytest.approx(26 * 50 / DIAGONAL)


def test_a_turned_photograph_has_its_height_and_width_exchanged_and_the_same_focal_length() -> None:
    lying, standing = (Camera.of_lens(read_lens(photograph((30, 40), turn, focal_35mm=26))) for turn in (1, 6))
    assert (lying.size, standing.size) == ((30, 40), (40, 30))
    assert lying.focal_px == standing.focal_px


def test_digital_zoom_multiplies_the_lens_but_not_the_equivalent_which_holds_it_already() -> None:
    def focal_px(**lens: float) -> float:
        return Camera.of_lens(read_lens(photograph((30, 40), **lens))).focal_px

    assert focal_px(focal_mm=4.0, zoom=2.0) == pytest.approx(2 * focal_px(focal_mm=4.0))
    assert focal_px(focal_mm=4.0, zoom=2.0, focal_35mm=52) == focal_px(focal_mm=4.0, focal_35mm=52)


def test_a_short_lens_without_equivalent_is_a_phones() -> None:
    phone = Camera.of_lens(Lens((30, 40), focal_mm=4.0))
    assert phone.focal_px == pytest.approx(Camera.from_focal_35mm(4.0 * 8.4, (30, 40)).focal_px)


def test_a_cropped_photograph_has_the_focal_length_of_the_whole() -> None:
    whole = Camera.of_lens(read_lens(photograph((300, 400), focal_35mm=26)))
    cropped = Camera.of_lens(read_lens(photograph((200, 200), focal_35mm=26, width=400, height=300)))
    assert cropped.focal_px == pytest.approx(whole.focal_px)
    assert cropped.found == "exif, before cropping"


def test_a_file_that_says_nothing_gets_30_mm_and_the_word_assumed() -> None:
    camera = Camera.of_lens(read_lens(photograph((400, 600))))
    assert camera.found == "assumed"
    assert camera.fov_deg == pytest.approx(61.9, abs=0.1)


@pytest.mark.parametrize("fov_deg", [0.0, 180.0, -5.0, math.nan])
def test_an_impossible_angle_is_refused(fov_deg: float) -> None:
    with pytest.raises(ConfigError, match="angle"):
        Camera.from_fov(fov_deg, (10, 10))


def test_damaged_tags_are_no_focal_length() -> None:
    data = photograph((30, 40), focal_35mm=26)
    for length in range(20, 120, 7):
        Camera.of_lens(read_lens(data[:20] + bytes(length - 20) + data[length:]))


def test_a_circle_stays_round_in_a_portrait_photograph(tmp_path: Path) -> None:
    """Of a file that is stored lying and seen upright: 1 % is asked for."""
    path = tmp_path / "portrait.jpg"
    y, x = np.mgrid[:300, :400]
    disc = np.where((x - 250) ** 2 + (y - 100) ** 2 < 60**2, 255, 0).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(disc).convert("RGB").save(path, exif=exif, quality=100, subsampling=0)
    image, camera = read_image(path), Camera.of_lens(read_lens(path))
    assert image.shape[:2] == camera.size == (400, 300)
    across, down = camera.slopes((camera.size[0] // 2, camera.size[1]))  # a map that was squeezed
    rows, columns = np.nonzero(image[::2, :, 0] > 127)
    assert np.std(across[columns]) / np.std(down[rows]) == pytest.approx(1, abs=0.01)
