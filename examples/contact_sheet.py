"""Photographs above, their depth maps below, one row for each model and way to the photograph's size, in one picture.

python examples/contact_sheet.py examples/*.jpg -o sheet.jpg
python examples/contact_sheet.py examples/*.jpg --model before.onnx --model midas_nano_256 -o before_after.jpg
python examples/contact_sheet.py examples/*.jpg --interpolation cubic --interpolation guided -o outlines.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import midas
from midas.pictures.reading import read_image

GAP_PX = 6


def column(photo: np.ndarray, maps: list[np.ndarray], height_px: int) -> np.ndarray:
    """A photograph and its maps below it, each scaled to the same height."""
    width_px = round(photo.shape[1] * height_px / photo.shape[0])
    parts = [
        np.pad(
            np.asarray(Image.fromarray(part).resize((width_px, height_px), Image.Resampling.LANCZOS)),
            ((0, GAP_PX), (0, GAP_PX), (0, 0)),
            constant_values=255,
        )
        for part in (photo, *maps)
    ]
    return np.concatenate(parts)


def main() -> None:
    """Read the photographs, predict, write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("sheet.jpg"))
    parser.add_argument("--model", action="append", help="a name, or an exported ONNX file; once per row")
    parser.add_argument("--interpolation", action="append", help="cubic, guided ...; once per row")
    parser.add_argument("--height", type=int, default=240, help="of each photograph, pixels")
    options = parser.parse_args()

    predictors = [midas.load(model) for model in options.model or ["midas_nano_256"]]
    rules = options.interpolation or [None]
    columns = []
    for path in options.photos:
        photo = read_image(path)
        maps = [predictor(photo, interpolation=rule).colorize() for predictor in predictors for rule in rules]
        columns.append(column(photo, maps, options.height))
    sheet = np.concatenate(columns, axis=1)[:-GAP_PX, :-GAP_PX]
    Image.fromarray(sheet).save(options.output, quality=90)


if __name__ == "__main__":
    main()
