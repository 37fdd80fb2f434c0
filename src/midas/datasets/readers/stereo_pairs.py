"""Reader for rectified stereo pairs whose disparity was computed already: the simplest layout, for sets of one's own.

``disparity`` holds the stereo disparity of the left picture in pixels: ``.pfm``, where 0, negative and infinite are
invalid, or ``.png`` of 16 bits × 256, as KITTI has it, where 0 is. With a focal length and a baseline it is metric: z =
focal length × baseline / disparity. Without them only its proportions count, and that only if both cameras look in
parallel: pairs that converge, as films do, have an unknown shift too and are better read as ``movies``.
WSVD, videos from the web whose links were given out without disparity, can be read like this once it was computed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32
from midas.datasets.formats import read_codes, read_pfm, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample
from midas.errors import ConfigError

LAYOUT = Layout(
    title="rectified stereo pairs with disparity, such as KITTI stereo",
    homepage="https://www.cvlibs.net/datasets/kitti/eval_scene_flow.php",
    licence="each set's own",
    tree="""
<root>/<scene>/left/*.png         or .jpg
<root>/<scene>/disparity/*.pfm    or .png, of the same names
""",
)

STEPS_PER_PIXEL = 256.0


class StereoPairsReader:
    """All left pictures that have a disparity.

    Args:
        root: the folder of scenes.
        focal_px: focal length of the rectified pictures in pixels; None if unknown.
        baseline_m: distance between the cameras in metres; None if unknown.

    Raises:
        DatasetError: the folder isn't there, or holds no disparity.
        ConfigError: one of focal length and baseline alone, or one that is no number above 0.
    """

    name = "stereo_pairs"

    def __init__(
        self, root: str | Path, *, focal_px: float | str | None = None, baseline_m: float | str | None = None
    ) -> None:
        folder = LAYOUT.folder(root)
        if (focal_px is None) != (baseline_m is None):
            raise ConfigError("focal_px and baseline_m make stereo metric together: give both, or neither")
        lengths = {"focal_px": focal_px, "baseline_m": baseline_m}
        given = [_positive(option, value) for option, value in lengths.items() if value is not None]
        self.factor = float(np.prod(given)) if given else None
        found = sorted(path for path in folder.glob("*/disparity/*") if path.suffix in (".pfm", ".png"))
        self.disparities = LAYOUT.some(found, "<scene>/disparity/*.pfm", folder)

    def __len__(self) -> int:
        return len(self.disparities)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        path = self.disparities[index]
        scene = path.parents[1]
        png, jpg = (scene / "left" / f"{path.stem}{suffix}" for suffix in (".png", ".jpg"))
        image = read_rgb(LAYOUT.file(jpg if jpg.is_file() else png))
        inverse_depth = _read_disparity_px(LAYOUT.file(path)) / np.float32(self.factor or 1.0)
        sample = Sample.from_inverse_depth(image, inverse_depth, name=f"{self.name}/{scene.name}/{path.stem}")
        return replace(sample, metric=self.factor is not None)


def _read_disparity_px(path: Path) -> Float32[Array, "H W"]:
    if path.suffix == ".pfm":
        return read_pfm(path)
    return read_codes(path) / np.float32(STEPS_PER_PIXEL)


def _positive(option: str, value: float | str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigError(f"{option} {value!r} is no number above 0")
    return number
