"""Normals and depth in the photograph's own file: conventions that others rely on."""

from __future__ import annotations

import base64
import io
import re
import struct

import numpy as np
import pytest
from PIL import Image

from midas.alignment import Alignment
from midas.effects import normal_picture
from midas.effects.files import unit_nearness
from midas.effects.gdepth import gdepth_jpeg
from midas.errors import ConfigError
from midas.geometry import Anchor, Camera
from midas.geometry.normals import surface_normals

PLAIN = Anchor(Alignment(1.0, 0.0), "stated", metric=True)
SIZE = (60, 80)
CAMERA = Camera(80.0, SIZE)


def plane(normal: tuple[float, float, float], distance: float = 2.0) -> np.ndarray:
    """Inverse depth of a plane by its normal, which points to the camera, and its distance from it."""
    x, y = CAMERA.slopes(SIZE)
    inverse = -(normal[0] * x[None, :] + normal[1] * y[:, None] + normal[2]) / distance
    return inverse.astype(np.float32)


@pytest.mark.parametrize("normal", [(0.0, 0.0, -1.0), (0.6, 0.0, -0.8), (0.0, -0.6, -0.8), (0.48, 0.36, -0.8)])
def test_the_normal_of_a_plane_is_exact(normal: tuple[float, float, float]) -> None:
    normals = surface_normals(plane(normal), CAMERA)
    np.testing.assert_allclose(normals, np.broadcast_to(np.float32(normal), normals.shape), atol=2e-3)


def test_a_floor_is_green_with_y_up_and_not_with_y_down() -> None:
    floor = plane((0.0, -0.6, -0.8))
    up = normal_picture(floor, CAMERA, PLAIN, smooth=False)[30, 40]
    down = normal_picture(floor, CAMERA, PLAIN, normal_y="down", smooth=False)[30, 40]
    np.testing.assert_allclose(up, [128, 127.5 * 1.6, 127.5 * 1.8], atol=2)
    np.testing.assert_allclose(down, [128, 127.5 * 0.4, 127.5 * 1.8], atol=2)


def segments(jpeg: bytes) -> list[bytes]:
    found, at = [], 2
    while jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        length = struct.unpack_from(">H", jpeg, at + 2)[0]
        if jpeg[at + 1] == 0xE1:
            found.append(jpeg[at + 4 : at + 2 + length])
        at += 2 + length
    return found


def gdepth_of(jpeg: bytes) -> tuple[dict[str, str], np.ndarray]:
    """As a reader of Google's format finds them."""
    xmp = b"http://ns.adobe.com/xap/1.0/\0"
    extension = b"http://ns.adobe.com/xmp/extension/\0"
    main = next(each for each in segments(jpeg) if each.startswith(xmp))
    said = dict(re.findall(r'GDepth:(\w+)="([^"]*)"', main.decode()))
    guid = re.search(rb'HasExtendedXMP="([0-9A-F]{32})"', main)
    assert guid is not None
    parts = {}
    for each in segments(jpeg):
        if each.startswith(extension + guid[1]):
            total, start = struct.unpack_from(">II", each, len(extension) + 32)
            parts[start] = each[len(extension) + 40 :]
    whole = b"".join(parts[start] for start in sorted(parts))
    assert len(whole) == total
    data = re.search(rb'GDepth:Data="([^"]*)"', whole)
    assert data is not None
    return said, np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))))


def test_depth_in_a_jpeg_has_0_for_near() -> None:
    """The trap of the format: RangeInverse runs from near to far, disparity from far to near."""
    rng = np.random.default_rng(0)
    nearness = rng.random((300, 400), np.float32)  # large enough for several segments
    image = rng.integers(0, 255, (300, 400, 3), dtype=np.uint8)
    said, codes = gdepth_of(gdepth_jpeg(image, nearness, 0.5, 8.0))
    near, far = float(said["Near"]), float(said["Far"])
    assert (said["Format"], near, far) == ("RangeInverse", 0.5, 8.0)
    v = codes / 255
    depth = far * near / (far - v * (far - near))
    true = 1 / (nearness * (1 / 0.5 - 1 / 8) + 1 / 8)
    assert np.abs(1 / depth - 1 / true).max() < 1 / 255


def test_the_photographs_own_pixels_and_exif_are_kept() -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    file = io.BytesIO()
    Image.new("RGB", SIZE[::-1], "red").save(file, "JPEG", exif=exif, quality=80)
    made = gdepth_jpeg(np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, np.float32), 1.0, 2.0, file.getvalue())
    opened = Image.open(io.BytesIO(made))
    assert opened.getexif()[0x010F] == "maker"
    np.testing.assert_array_equal(np.asarray(opened), np.asarray(Image.open(file)))


def test_impossible_distances_are_refused() -> None:
    with pytest.raises(ConfigError, match="near < far"):
        gdepth_jpeg(np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, np.float32), 2.0, 1.0)


def test_nearness_of_a_constant_map_is_zero() -> None:
    assert (unit_nearness(np.full(SIZE, 3, np.float32)) == 0).all()
