"""How far maps move where a picture's colour profile is left aside, and what it costs to apply it.

    python benchmarks/colour_profiles.py examples/*.jpg           # the table of docs/predict.md
    python benchmarks/colour_profiles.py photos/*.jpg --model dpt_swin2_tiny_256

Each picture is taken for sRGB, put into another colour space as an editor or a telephone stores it, and predicted
twice: with its profile, and as if it had none. Figures are percents of the map's range: the mean over the pixels of a
picture, of which the table has the median and the largest over the pictures, and the largest of a pixel. "kept" is what
is left of the difference with the profile: rounding to 8 bits, there and back.
"""

from __future__ import annotations

import argparse
import io
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

import midas
from midas.arrays import Array, Float64
from midas.pictures.colour import to_srgb
from midas.pictures.reading import read_image

Chromaticity = tuple[float, float]

_D50, _D65 = (0.3457, 0.3585), (0.3127, 0.3290)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_LONGER_SIDE_PX = 1024
_CLOCKED_SIZE = (3000, 4000)
_CLOCKED_RUNS = 5


@dataclass(frozen=True)
class ColourSpace:
    """Colours by three lights and a power.

    Attributes:
        red, green, blue: the lights, as chromaticities x and y.
        white: all three together.
        gamma: light = value to the power of gamma.
    """

    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity = _D65
    gamma: float = 2.2

    def profile(self) -> bytes:
        """An ICC profile of version 2."""
        columns = self._lights_under_d50()
        tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns.T, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _power(self.gamma))
        return icc_profile(b"RGB ", tags)

    def _lights_under_d50(self) -> Float64[Array, "3 3"]:
        lights = np.stack([_of_chromaticity(light) for light in (self.red, self.green, self.blue)], axis=1)
        white = _of_chromaticity(self.white)
        adapted = _BRADFORD @ _of_chromaticity(_D50) / (_BRADFORD @ white)
        adaptation = np.linalg.solve(_BRADFORD, adapted[:, None] * _BRADFORD)
        return adaptation @ (lights * np.linalg.solve(lights, white))


SPACES = {
    "Display P3": ColourSpace((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "Adobe RGB": ColourSpace((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), gamma=563 / 256),
    "ProPhoto RGB": ColourSpace((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), _D50, 1.8),
    "Rec. 2020": ColourSpace((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), gamma=2.4),
    "sRGB's lights, gamma 1.8": ColourSpace((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), gamma=1.8),
}


def grey_profile(gamma: float) -> bytes:
    """An ICC profile of grey values."""
    return icc_profile(b"GRAY", {b"kTRC": _power(gamma)})


def icc_profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A file of these tags and those that every profile has."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": _xyz(_of_chromaticity(_D50)),
        **tags,
    }
    begin, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", begin + len(body), len(data))
        body += data.ljust(-(-len(data) // 4) * 4, b"\0")
    size = begin + len(body)
    head = struct.pack(
        ">I4sI4s4s4s6H4s", size, b"lcms", 0x02400000, b"mntr", space, b"XYZ ", 2020, 1, 1, 0, 0, 0, b"acsp"
    )
    head += bytes(28) + struct.pack(">3i", *_fixed(_of_chromaticity(_D50)))
    return head.ljust(128, b"\0") + table + body


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, nargs="*", default=sorted(Path("examples").glob("*.jpg")))
    parser.add_argument("--model", default="midas_nano_256")
    options = parser.parse_args()
    model = midas.load(options.model)
    print("| colour space | left aside: median | largest | largest of a pixel | kept |\n|---|---|---|---|---|")
    for name, space in SPACES.items():
        aside, most, kept = np.transpose([_differences(model, path, space.profile()) for path in options.pictures])
        median, largest = f"{np.median(aside):.1f} %", f"{aside.max():.1f} %"
        print(f"| {name} | {median} | {largest} | {most.max():.0f} % | {np.median(kept):.1f} % |")
    print(f"\n12 megapixels take {1000 * _seconds():.0f} ms")


def _differences(model: midas.Predictor, path: Path, profile: bytes) -> tuple[float, float, float]:
    picture = Image.fromarray(read_image(path))
    picture.thumbnail((_LONGER_SIDE_PX, _LONGER_SIDE_PX))
    stored = ImageCms.profileToProfile(
        picture, ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile))
    )
    expected, as_stored, converted = (
        model(np.asarray(each)).values for each in (picture, stored, to_srgb(stored, profile))
    )
    percent = 100 / (expected.max() - expected.min())
    aside = np.abs(as_stored - converted) * percent
    return float(aside.mean()), float(aside.max()), float(np.abs(converted - expected).mean()) * percent


def _seconds() -> float:
    """The fewest that it took."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*_CLOCKED_SIZE, 3), np.uint8))
    profile, fewest = SPACES["Display P3"].profile(), float("inf")
    for _ in range(_CLOCKED_RUNS):
        start = time.perf_counter()
        to_srgb(picture, profile)
        fewest = min(fewest, time.perf_counter() - start)
    return fewest


def _of_chromaticity(light: Chromaticity) -> Float64[Array, 3]:
    x, y = light
    return np.array([x / y, 1, (1 - x - y) / y])


def _fixed(values: Array) -> list[int]:
    return [round(float(value) * 65536) for value in values]


def _xyz(values: Array) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *_fixed(values))


def _power(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


if __name__ == "__main__":
    main()
