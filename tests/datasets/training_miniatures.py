"""Every set to train on in its official layout, small enough to write in a test; they show what ``miniatures`` do.

Relative sets hold what is proportional to inverse depth: 0.5 at 2 m and 0.25 at 4 m, times some number.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import OpenEXR
from tests.datasets.miniatures import (
    DEPTH_M,
    HOLE,
    PIXEL,
    SIZE,
    Miniature,
    depth_map,
    write_codes,
    write_grey,
    write_pfm,
    write_picture,
    write_text,
)

SKY = (0, 5)


def inverse_depth(invalid: float = 0.0) -> np.ndarray:
    """In 1/metre."""
    disparity = 1 / depth_map(1.0)
    disparity[HOLE] = invalid
    return disparity


def write_h5(path: Path, key: str, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file[key] = values
    return path


def write_npy(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)
    return path


def write_half_exr(path: Path, channels: dict[str, np.ndarray]) -> Path:
    """An OpenEXR file as renderers write it: half floats in blocks of lines, in zlib's compression."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    halves = {name: OpenEXR.Channel(values.astype(np.float16)) for name, values in channels.items()}
    OpenEXR.File(header, halves).write(str(path))
    return path


def write_redweb(root: Path) -> Miniature:
    """Codes are larger for what is farther; 255 is invalid."""
    for name in ("a", "b"):
        write_picture(root / "Imgs" / f"{name}.jpg")
        write_grey(root / "RDs" / f"{name}.png", 255 - 400 * inverse_depth())
    return Miniature(root, 2, root / "RDs" / "a.png")


def write_megadepth(root: Path) -> Miniature:
    """The lower rows are at 4 m too, so that this depth is no outlier; a second photograph has an ordinal map."""
    depth = depth_map()
    depth[16:] = DEPTH_M
    dense = root / "0000" / "dense0"
    write_picture(dense / "imgs" / "a.jpg")
    write_picture(root / "0001" / "dense1" / "imgs" / "b.JPG")
    write_h5(dense / "depths" / "a.h5", "depth", depth * 7)
    write_h5(root / "0001" / "dense1" / "depths" / "b.h5", "depth", np.where(depth > 2, np.float32(-1), 0))
    return Miniature(root, 2, dense / "imgs" / "a.jpg")


def write_hrwsi(root: Path) -> Miniature:
    """Stored is a disparity at the hole, which the mask alone calls invalid, and a valid 0 at the sky."""
    disparity = inverse_depth(0.5)
    disparity[SKY] = 0
    mask = np.full(SIZE, 255)
    mask[HOLE] = 0
    for split in ("train", "val"):
        write_picture(root / split / "imgs" / f"{split}_a.jpg")
        write_grey(root / split / "gts" / f"{split}_a.png", disparity * 400)
        write_grey(root / split / "valid_masks" / f"{split}_a.png", mask)
    return Miniature(root, 1, root / "train" / "valid_masks" / "train_a.png")


def write_blendedmvs(root: Path) -> Miniature:
    project = root / "5a3ca9cb270f0e3f14d0eddb"
    for suffix in ("", "_masked"):
        write_picture(project / "blended_images" / f"00000000{suffix}.jpg")
    (project / "rendered_depth_maps").mkdir()
    return Miniature(root, 1, write_pfm(project / "rendered_depth_maps" / "00000000.pfm", depth_map() * 3))


def write_irs(root: Path) -> Miniature:
    scene = root / "Home" / "ABARoom"
    write_picture(scene / "l_1.png")
    return Miniature(root, 1, write_half_exr(scene / "d_1.exr", {"G": inverse_depth() * 48}))


def write_apolloscape(root: Path) -> Miniature:
    part = root / "stereo_train_001"
    write_picture(part / "camera_5" / "171206_034625454_Camera_5.jpg")
    codes = write_codes(part / "disparity" / "171206_034625454_Camera_5.png", inverse_depth() * 100 * 256)
    return Miniature(root, 1, codes)


def write_tartanair(root: Path) -> Miniature:
    depth = depth_map()
    depth[SKY] = 10_000
    for difficulty in ("Easy", "Hard"):
        flight = root / "hospital" / difficulty / "P000"
        write_picture(flight / "image_left" / "000000_left.png")
        write_npy(flight / "depth_left" / "000000_left_depth.npy", depth)
    return Miniature(root, 2, root / "hospital" / "Easy" / "P000" / "depth_left" / "000000_left_depth.npy")


def write_hypersim(root: Path) -> Miniature:
    """Distances along rays of 60° from left to right, worked out one pixel at a time."""
    height, width = SIZE
    focal_px = width / 2 / np.tan(np.pi / 6)
    distance = depth_map(np.nan)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5 - width / 2, row + 0.5 - height / 2
            distance[row, column] *= np.sqrt(x * x + y * y + focal_px * focal_px) / focal_px
    images = root / "ai_001_001" / "images"
    for frame in ("frame.0000", "frame.0001"):
        write_picture(images / "scene_cam_00_final_preview" / f"{frame}.tonemap.jpg")
    path = images / "scene_cam_00_geometry_hdf5" / "frame.0000.depth_meters.hdf5"
    return Miniature(root, 1, write_h5(path, "dataset", distance))


def write_virtual_kitti2(root: Path) -> Miniature:
    """The hole has the code 0, which no rendered pixel has."""
    codes = depth_map() * 100
    codes[SKY] = 65535
    frames = root / "Scene01" / "fog" / "frames"
    for camera in ("Camera_0", "Camera_1"):
        write_picture(frames / "rgb" / camera / "rgb_00000.jpg")
        write_codes(frames / "depth" / camera / "depth_00000.png", codes)
    return Miniature(root, 2, frames / "depth" / "Camera_0" / "depth_00000.png")


def write_arkitscenes(root: Path) -> Miniature:
    """The hole has a depth of low confidence, row 10 one of medium; a second picture has no depth map."""
    video = root / "Training" / "40753679"
    for moment in ("6791.652", "6791.668"):
        write_picture(video / "lowres_wide" / f"40753679_{moment}.png")
    confidence = np.full(SIZE, 2)
    confidence[10], confidence[HOLE] = 1, 0
    write_codes(video / "lowres_depth" / "40753679_6791.652.png", depth_map(3.0) * 1000)
    path = write_grey(video / "confidence" / "40753679_6791.652.png", confidence)
    return Miniature(root, 1, path)


def write_sun_rgbd(root: Path) -> Miniature:
    """The three lowest bits go to the top; the raw map has 3 m all over."""
    for view in ("kv1/NYUdata/NYU0001", "kv2/kinect2data/000002_2014-05-26_14-23-37"):
        write_picture(root / view / "image" / "0000103.jpg")
        for folder, depth in (("depth_bfx", depth_map()), ("depth", np.full(SIZE, 3.0))):
            millimetres = (depth * 1000).astype(np.uint16)
            write_codes(root / view / folder / "0000103.png", millimetres << 3 | millimetres >> 13)
    return Miniature(root, 2, root / "kv1" / "NYUdata" / "NYU0001" / "image" / "0000103.jpg")


def write_diml(root: Path) -> Miniature:
    scene = root / "Bathroom" / "A"
    for number in (1, 2):
        write_picture(scene / "col" / f"in_00_160225_{number:06d}_c.png")
    write_codes(scene / "up_png" / "in_00_160225_000001_ud.png", depth_map() * 1000)
    return Miniature(root, 1, scene / "col" / "in_00_160225_000001_c.png")


def write_stereo_pairs(root: Path) -> Miniature:
    """One disparity in either format."""
    scene = root / "street"
    write_picture(scene / "left" / "0.png")
    write_picture(scene / "left" / "1.jpg")
    write_codes(scene / "disparity" / "1.png", inverse_depth() * 100 * 256)
    write_pfm(scene / "disparity" / "0.pfm", inverse_depth(np.inf) * 100)
    return Miniature(root, 2, scene / "left" / "0.png")


def write_movies(root: Path) -> Miniature:
    write_picture(root / "film" / "000001.jpg")
    return Miniature(root, 1, write_codes(root / "film" / "000001.png", inverse_depth() * 60_000))


NYU_CODE_AT_2_M, NYU_CODE_AT_4_M, NYU_CODE_OF_NOTHING = 917, 1005, 2047


def write_nyu_raw(root: Path) -> Miniature:
    """Depth is where the depth camera sees it; a third map has no picture near enough in time."""
    codes = np.full(SIZE, NYU_CODE_AT_2_M, np.uint16)
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            if seen_by_colour(row, column, 2.0) == PIXEL:
                codes[row, column] = NYU_CODE_OF_NOTHING
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            if seen_by_colour(row, column, DEPTH_M) == PIXEL:
                codes[row, column] = NYU_CODE_AT_4_M
    scene = root / "basement_0001a"
    for moment in (10.0, 10.033, 10.5):
        write_pgm(scene / f"d-{moment:.6f}-1994674041.pgm", codes)
    for moment in (9.99, 10.034):
        write_picture(scene / f"r-{moment:.6f}-1994674042.ppm")
    write_text(scene / "INDEX.txt", "a-10.000000-1994674040.dump", *(path.name for path in scene.glob("?-*.p?m")))
    return Miniature(root, 2, scene / "d-10.000000-1994674041.pgm")


def write_pgm(path: Path, codes: np.ndarray) -> Path:
    """Lower byte first, as the set has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"P5\n{codes.shape[1]} {codes.shape[0]}\n65535\n".encode() + codes.astype("<u2").tobytes())
    return path


def seen_by_colour(row: int, column: int, depth_m: float) -> tuple[int, int]:
    """Where the colour camera sees what the depth camera has there, both at a twentieth of 640 × 480."""
    x = (20 * column + 1 - 313.044759) * depth_m / 582.624482
    y = (20 * row + 1 - 238.443896) * depth_m / 582.691033
    toolbox_r = -np.array(
        [
            [9.9997798940829263e-01, 5.0518419386157446e-03, 4.3011152014118693e-03],
            [-5.0359919480810989e-03, 9.9998051861143999e-01, -3.6879781309514218e-03],
            [-4.3196624923060242e-03, 3.6662365748484798e-03, 9.9998394948385538e-01],
        ]
    ).T
    toolbox_t = np.array([2.5031875059141302e-02, -2.9342312935846411e-04, 6.6238747008330102e-04])
    x, y, z = toolbox_r @ (x, y, depth_m) + toolbox_t
    return round((y / z * 519.469611 + 252.736166) / 20), round((x / z * 518.857901 + 324.582449) / 20)


TRAINING_MINIATURES: dict[str, Callable[[Path], Miniature]] = {
    "apolloscape": write_apolloscape,
    "arkitscenes": write_arkitscenes,
    "blendedmvs": write_blendedmvs,
    "diml": write_diml,
    "hrwsi": write_hrwsi,
    "hypersim": write_hypersim,
    "irs": write_irs,
    "megadepth": write_megadepth,
    "movies": write_movies,
    "nyu_raw": write_nyu_raw,
    "redweb": write_redweb,
    "stereo_pairs": write_stereo_pairs,
    "sun_rgbd": write_sun_rgbd,
    "tartanair": write_tartanair,
    "virtual_kitti2": write_virtual_kitti2,
}
RELATIVE_SETS = ("apolloscape", "blendedmvs", "hrwsi", "megadepth", "movies", "redweb", "stereo_pairs")
SKY_SETS = ("hrwsi", "tartanair", "virtual_kitti2")
