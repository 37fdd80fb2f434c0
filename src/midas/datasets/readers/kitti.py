"""Reader for KITTI: a car's cameras and laser scanner; three ground truths, all z in metres.

``improved``: depth maps × 256, 16 bits, 0 where unknown, from several laser sweeps checked against stereo (Uhrig et
al. 2017), for frames of a list that have one: 652 of the 697 of Eigen's test list. The 161 of the MiDaS figures are
those of them whose map is in the official validation part (``part="val"``, the default). A frame without a map is left
out without a word, since the first and last of each drive have none: fewer than 161 mean an incomplete download, or
another list.
``velodyne``: the frame's own laser points, projected; all frames of a list.
``selection``: ``depth_selection/val_selection_cropped``, 1,000 cropped pictures with improved maps, without a list.

A list has one frame per line, ``2011_09_26/2011_09_26_drive_0002_sync 0000000069 l``, or ``r`` for the right camera, or
starts with the path of the picture, ``2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32
from midas.datasets.formats import read_codes, read_lines, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample
from midas.datasets.velodyne import read_points, read_projection
from midas.errors import DatasetError

LAYOUT = Layout(
    title="KITTI",
    homepage="https://www.cvlibs.net/datasets/kitti/",
    licence="CC BY-NC-SA 3.0",
    tree="""
<root>/eigen_test_files.txt                                       the list of frames, if no other is named
<root>/<date>/<drive>_sync/image_02/data/0000000069.png           raw data, synced and rectified
<root>/<date>/<drive>_sync/velodyne_points/data/0000000069.bin    for ground_truth velodyne
<root>/<date>/calib_cam_to_cam.txt, calib_velo_to_cam.txt         for ground_truth velodyne
<root>/val/<drive>_sync/proj_depth/groundtruth/image_02/          data_depth_annotated.zip; also train/
<root>/depth_selection/val_selection_cropped/image/               data_depth_selection.zip, for selection
<root>/depth_selection/val_selection_cropped/groundtruth_depth/
""",
)

GROUND_TRUTHS = ("improved", "velodyne", "selection")
PARTS = {"val": ("val",), "train": ("train",), "any": ("val", "train")}
STEPS_PER_METRE = 256.0

_CAMERAS = {"l": "image_02", "r": "image_03"}
_SHORT = re.compile(r"\d{4}_\d\d_\d\d/(?P<drive>\S+_sync)\s+(?P<number>\d+)\s+(?P<side>[lr])\b")
_LONG = re.compile(r"/?\d{4}_\d\d_\d\d/(?P<drive>\w+_sync)/(?P<camera>image_0[23])/data/(?P<number>\d+)\.(png|jpg)\b")


@dataclass(frozen=True)
class Frame:
    """One picture of one camera.

    Attributes:
        drive: for instance ``2011_09_26_drive_0002_sync``, which begins with the date.
        camera: ``image_02`` or ``image_03``.
        number: ten digits.
        picture: the file.
        target: its depth map or its laser points.
    """

    drive: str
    camera: str
    number: str
    picture: Path
    target: Path


class KittiReader:
    """Frames with one of the ground truths.

    Args:
        root: the folder with all parts.
        ground_truth: ``improved``, ``velodyne`` or ``selection``.
        part: for ``improved``, which part of the depth maps: ``val``, ``train`` or ``any``.
        frames: the list for ``improved`` and ``velodyne``; None for ``eigen_test_files.txt`` in the folder.

    Raises:
        DatasetError: folder or list isn't there, or no frame has a target.
    """

    name = "kitti"

    def __init__(
        self,
        root: str | Path,
        *,
        ground_truth: str = "improved",
        part: str = "val",
        frames: str | Path | None = None,
    ) -> None:
        folder = LAYOUT.folder(root)
        self.ground_truth = check_choice("ground_truth", ground_truth, GROUND_TRUTHS)
        parts = PARTS[check_choice("part", part, tuple(PARTS))]
        if ground_truth == "selection":
            found = _selection(folder)
        else:
            listed = _read_list(LAYOUT.file(Path(frames) if frames else folder / "eigen_test_files.txt"), folder)
            found = listed if ground_truth == "velodyne" else _with_map(listed, folder, parts)
        self.frames = LAYOUT.some(found, f"frame with ground truth {ground_truth!r}", folder)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        frame = self.frames[index]
        image = read_rgb(LAYOUT.file(frame.picture))
        if self.ground_truth == "velodyne":
            depth = _project(frame, (image.shape[0], image.shape[1]))
        else:
            depth = read_codes(LAYOUT.file(frame.target)) / np.float32(STEPS_PER_METRE)
        name = f"{self.name}/{frame.drive}/{frame.camera}_{frame.number}"
        return Sample.from_depth(image, depth, name=name, sparse=True)


def _read_list(path: Path, folder: Path) -> list[Frame]:
    frames = []
    for line in read_lines(path):
        match = _SHORT.match(line) or _LONG.match(line)
        if match is None:
            raise DatasetError(
                f"{path}: {line!r} names no frame; expected <date>/<drive>_sync <number> <l or r>, or a picture's path"
            )
        parts = match.groupdict()
        camera = parts.get("camera") or _CAMERAS[parts["side"]]
        drive, number = parts["drive"], parts["number"].zfill(10)
        base = folder / drive[:10] / drive
        points = base / "velodyne_points" / "data" / f"{number}.bin"
        frames.append(Frame(drive, camera, number, base / camera / "data" / f"{number}.png", points))
    return frames


def _with_map(frames: list[Frame], folder: Path, parts: tuple[str, ...]) -> list[Frame]:
    """Those of the frames that the depth maps cover, with their maps: the first and last of a drive have none."""
    bases = [base / part for base in (folder, folder / "data_depth_annotated") for part in parts]
    found = []
    for frame in frames:
        inner = Path(frame.drive, "proj_depth", "groundtruth", frame.camera, f"{frame.number}.png")
        target = next((base / inner for base in bases if (base / inner).is_file()), None)
        if target is not None:
            found.append(Frame(frame.drive, frame.camera, frame.number, frame.picture, target))
    return found


def _selection(folder: Path) -> list[Frame]:
    base = folder / "depth_selection" / "val_selection_cropped"
    found = []
    for picture in sorted((base / "image").glob("*_sync_image_*.png")):
        drive, _, rest = picture.stem.rpartition("_sync_image_")
        number, _, camera = rest.partition("_")
        target = base / "groundtruth_depth" / f"{drive}_sync_groundtruth_depth_{rest}.png"
        found.append(Frame(f"{drive}_sync", camera, number, picture, target))
    return found


def _project(frame: Frame, size: tuple[int, int]) -> Float32[Array, "H W"]:
    day = frame.target.parents[3]
    cameras, laser = (LAYOUT.file(day / name) for name in ("calib_cam_to_cam.txt", "calib_velo_to_cam.txt"))
    projection = read_projection(cameras, laser, frame.camera.removeprefix("image_"), size)
    return projection.depth_map(read_points(LAYOUT.file(frame.target)))
