"""A picture and its map become the files of an effect."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

import numpy as np
from PIL import Image

from midas.arrays import Array, Float32, UInt8
from midas.effects.bokeh import nearness_at
from midas.effects.gdepth import gdepth_jpeg
from midas.effects.normals import NormalY, normal_picture
from midas.effects.parallax import AMPLITUDE, FRAMES, parallax_frames
from midas.effects.table import EffectOptions, frame_effect
from midas.errors import OutputError
from midas.folder import Product, Work
from midas.geometry.anchor import ASSUMED_RATIO
from midas.maps.kinds import RELATIVE_DISPARITY, nearness
from midas.pictures.formats import identified
from midas.pictures.lens import read_lens
from midas.reconstruction.scenes import SceneOptions, anchor_for, camera_for
from midas.storage.atomic import atomic_file
from midas.video.frame import FilmFormat
from midas.video.writing import FilmWriter

# The end of each effect's file names. "LRF" and "LR" tell players of both eyes' views, full and half.
SUFFIXES = {
    "stereo": "_LRF_Full_SBS.png",
    "anaglyph": "_anaglyph.png",
    "bokeh": "_bokeh.jpg",
    "parallax": "_parallax.gif",
    "normals": "_normals.png",
    "rgbd": "_RGBD.png",
    "gdepth": "_gdepth.jpg",
}
MOVING = ("gif", "mp4")
_STEREO_SUFFIXES = {"half": "_LR.png", "crossed": "_crossed.png", "top-bottom": "_TB.png"}
_JPEG_QUALITY = 95
_LOOP_SECONDS = 2.4
# Players of films stop at the end, where those of GIFs begin again.
_MP4_ROUNDS = 4
# Between these percentiles of a map lies nearness 0 to 1, as in the map's colours.
_PERCENTILES = (1.0, 99.0)


@dataclass(frozen=True)
class EffectFileOptions:
    """How an effect's files are made.

    Attributes:
        effect: its settings.
        focus_at: (row, column) to focus on, in place of ``effect.focus``.
        focus_on_middle: whether the middle of the picture is focused on, in place of both.
        frames, amplitude: of parallax.
        side_px: longer side of a moving picture.
        normal_y: of normals.
        scene: camera and shift, of normals and of distances.
        moving: kind of moving pictures.
    """

    effect: EffectOptions = field(default_factory=EffectOptions)
    focus_at: tuple[int, int] | None = None
    focus_on_middle: bool = False
    frames: int = FRAMES
    amplitude: float = AMPLITUDE
    side_px: int = 800
    normal_y: NormalY = "up"
    scene: SceneOptions = field(default_factory=SceneOptions)
    moving: Literal["gif", "mp4"] = "gif"


def effect_path(options: EffectFileOptions) -> Callable[[Path, str, str], Path]:
    """(folder, stem, effect) → path of its file."""

    def path_of(folder: Path, stem: str, name: str) -> Path:
        if name not in SUFFIXES:
            raise OutputError(f"unknown effect {name!r}: expected one of {', '.join(SUFFIXES)}")
        suffix = SUFFIXES[name]
        if name == "stereo":
            suffix = _STEREO_SUFFIXES.get(options.effect.layout, suffix)
        if name == "parallax":
            suffix = str(Path(suffix).with_suffix(f".{options.moving}"))
        return folder / f"{stem}{suffix}"

    return path_of


def effect_product(options: EffectFileOptions) -> Product:
    """What ``midas.folder`` makes of each picture."""
    return Product(lambda name: True, lambda work: _save(options, work))


def unit_nearness(values: Float32[Array, "H W"]) -> Float32[Array, "H W"]:
    """Values that grow towards the camera as nearness, from 0 to 1 between their percentiles 1 and 99."""
    low, high = np.percentile(values[np.isfinite(values)], _PERCENTILES)
    if low == high:
        return np.zeros_like(values)
    result: Array = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1).astype(np.float32)
    return result


def _save(options: EffectFileOptions, work: Work) -> None:
    if work.image is None:  # the product asks for it
        raise OutputError(f"{work.source} has no picture to make an effect of")
    data = _MAKERS.get(work.format_name, _still)(options, work, work.image)
    with atomic_file(work.path, overwrite=work.overwrite) as file:
        file.write(data)


def _nearness(work: Work) -> Float32[Array, "H W"]:
    return unit_nearness(nearness(work.depth_map.values, work.depth_map.kind))


def _still(options: EffectFileOptions, work: Work, image: UInt8[Array, "H W 3"]) -> bytes:
    near = _nearness(work)
    settings = options.effect
    height, width = near.shape
    focus_at = (height // 2, width // 2) if options.focus_on_middle else options.focus_at
    if focus_at is not None:
        settings = replace(settings, focus=nearness_at(near, *focus_at))
    return _encoded(frame_effect(work.format_name, settings)(image, near), work.path.suffix)


def _parallax(options: EffectFileOptions, work: Work, image: UInt8[Array, "H W 3"]) -> bytes:
    height, width = image.shape[:2]
    share = min(1.0, options.side_px / max(height, width))
    size = (max(1, round(height * share)), max(1, round(width * share)))
    small = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.LANCZOS), np.uint8)
    near = unit_nearness(nearness(work.depth_map.resized(size).values, work.depth_map.kind))
    frames = list(parallax_frames(small, near, frames=options.frames, amplitude=options.amplitude))
    return _mp4(frames) if options.moving == "mp4" else _gif([Image.fromarray(frame) for frame in frames])


def _gif(frames: list[Image.Image]) -> bytes:
    # One palette for all frames: with one for each the colours would flicker.
    palette = frames[0].quantize(255, kmeans=2, dither=Image.Dither.NONE)
    coded = [frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames]
    file = io.BytesIO()
    duration_ms = max(20, round(1000 * _LOOP_SECONDS / len(coded)))
    coded[0].save(file, "GIF", save_all=True, append_images=coded[1:], duration=duration_ms, loop=0, disposal=1)
    return file.getvalue()


def _mp4(frames: list[UInt8[Array, "H W 3"]]) -> bytes:
    rate_hz = Fraction(len(frames)) / Fraction(_LOOP_SECONDS).limit_denominator(10)
    about = FilmFormat("parallax", 1 / rate_hz, rate_hz, Fraction(1), None, None)
    with TemporaryFile() as file:
        with FilmWriter(file, ".mp4", about) as film:
            for number in range(_MP4_ROUNDS * len(frames)):
                film.write(frames[number % len(frames)], number, 1)
        file.seek(0)
        return file.read()


def _normals(options: EffectFileOptions, work: Work, image: UInt8[Array, "H W 3"]) -> bytes:
    depth_map = work.depth_map
    camera = camera_for(work.source, depth_map.size, options.scene)
    disparity, anchor = depth_map.anchored(
        anchor_for(depth_map.values, camera, options.scene) if depth_map.kind == RELATIVE_DISPARITY else None
    )
    return _encoded(normal_picture(disparity, camera, anchor, normal_y=options.normal_y), ".png")


def _gdepth(options: EffectFileOptions, work: Work, image: UInt8[Array, "H W 3"]) -> bytes:
    near, far = options.scene.near_m or 1.0, options.scene.far_m or options.scene.ratio or ASSUMED_RATIO
    return gdepth_jpeg(image, _nearness(work), near, far, _upright_jpeg(work.source))


def _upright_jpeg(source: Path) -> bytes | None:
    """A file's own bytes, where it is a JPEG that is stored upright."""
    data = source.read_bytes()
    if identified(io.BytesIO(data), str(source)).format != "JPEG" or read_lens(data).orientation != 1:
        return None
    return data


_MAKERS = {"parallax": _parallax, "normals": _normals, "gdepth": _gdepth}


def _encoded(image: UInt8[Array, "H W 3"], suffix: str) -> bytes:
    file = io.BytesIO()
    if suffix == ".jpg":
        Image.fromarray(image).save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    else:
        Image.fromarray(image).save(file, "PNG", compress_level=3)
    return file.getvalue()
