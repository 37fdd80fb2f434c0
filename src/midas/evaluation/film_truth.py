"""Measured depth of a film's frames, and what the maps of each way of steadying are worth by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from midas.alignment import align_least_squares
from midas.arrays import Array, Bool, Float32, Float64
from midas.errors import ConfigError, MidasError, OutputError, VideoError
from midas.maps.formats import read_map
from midas.maps.kinds import INVERSE, Kind, kind_said
from midas.maps.resize import resize_map
from midas.metrics import abs_rel, gauge_wobble, temporal_alignment_error, temporal_gradient_error

CAMERAS_FILE = "cameras.json"
GRID_PX = 96
"""Longer side, at most, of the grid of points at which maps are compared with the truth."""
_SUFFIXES = (".npy", ".npz", ".pfm", ".exr", ".tiff", ".tif", ".png")
_TINY = 1e-12
_MILLIMETRE = np.float32(0.001)


class FilmTruth:
    """Measured depth in metres, a file per frame in the order of their names; what isn't positive is unknown.

    A PNG without texts is in millimetres. A file ``cameras.json`` beside them, if it is there, holds ``intrinsics``,
    3 x 3 in pixels of the depth maps, and ``poses``, one 4 x 4 per frame from the camera to the world, in metres.

    Args:
        folder: of the files.
        kind: of the maps that are compared with them.

    Raises:
        ConfigError: there are none, or ``cameras.json`` doesn't say what it should.
    """

    def __init__(self, folder: Path, kind: Kind) -> None:
        found = folder.iterdir() if folder.is_dir() else ()
        self._files = sorted(path for path in found if path.suffix.lower() in _SUFFIXES)
        if len(self._files) < 2:
            raise ConfigError(
                f"{folder} has {len(self._files)} depth maps; expected one per frame, as {', '.join(_SUFFIXES)}"
            )
        self._inverse = kind in INVERSE
        self._depths: list[Float32[Array, "h w"]] = []
        self._maps: dict[str, list[Float32[Array, "h w"]]] = {}
        self._cameras = _read_cameras(folder / CAMERAS_FILE, len(self._files))
        self._full_size = (0, 0)

    def take(self, maps: Mapping[str, Float32[Array, "h w"]]) -> None:
        """Compare the next frame's maps, one per way.

        Raises:
            VideoError: there is no more truth.
            OutputError: the next file can't be read.
        """
        number = len(self._depths)
        if number == len(self._files):
            raise VideoError(f"the film has more frames than the {number} of which there is measured depth")
        depth = _read_metres(self._files[number])
        self._full_size = depth.shape[0], depth.shape[1]
        shrink = min(1.0, GRID_PX / max(depth.shape))
        size = max(2, round(depth.shape[0] * shrink)), max(2, round(depth.shape[1] * shrink))
        self._depths.append(resize_map(depth, size, "nearest"))
        for way, values in maps.items():
            self._maps.setdefault(way, []).append(resize_map(values, size, "linear"))

    def figures(self, *, whole: bool) -> dict[str, dict[str, float]]:
        """Way → figure → value; one scale and shift for the whole film where a figure needs the truth's unit.

        Args:
            whole: whether the film was seen to its end, so that each file should have had its frame.

        Raises:
            VideoError: the film had fewer frames than there is truth.
            AlignmentError: too few pixels of the truth are valid.
        """
        if whole and len(self._depths) < len(self._files):
            raise VideoError(
                f"the film has {len(self._depths)} frames, and there is measured depth of {len(self._files)}"
            )
        depths = np.stack(self._depths)
        known = (depths > 0) & np.isfinite(depths)
        safe = np.where(known, depths, np.float32(1))
        target = 1 / safe if self._inverse else safe
        return {way: self._of(np.stack(maps), safe, target, known) for way, maps in self._maps.items()}

    def _of(self, maps: Array, depths: Array, target: Array, known: Bool[Array, "T h w"]) -> dict[str, float]:
        aligned = align_least_squares(maps, target, known).apply(maps)
        low, high = float(target[known].min()), float(target[known].max())
        metres = 1 / np.maximum(aligned, np.float32(low)) if self._inverse else np.maximum(aligned, np.float32(low))
        unit = np.float32(max(high - low, _TINY))
        # Unknown points get the same value in all frames, so that they change in none.
        true_unit, map_unit = (np.where(known, (each - low) / unit, 0).astype(np.float32) for each in (target, aligned))
        found = {
            "abs_rel": abs_rel(metres, depths, known),
            "temporal_gradient_error": temporal_gradient_error(map_unit, true_unit),
        }
        with suppress(MidasError):  # a network that sees a frame the wrong way round has no scale there, and no figure
            found["gauge_wobble"] = gauge_wobble(maps, target, known)
        if self._cameras is not None:
            intrinsics, poses = self._cameras
            found["tae"] = temporal_alignment_error(metres, self._on_grid(intrinsics), poses[: len(maps)], known)
        return found

    def _on_grid(self, intrinsics: Float64[Array, "3 3"]) -> Float64[Array, "3 3"]:
        height, width = self._depths[0].shape
        shrink_y, shrink_x = height / self._full_size[0], width / self._full_size[1]
        scaled = intrinsics.copy()
        scaled[0] *= shrink_x
        scaled[1] *= shrink_y
        scaled[:2, 2] += np.array([shrink_x, shrink_y]) / 2 - 0.5  # places count from the middle of the first pixel
        return scaled


def _read_metres(path: Path) -> Float32[Array, "H W"]:
    values, metadata = read_map(path)
    if kind_said(metadata, path) in INVERSE:
        raise OutputError(f"{path} holds inverse depth; expected depth in metres")
    if path.suffix.lower() == ".png" and kind_said(metadata, path) is None:
        return values * _MILLIMETRE
    return values


def _read_cameras(path: Path, frames: int) -> tuple[Float64[Array, "3 3"], Float64[Array, "T 4 4"]] | None:
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_bytes())
        intrinsics = np.asarray(content["intrinsics"], np.float64)
        poses = np.asarray(content["poses"], np.float64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} can't be read as cameras: {error}") from error
    if intrinsics.shape != (3, 3) or poses.shape != (frames, 4, 4):
        raise ConfigError(
            f"{path} has intrinsics of shape {intrinsics.shape} and poses of {poses.shape}; expected (3, 3) and "
            f"({frames}, 4, 4)"
        )
    return intrinsics, poses
