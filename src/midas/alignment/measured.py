"""Files of measured depths: lists of points, and sparse or small depth maps by LiDAR."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from midas.arrays import Array, Float64
from midas.errors import AlignmentError

CODES_PER_METRE = 1000.0


def read_points(path: Path) -> Float64[Array, "N 3"]:
    """Points from ``.csv`` (row,column,metres; a first line of names is left out) or ``.npy`` (N, 3).

    Raises:
        AlignmentError: the file can't be read, or holds something else.
    """
    try:
        points = np.load(path, allow_pickle=False) if path.suffix.lower() == ".npy" else _csv_points(path)
        points = np.asarray(points, np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise AlignmentError(f"{path} can't be read as points: {error}; expected row,column,metres") from error
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise AlignmentError(f"{path} holds an array of shape {points.shape}: expected (N, 3), row, column, metres")
    return points


def read_lidar(path: Path, size: tuple[int, int], codes_per_metre: float = CODES_PER_METRE) -> Float64[Array, "N 3"]:
    """Points from a 16-bit PNG of depth, as phones' LiDAR and ARCore give it; 0 is unknown.

    Args:
        path: the file. It may be smaller than the picture, of the same view.
        size: (height, width) of the picture.
        codes_per_metre: 1000 for millimetres; KITTI has 256.

    Raises:
        AlignmentError: the file can't be read, holds something else, or not a single depth.
    """
    try:
        with Image.open(path) as image:
            codes = np.asarray(image).astype(np.float64)
            deep = image.mode.startswith("I") or image.mode == "F"
    except (OSError, ValueError, SyntaxError) as error:
        raise AlignmentError(f"{path} can't be read as a depth map: {error}") from error
    if codes.ndim != 2 or not deep:
        raise AlignmentError(f"{path} is a picture of 8 bits: expected a PNG file of 16 bits, grey")
    rows, columns = np.nonzero(codes > 0)
    if not len(rows):
        raise AlignmentError(f"{path} holds no depth: all of it is 0")
    places = [
        (at + 0.5) * (pixels / samples) - 0.5
        for at, pixels, samples in zip((rows, columns), size, codes.shape, strict=True)
    ]
    return np.stack([*places, codes[rows, columns] / codes_per_metre], axis=1)


def _csv_points(path: Path) -> list[list[float]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    return [[float(cell) for cell in row] for number, row in enumerate(rows) if number or _is_number(row[0])]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
