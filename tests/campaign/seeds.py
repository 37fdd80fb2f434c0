"""Whole files of many formats, to be damaged: pictures, maps, models, settings of sets."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from PIL import Image, features

from midas.maps.formats import encode_map


def _photo(size: tuple[int, int] = (48, 64)) -> Image.Image:
    """A picture with edges, gradients and noise, RGB."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    pixels = np.stack([rows * 4, columns * 3, 128 + 90 * np.sin(rows / 5 + columns / 7)], axis=2)
    pixels += np.random.default_rng(0).normal(0, 6, pixels.shape)
    pixels[10:30, 20:40] = (220, 40, 60)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _deep() -> Image.Image:
    return Image.fromarray(np.asarray(_photo().convert("L")).astype(np.uint16) * 257)


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a maker"
    return exif.tobytes()


def _animated(form: str) -> bytes:
    frames = [_photo().rotate(angle) for angle in (0, 20, 40)]
    return _saved(frames[0], form, save_all=True, append_images=frames[1:])


def _opencv(suffix: str, pixels: np.ndarray, *options: int) -> bytes:
    return cv2.imencode(suffix, pixels, list(options))[1].tobytes()


def pictures() -> dict[str, tuple[str, bytes]]:
    """Name → suffix and content of every format of pictures that can be made here."""
    rgb, grey = _photo(), _photo().convert("L")
    rgba = rgb.copy()
    rgba.putalpha(grey)
    made: dict[str, tuple[str, Callable[[], bytes]]] = {
        "jpeg": (".jpg", lambda: _saved(rgb, "JPEG", quality=90)),
        "jpeg turned": (".jpg", lambda: _saved(rgb, "JPEG", exif=_exif())),
        "jpeg progressive": (".jpeg", lambda: _saved(rgb, "JPEG", progressive=True)),
        "jpeg grey": (".jpg", lambda: _saved(grey, "JPEG")),
        "jpeg cmyk": (".jpg", lambda: _saved(rgb.convert("CMYK"), "JPEG")),
        "png": (".png", lambda: _saved(rgb, "PNG")),
        "png alpha": (".png", lambda: _saved(rgba, "PNG")),
        "png palette": (".png", lambda: _saved(rgb.quantize(32), "PNG", transparency=3)),
        "png 16 bit": (".png", lambda: _saved(_deep(), "PNG")),
        "png animated": (".png", lambda: _animated("PNG")),
        "webp": (".webp", lambda: _saved(rgb, "WEBP")),
        "webp lossless": (".webp", lambda: _saved(rgba, "WEBP", lossless=True)),
        "webp animated": (".webp", lambda: _animated("WEBP")),
        "tiff": (".tif", lambda: _saved(rgb, "TIFF")),
        "tiff lzw": (".tiff", lambda: _saved(rgb, "TIFF", compression="tiff_lzw")),
        "tiff deflate 16 bit": (".tiff", lambda: _saved(_deep(), "TIFF", compression="tiff_adobe_deflate")),
        "tiff jpeg": (".tiff", lambda: _saved(rgb, "TIFF", compression="jpeg")),
        "tiff fax": (".tif", lambda: _saved(grey.convert("1"), "TIFF", compression="group4")),
        "tiff float": (".tif", lambda: _saved(Image.fromarray(np.asarray(grey, np.float32) / 255), "TIFF")),
        "bmp": (".bmp", lambda: _saved(rgb, "BMP")),
        "bmp palette": (".bmp", lambda: _saved(rgb.quantize(16), "BMP")),
        "gif": (".gif", lambda: _saved(rgb.quantize(64), "GIF")),
        "gif animated": (".gif", lambda: _animated("GIF")),
        "ppm": (".ppm", lambda: _saved(rgb, "PPM")),
        "pgm": (".pgm", lambda: _saved(grey, "PPM")),
        "pbm": (".pbm", lambda: _saved(grey.convert("1"), "PPM")),
        "ppm text": (".ppm", lambda: _opencv(".ppm", np.asarray(rgb), cv2.IMWRITE_PXM_BINARY, 0)),
    }
    if features.check("avif"):
        made["avif"] = (".avif", lambda: _saved(rgb, "AVIF"))
    return {name: (suffix, make()) for name, (suffix, make) in made.items()}


def maps() -> dict[str, tuple[str, bytes]]:
    """Name → suffix and content of every format that keeps values."""
    values = np.random.default_rng(0).uniform(0, 9, (24, 32)).astype(np.float32)
    metadata = {"model": "tiny", "source": "photo.jpg"}
    names = {"png16": ".png", "pfm": ".pfm", "npy": ".npy", "npz": ".npz", "exr": ".exr", "tiff": ".tiff"}
    return {name: (suffix, encode_map(values, name, metadata=metadata)) for name, suffix in names.items()}
