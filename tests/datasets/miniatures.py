"""Every data set in its official layout, small enough to write in a test.

All maps show the same: 2 m, but 4 m at ``PIXEL``, and nothing known at ``HOLE``. All pictures have one ``COLOUR``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from scipy.io import savemat

from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.shard_members import Packing
from midas.datasets.shards import pack

SIZE = (24, 32)
PIXEL = (3, 7)
HOLE = (0, 0)
DEPTH_M = 4.0
COLOUR = (200, 100, 50)


@dataclass(frozen=True)
class Miniature:
    """A set that was written.

    Attributes:
        root: its folder.
        count: pictures that its reader finds with default options.
        needed: a file without which the first sample can't be read.
    """

    root: Path
    count: int
    needed: Path


def depth_map(invalid: float = 0.0) -> np.ndarray:
    depth = np.full(SIZE, 2.0, np.float32)
    depth[PIXEL], depth[HOLE] = DEPTH_M, invalid
    return depth


def write_picture(path: Path, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _, data = cv2.imencode(
        path.suffix if path.suffix != ".thumb" else ".jpg", np.full((*size, 3), COLOUR[::-1], np.uint8)
    )
    path.write_bytes(data.tobytes())
    return path


def write_codes(path: Path, codes: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.rint(codes).astype(np.uint16))
    return path


def write_grey(path: Path, grey: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), grey.astype(np.uint8))
    return path


def write_text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_pfm(path: Path, values: np.ndarray, scale: str = "-1.0") -> Path:
    header = f"Pf\n{values.shape[1]} {values.shape[0]}\n{scale}\n".encode()
    path.write_bytes(header + values[::-1].astype("<f4").tobytes())
    return path


def write_dpt(path: Path, depth: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = np.array([202021.25], "<f4").tobytes() + np.array(depth.shape[::-1], "<i4").tobytes()
    path.write_bytes(header + depth.astype("<f4").tobytes())
    return path


def write_nyu(root: Path) -> Miniature:
    """Four pictures: the second and fourth are the test split; only their raw depth has the known 4 m."""
    root.mkdir(parents=True)
    with h5py.File(root / "nyu_depth_v2_labeled.mat", "w", userblock_size=512) as file:
        file["images"] = np.broadcast_to(np.array(COLOUR, np.uint8)[:, None, None], (4, 3, *SIZE[::-1])).copy()
        file["rawDepths"] = np.stack([depth_map().T] * 4)
        file["depths"] = np.full((4, *SIZE[::-1]), 3.0, np.float32)
    numbers = {"testNdxs": np.array([[2], [4]], np.uint16), "trainNdxs": np.array([[1], [3]], np.uint16)}
    savemat(root / "splits.mat", numbers, do_compression=True)
    return Miniature(root, 2, root / "nyu_depth_v2_labeled.mat")


DRIVES = ("2011_09_26_drive_0002_sync", "2011_09_26_drive_0009_sync")


def write_kitti(root: Path) -> Miniature:
    """Two drives with a frame each, both in the list; the first's map is in val, the second's in train."""
    lines = []
    for drive, part in zip(DRIVES, ("val", "train"), strict=True):
        base = root / "2011_09_26" / drive
        write_picture(base / "image_02" / "data" / "0000000069.png")
        maps = root / part / drive / "proj_depth" / "groundtruth" / "image_02"
        write_codes(maps / "0000000069.png", depth_map() * 256)
        write_points(base / "velodyne_points" / "data" / "0000000069.bin", [(8, 0, 0), (DEPTH_M, 0, 0), (-1, 0, 0)])
        lines += [f"2011_09_26/{drive} 69 l", f"2011_09_26/{drive} 0000000001 l"]
    write_text(root / "eigen_test_files.txt", *lines)
    write_calibration(root / "2011_09_26")
    write_selection(root / "depth_selection" / "val_selection_cropped")
    return Miniature(root, 1, root / "2011_09_26" / DRIVES[0] / "image_02" / "data" / "0000000069.png")


def write_selection(folder: Path) -> None:
    write_picture(folder / "image" / f"{DRIVES[0]}_image_0000000005_image_02.png")
    write_codes(
        folder / "groundtruth_depth" / f"{DRIVES[0]}_groundtruth_depth_0000000005_image_02.png", depth_map() * 256
    )


def write_points(path: Path, points: list[tuple[float, float, float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.array([(*point, 0.5) for point in points], "<f4").tobytes())


def write_calibration(day: Path) -> None:
    """A camera at the laser, looking ahead; the axis meets pixel column 8, row 4, counted from 1: ``PIXEL``."""
    matrix = [20, 0, PIXEL[1] + 1, 0, 0, 20, PIXEL[0] + 1, 0, 0, 0, 1, 0]
    numbers = " ".join(str(float(number)) for number in matrix)
    write_text(
        day / "calib_cam_to_cam.txt",
        "calib_time: 09-Jan-2012 13:57:47",
        "R_rect_00: 1 0 0 0 1 0 0 0 1",
        f"P_rect_02: {numbers}",
        f"P_rect_03: {numbers}",
    )
    write_text(day / "calib_velo_to_cam.txt", "calib_time: 15-Mar-2012 11:37:16", "R: 0 -1 0 0 0 -1 1 0 0", "T: 0 0 0")


def write_sintel(root: Path) -> Miniature:
    for scene in ("alley_1", "bamboo_2"):
        for number in (1, 2):
            for render in ("final", "clean"):
                write_picture(root / "training" / render / scene / f"frame_{number:04d}.png")
            write_dpt(root / "training" / "depth" / scene / f"frame_{number:04d}.dpt", depth_map(np.inf))
    return Miniature(root, 4, root / "training" / "depth" / "alley_1" / "frame_0001.dpt")


def write_eth3d(root: Path) -> Miniature:
    for scene in ("courtyard", "pipes"):
        write_picture(root / scene / "images" / "dslr_images" / "DSC_0286.JPG")
        target = root / scene / "ground_truth_depth" / "dslr_images" / "DSC_0286.JPG"
        target.parent.mkdir(parents=True)
        target.write_bytes(depth_map(np.inf).astype("<f4").tobytes())
    mask = np.zeros(SIZE)
    mask[10] = 1
    write_grey(root / "courtyard" / "masks_for_images" / "dslr_images" / "DSC_0286.png", mask)
    return Miniature(root, 2, root / "courtyard" / "ground_truth_depth" / "dslr_images" / "DSC_0286.JPG")


def write_tum(root: Path) -> Miniature:
    """Three pictures in one sequence; the last has no depth map near enough in time."""
    sequence = root / "rgbd_dataset_freiburg3_walking_xyz"
    pictures = [f"{stamp:.6f}" for stamp in (10.0, 10.1, 10.2)]
    depths = [f"{stamp:.6f}" for stamp in (10.005, 10.109, 10.25)]
    for folder, stamps in (("rgb", pictures), ("depth", depths)):
        write_text(sequence / f"{folder}.txt", "# timestamp filename", *(f"{s} {folder}/{s}.png" for s in stamps))
    for stamp in pictures:
        write_picture(sequence / "rgb" / f"{stamp}.png")
    for stamp in depths:
        write_codes(sequence / "depth" / f"{stamp}.png", depth_map() * 5000)
    return Miniature(root, 2, sequence / "depth" / "10.005000.png")


def write_tum_dynamic(root: Path) -> Miniature:
    root.mkdir(parents=True)
    for moment in ("10366667", "10466667"):
        with h5py.File(root / f"ZL1t_Yu4_{moment}.jpg.h5", "w") as file:
            file["gt/img_1"] = np.broadcast_to(np.array(COLOUR) / 255, (*SIZE, 3))
            file["gt/gt_depth"] = depth_map()
    return Miniature(root, 2, root / "ZL1t_Yu4_10366667.jpg.h5")


def write_diw(root: Path) -> Miniature:
    """The first photograph's point A, at row 4 and column 8 from 1, is farther; the second's B is."""
    write_picture(root / "DIW_test" / "a.thumb")
    write_picture(root / "DIW_test" / "b.thumb")
    annotations = root / "DIW_Annotations" / "DIW_test.csv"
    write_text(annotations, "./DIW_test/a.thumb", "4,8,20,30,>,32,24", "./DIW_test/b.thumb", "4,8,24,32,<,32,24")
    return Miniature(root, 2, root / "DIW_test" / "a.thumb")


def write_da2k(root: Path) -> Miniature:
    write_picture(root / "images" / "a.jpg")
    write_picture(root / "images" / "b.jpg")
    pairs = [pair([3, 7], [20, 30], "point1"), pair([1, 2], [3, 4], "point2")]
    write_text(root / "annotations.json", json.dumps({"images/a.jpg": pairs, "images/b.jpg": pairs[:1]}))
    return Miniature(root, 2, root / "images" / "a.jpg")


def pair(point1: list[int], point2: list[int], closer_point: str) -> dict[str, Any]:
    return {"point1": point1, "point2": point2, "closer_point": closer_point}


def write_diode(root: Path) -> Miniature:
    """One picture indoors, one outdoors; the mask alone says that the hole, where a depth is stored, is invalid."""
    for part, scene in (("indoors", "scene_00019"), ("outdoor", "scene_00022")):
        stem = root / "val" / part / scene / "scan_00183" / f"00019_00183_{part}_000_010"
        write_picture(stem.with_suffix(".png"))
        np.save(f"{stem}_depth.npy", depth_map(5.0)[..., None])
        np.save(f"{stem}_depth_mask.npy", (depth_map() > 0).astype(np.float64))
    return Miniature(root, 2, root / "val/indoors/scene_00019/scan_00183/00019_00183_indoors_000_010_depth.npy")


def write_ibims1(root: Path) -> Miniature:
    """Both masks leave a row of their own out."""
    for name in ("corridor_01", "office_02"):
        write_picture(root / "rgb" / f"{name}.png")
        write_codes(root / "depth" / f"{name}.png", depth_map() * 65535 / 50)
        for folder, row in (("mask_invalid", 10), ("mask_transp", 11)):
            mask = np.full(SIZE, 255)
            mask[row] = 0
            write_grey(root / folder / f"{name}.png", mask)
    write_text(root / "imagelist.txt", "corridor_01", "office_02")
    return Miniature(root, 2, root / "mask_transp" / "corridor_01.png")


def write_scannet(root: Path) -> Miniature:
    """Colour is twice as large as depth. Frames are numbered without leading zeros."""
    scene = root / "scene0707_00"
    for frame in (0, 2, 10):
        write_picture(scene / "color" / f"{frame}.jpg", (2 * SIZE[0], 2 * SIZE[1]))
        write_codes(scene / "depth" / f"{frame}.png", depth_map() * 1000)
    return Miniature(root, 3, scene / "depth" / "0.png")


def write_folder(root: Path) -> Miniature:
    """As somebody keeps their own: a folder of pictures and one of millimetres, for each scene."""
    for frame in ("a", "b"):
        write_picture(root / "garden" / "rgb" / f"{frame}.png")
        write_codes(root / "garden" / "depth" / f"{frame}.png", depth_map() * 1000)
    return Miniature(root, 2, root / "garden" / "depth" / "a.png")


def write_middlebury2014(root: Path) -> Miniature:
    """Focal length 1000 px, baseline 100 mm, offset 5 px; the header's scale is no scale of the values."""
    scene = root / "Adirondack-perfect"
    write_picture(scene / "im0.png")
    disparity = 1000 * 100 / (1000 * depth_map(1.0)) - 5
    disparity[HOLE] = np.inf
    write_pfm(scene / "disp0.pfm", disparity, "-0.003922")
    camera = "cam0=[1000 0 16; 0 1000 12; 0 0 1]"
    write_text(scene / "calib.txt", camera, "doffs=5", "baseline=100", "width=32", "height=24")
    return Miniature(root, 1, scene / "disp0.pfm")


def write_booster(root: Path) -> Miniature:
    """Focal length 1000 px, baseline 100 mm; two lights; the mask leaves a row out."""
    scene = root / "train" / "balanced" / "Bathroom"
    for light in (0, 1):
        write_picture(scene / "camera_00" / f"im{light}.png")
    disparity = 1000 * 100 / (1000 * depth_map(1.0))
    disparity[HOLE] = 0
    np.save(scene / "disp_00.npy", disparity)
    mask = np.full(SIZE, 255)
    mask[10] = 0
    write_grey(scene / "mask_00.png", mask)
    file = cv2.FileStorage(str(scene / "calib_00-02.xml"), cv2.FILE_STORAGE_WRITE)
    file.write("proj_matL", np.array([[1000.0, 0, 16, 0], [0, 1000, 12, 0], [0, 0, 1, 0]]))
    file.write("baselineLR", 100.0)
    file.release()
    return Miniature(root, 2, scene / "mask_00.png")


def write_corpus(root: Path) -> Miniature:
    write_picture(root / "room" / "000.jpg")
    write_codes(root / "room" / "000.png", depth_map() * 1000)
    facts = {"name": "tiny", "domain": "indoor", "depth_kind": "depth", "depth_scale": 0.001, "split": "eval"}
    write_text(root / "dataset.json", json.dumps(facts))
    return Miniature(root, 1, root / "room" / "000.png")


def write_shards(root: Path) -> Miniature:
    corpus = write_corpus(root.with_name("to_pack"))
    pack(CorpusDataset(corpus.root), root, Packing())
    return Miniature(root, count=corpus.count, needed=root / "shard-000000.tar")


MINIATURES: dict[str, Callable[[Path], Miniature]] = {
    "booster": write_booster,
    "corpus": write_corpus,
    "da2k": write_da2k,
    "diode": write_diode,
    "diw": write_diw,
    "eth3d": write_eth3d,
    "folder": write_folder,
    "ibims1": write_ibims1,
    "kitti": write_kitti,
    "middlebury2014": write_middlebury2014,
    "nyu": write_nyu,
    "scannet": write_scannet,
    "shards": write_shards,
    "sintel": write_sintel,
    "tum": write_tum,
    "tum_dynamic": write_tum_dynamic,
}
PAIR_SETS = ("da2k", "diw")
MAP_SETS = tuple(name for name in MINIATURES if name not in PAIR_SETS)
