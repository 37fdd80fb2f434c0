"""What each program reads of depth priors: 3D Gaussian splatting, Nerfstudio, COLMAP's dense steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt16
from midas.errors import DatasetError, OutputError
from midas.reconstruction.colmap_model import ModelImage, SparseModel
from midas.reconstruction.priors import Prior, outlying_scales
from midas.storage.atomic import atomic_file

_MOST_CODE = 65535
# Nerfstudio reads PNG codes as thousandths, unless it is told another factor.
_NERFSTUDIO_UNIT = 0.001


@dataclass
class Consumer:
    """Takes priors one by one, and writes what belongs to all of them at the end.

    Attributes:
        model: the reconstruction.
        workspace: its folder.
        output: the folder of the maps.
        overwrite: whether files there may be replaced.
    """

    model: SparseModel
    workspace: Path
    output: Path
    overwrite: bool = False
    warnings: list[str] = field(default_factory=list)

    def take(self, image: ModelImage, prior: Prior) -> Path | None:
        """Write an image's map; None if there is none to write."""
        raise NotImplementedError

    def finish(self) -> list[Path]:
        """Write what belongs to all images; warnings are known then."""
        return []


@dataclass
class GaussianSplatting(Consumer):
    """16-bit PNG files of disparity, and ``depth_params.json`` beside the sparse model.

    The trainer takes ``code / 65535 * scale + offset`` for 1 / depth. Of images whose depth isn't known both are 0, by
    which it leaves them out.
    """

    params: dict[str, dict[str, float]] = field(default_factory=dict)

    def take(self, image: ModelImage, prior: Prior) -> Path | None:
        """Write an image's map, in its own range."""
        low, high = float(prior.values.min()), float(prior.values.max())
        stretch = (high - low) or 1.0
        codes = np.rint((prior.values - np.float32(low)) * np.float32(_MOST_CODE / stretch)).astype(np.uint16)
        alignment = prior.alignment
        self.params[prior.stem] = {
            "scale": alignment.scale * stretch if alignment else 0.0,
            "offset": alignment.scale * low + alignment.shift if alignment else 0.0,
        }
        return _write(self.output / f"{prior.stem}.png", _png(codes), self.overwrite)

    def finish(self) -> list[Path]:
        """Write the scales and offsets."""
        for name in outlying_scales({name: each["scale"] for name, each in self.params.items()}):
            self.warnings.append(
                f"{name}: its scale is under 0.2 or over 5 times the median, so that the trainer leaves its depth out"
            )
        path = self.model.folder / "depth_params.json"
        return [_write(path, json.dumps(self.params, indent=2).encode(), self.overwrite)]


@dataclass
class Nerfstudio(Consumer):
    """16-bit PNG files of depth, and their paths in ``transforms.json``, which is made where there is none."""

    files: dict[str, Path] = field(default_factory=dict)
    farthest: float = 0.0

    def take(self, image: ModelImage, prior: Prior) -> Path | None:
        """Write an image's map; beyond what 16 bits hold, depth is 0: unknown."""
        if prior.alignment is None:
            return None
        depth = prior.depth()
        codes = np.rint(np.where(depth <= _MOST_CODE * _NERFSTUDIO_UNIT, depth, 0) / _NERFSTUDIO_UNIT)
        self.farthest = max(self.farthest, float(np.percentile(depth, 95)))
        self.files[prior.name] = _write(
            self.output / f"{prior.stem}.png", _png(codes.astype(np.uint16)), self.overwrite
        )
        return self.files[prior.name]

    def finish(self) -> list[Path]:
        """Write the paths."""
        limit = _MOST_CODE * _NERFSTUDIO_UNIT
        if self.farthest > limit:
            self.warnings.append(
                f"depths reach {self.farthest:.0f} units, but 16 bits hold {limit:g}: what is farther counts as unknown"
            )
        path = self.workspace / "transforms.json"
        document = _read_json(path) if path.exists() else transforms_of(self.model)
        by_name = {Path(name).name: file for name, file in self.files.items()}
        for frame in document["frames"]:
            file = by_name.get(Path(str(frame.get("file_path", ""))).name)
            if file is not None:
                frame["depth_file_path"] = _relative(file, self.workspace)
        document["depth_unit_scale_factor"] = _NERFSTUDIO_UNIT
        # The file is ours to complete: it is read, extended and put back whole.
        return [_write(path, json.dumps(document, indent=2).encode(), overwrite=True)]


@dataclass
class ColmapDense(Consumer):
    """``stereo/depth_maps/NAME.geometric.bin`` and ``.photometric.bin``, as ``stereo_fusion`` reads them."""

    def take(self, image: ModelImage, prior: Prior) -> Path | None:
        """Write an image's map."""
        if prior.alignment is None:
            return None
        data = dense_map(prior.depth())
        folder = self.output / "stereo" / "depth_maps"
        _write(folder / f"{prior.name}.photometric.bin", data, self.overwrite)
        return _write(folder / f"{prior.name}.geometric.bin", data, self.overwrite)


CONSUMERS: dict[str, Callable[..., Consumer]] = {
    "3dgs": GaussianSplatting,
    "nerfstudio": Nerfstudio,
    "colmap": ColmapDense,
}

DEFAULT_FOLDERS = {"3dgs": "depths", "nerfstudio": "depths", "colmap": "."}
"""Where each looks for maps, below the workspace."""


def dense_map(depth: Float32[Array, "H W"]) -> bytes:
    """The bytes of a map of COLMAP's dense steps: width, height and channels in ASCII, then float32 row by row."""
    height, width = depth.shape
    return f"{width}&{height}&1&".encode() + depth.astype("<f4").tobytes()


def transforms_of(model: SparseModel) -> dict[str, Any]:
    """A ``transforms.json`` for a reconstruction; cameras look to -z, y points up, as in OpenGL."""
    frames = []
    for image in model.images:
        camera = model.cameras[image.camera]
        fx, fy, cx, cy = camera.focal_and_principal_px
        to_world = np.eye(4)
        to_world[:3, :3] = image.rotation.T * [1, -1, -1]
        to_world[:3, 3] = -image.rotation.T @ image.translation
        size = {"w": camera.size[1], "h": camera.size[0]}
        lens = {"fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy, **size}
        frames.append({"file_path": f"images/{image.name}", "transform_matrix": to_world.tolist(), **lens})
    return {"camera_model": "OPENCV", "frames": frames}


def names_without_suffix_collide(names: Iterable[str]) -> list[str]:
    """Names that two images share but for their suffix, whose maps would have one name."""
    seen: dict[str, str] = {}
    return [name for name in names if seen.setdefault(name.rpartition(".")[0], name) != name]


def _png(codes: UInt16[Array, "H W"]) -> bytes:
    return cv2.imencode(".png", codes)[1].tobytes()


def _write(path: Path, data: bytes, overwrite: bool) -> Path:
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(data)
    return path


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        list(document["frames"])
    except OSError as error:
        raise OutputError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} is no transforms.json: expected an object with frames") from error
    return dict(document)


def _relative(file: Path, folder: Path) -> str:
    try:
        return file.absolute().relative_to(folder.absolute()).as_posix()
    except ValueError:
        return file.absolute().as_posix()
