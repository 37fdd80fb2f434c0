"""Photographs above, their depth maps below, in one picture.

python examples/contact_sheet.py examples/*.jpg -o sheet.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import midas
from midas.images import read_image

GAP_PX = 6


def column(photo: np.ndarray, colours: np.ndarray, height_px: int) -> np.ndarray:
    """A photograph and its map, one above the other, each scaled to the same height."""
    width_px = round(photo.shape[1] * height_px / photo.shape[0])
    pair = [
        np.asarray(Image.fromarray(part).resize((width_px, height_px), Image.Resampling.LANCZOS))
        for part in (photo, colours)
    ]
    return np.pad(
        np.concatenate([pair[0], np.full((GAP_PX, width_px, 3), 255, np.uint8), pair[1]]),
        ((0, 0), (0, GAP_PX), (0, 0)),
        constant_values=255,
    )


def main() -> None:
    """Read the photographs, predict, write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("sheet.jpg"))
    parser.add_argument("--model", default="midas_nano_256", help="a name, or an exported ONNX file")
    parser.add_argument("--height", type=int, default=240, help="of each photograph, pixels")
    options = parser.parse_args()

    predictor = midas.load(options.model)
    columns = []
    for path in options.photos:
        photo = read_image(path)
        columns.append(column(photo, predictor(photo).colorize(), options.height))
    sheet = np.concatenate(columns, axis=1)[:, :-GAP_PX]
    Image.fromarray(sheet).save(options.output, quality=90)


if __name__ == "__main__":
    main()
