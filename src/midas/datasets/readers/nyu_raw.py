"""Reader for the raw part of NYU Depth v2: 464 rooms as the Kinect sent them, some 400,000 depth maps.

``d-*.pgm`` has 16 bits of which 11 count: inverse depth is (1092.5 - code) / 351.3 in 1/metre, 2047 where nothing was
seen. The toolbox swaps the two bytes of what a PGM reader gives, others report that they needn't be: the order is taken
in which no code is above 2047. Depths of more than 10 m are invalid; the set's toolbox cuts there.
Colour and depth were taken at moments of their own, which stand in the files' names: each depth map goes with the
picture nearest in time, as in the toolbox, but not with one more than 0.1 s away.

This is an approximation of what the toolbox does. Depth is moved into the picture by the toolbox's cameras, their turn
and their distance. Not done: lens distortion, so that targets are off by some pixels towards the corners, and filling
in.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32
from midas.datasets.formats import read_codes, read_lines, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="NYU Depth v2 (raw)",
    homepage="https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html",
    licence="none stated; for research",
    tree="""
<root>/<scene>/r-<seconds>-<clock>.ppm    from nyu_depth_v2_raw.zip or its parts
<root>/<scene>/d-<seconds>-<clock>.pgm
<root>/<scene>/INDEX.txt                  the files' names; without it, those that are there
""",
)

CODE_OF_INFINITY = 1092.5
STEPS_PER_INVERSE_METRE = 351.3
FARTHEST_M = 10.0
MAX_DIFFERENCE_S = 0.1


@dataclass(frozen=True)
class Camera:
    """A pinhole camera, in pixels of a picture of 640 × 480.

    Attributes:
        focal_x_px, focal_y_px: focal lengths.
        centre_x_px, centre_y_px: where the optical axis meets the picture; its first pixel is 1, as in MATLAB.
    """

    focal_x_px: float
    focal_y_px: float
    centre_x_px: float
    centre_y_px: float


COLOUR_CAMERA = Camera(518.857901, 519.469611, 325.582449, 253.736166)
DEPTH_CAMERA = Camera(582.624482, 582.691033, 313.044759, 238.443896)
# From the depth camera's points to the colour camera's: turn, then add metres to the right, down and ahead. The toolbox
# has both with the other sign, which drops out in its projection, and swaps the last two of the translation.
TURN = (
    (0.9999779894, -0.0050359919, -0.0043196625),
    (0.0050518419, 0.9999805119, 0.0036662366),
    (0.0043011152, -0.0036879781, 0.9999839495),
)
OFFSET_M = (-0.0250318751, 0.0002934231, -0.0006623875)
_WIDTH_PX = 640
_INDEX = "INDEX.txt"
_LARGEST_CODE = 2047


@dataclass(frozen=True)
class Frame:
    """A depth map with the picture nearest in time."""

    picture: Path
    depth: Path


class NyuRawReader:
    """All depth maps that have a picture, of all scenes or of a list.

    Args:
        root: the folder of scenes.
        scenes: a list of the scenes to read, one per line; None for all, those of the labelled test pictures too.

    Raises:
        DatasetError: folder or list isn't there, holds no frame, or a file is named otherwise.
    """

    name = "nyu_raw"

    def __init__(self, root: str | Path, *, scenes: str | Path | None = None) -> None:
        folder = LAYOUT.folder(root)
        if scenes is None:
            found = sorted(path for path in folder.iterdir() if path.is_dir())
        else:
            found = [LAYOUT.folder(folder / line) for line in read_lines(Path(scenes))]
        frames = [frame for scene in found for frame in _read_scene(scene)]
        self.frames = LAYOUT.some(frames, "<scene>/d-*.pgm with a picture", folder)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        frame = self.frames[index]
        codes = read_codes(LAYOUT.file(frame.depth))
        if (codes > _LARGEST_CODE).any():
            codes = codes.byteswap()
        inverse_depth = (np.float32(CODE_OF_INFINITY) - codes) / np.float32(STEPS_PER_INVERSE_METRE)
        inverse_depth = np.where(inverse_depth >= 1 / FARTHEST_M, inverse_depth, np.float32(0))
        name = f"{self.name}/{frame.depth.parent.name}/{frame.depth.stem.removeprefix('d-')}"
        return Sample.from_inverse_depth(read_rgb(LAYOUT.file(frame.picture)), registered(inverse_depth), name=name)


def registered(inverse_depth: Float32[Array, "H W"]) -> Float32[Array, "H W"]:
    """Inverse depth seen by the depth camera, moved to where the colour camera sees it; of several the nearest.

    Args:
        inverse_depth: 1/metre, 0 where unknown.

    Returns:
        The same for the colour camera, 0 where nothing came to lie.
    """
    height, width = inverse_depth.shape
    scale = width / _WIDTH_PX
    rows, columns = np.nonzero(inverse_depth)
    known = inverse_depth[rows, columns].astype(np.float64)
    across = (columns / scale + 1 - DEPTH_CAMERA.centre_x_px) / DEPTH_CAMERA.focal_x_px
    downwards = (rows / scale + 1 - DEPTH_CAMERA.centre_y_px) / DEPTH_CAMERA.focal_y_px
    # Points over their depth, which is what inverse depth gives.
    points = np.stack([across, downwards, np.ones_like(across)])
    x, y, z = np.array(TURN) @ points + np.outer(OFFSET_M, known)
    columns = np.rint((x / z * COLOUR_CAMERA.focal_x_px + COLOUR_CAMERA.centre_x_px - 1) * scale).astype(np.intp)
    rows = np.rint((y / z * COLOUR_CAMERA.focal_y_px + COLOUR_CAMERA.centre_y_px - 1) * scale).astype(np.intp)
    seen = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    moved = np.zeros_like(inverse_depth)
    np.maximum.at(moved, (rows[seen], columns[seen]), (known / z)[seen].astype(np.float32))
    return moved


def _read_scene(scene: Path) -> list[Frame]:
    index = scene / _INDEX
    paths = [scene / Path(line).name for line in read_lines(index)] if index.is_file() else list(scene.iterdir())
    pictures = sorted((_moment_s(path), path) for path in paths if path.name.startswith("r-"))
    moments = [moment for moment, _ in pictures]
    frames = []
    for depth in sorted(path for path in paths if path.name.startswith("d-")):
        moment = _moment_s(depth)
        after = bisect_left(moments, moment)
        near = pictures[max(after - 1, 0) : after + 1]
        difference, picture = min(((abs(other - moment), path) for other, path in near), default=(np.inf, depth))
        if difference <= MAX_DIFFERENCE_S:
            frames.append(Frame(picture, depth))
    return frames


def _moment_s(path: Path) -> float:
    """The seconds in a name such as ``d-1294439278.588521-1994674041.pgm``."""
    try:
        return float(path.stem.split("-")[1])
    except (IndexError, ValueError) as error:
        raise DatasetError(f"{path} names no moment: expected {path.name[:2]}<seconds>-<clock>{path.suffix}") from error
