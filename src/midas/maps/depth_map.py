"""What a prediction is: values for every pixel of a picture, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from midas.alignment import Alignment
from midas.alignment.calibration import Calibration
from midas.arrays import Array, Float32, UInt8, UInt16
from midas.errors import AlignmentError, OutputError
from midas.geometry.anchor import Anchor
from midas.geometry.cloud import PointCloud, point_cloud
from midas.geometry.mesh import Mesh, surface_mesh
from midas.geometry.sphere import AnyCamera
from midas.maps.aligned_depth import AlignedDepth
from midas.maps.anchored import anchored
from midas.maps.colormaps import colorize
from midas.maps.formats import read_map, write_map
from midas.maps.kinds import (
    INVERSE,
    METRIC,
    RELATIVE_DISPARITY,
    Kind,
    kind_said,
    nearness,
    space_of,
)
from midas.maps.map_facts import as_array, check_facts, file_metadata, lens_facts, read_only_map
from midas.maps.resize import Interpolation, resize_map
from midas.maps.showing import one_line, shown_png
from midas.maps.value_range import ValueRange

# What a map's numbers can hold.
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class DepthMap:
    """The relative disparity of a picture: larger is nearer, of unknown scale and shift, without unit.

    It is no depth in metres: ``1 / depth = scale * value + shift`` with two numbers that differ from picture to
    picture and that the picture alone can't tell. ``midas.alignment`` finds them from known points, a known range or
    a depth map; ``aligned`` applies them.

    A few models and files give something else, and ``kind`` says what: ``"metric"`` values are depth in metres.

    Attributes:
        values: float32 (H, W), read-only.
        model: the model that made them, if known.
        source: the name of the picture, if known.
        kind: what the values are.
        lens: what files say of a lens that is no ordinary one; of a panorama or a fisheye picture the values are
            inverse distances along the ray, not along the axis.
        time_s: when the frame of a film is shown that it is the map of, in seconds from the film's beginning.
    """

    values: Float32[Array, "H W"]
    model: str | None = None
    source: str | None = None
    kind: Kind = RELATIVE_DISPARITY
    lens: Mapping[str, str] = field(default_factory=dict)
    time_s: float | None = None

    def __post_init__(self) -> None:
        check_facts(self.kind, self.model, self.source)
        object.__setattr__(self, "values", read_only_map(self.values))

    def __reduce__(self) -> tuple[Any, ...]:
        # So that copies are read-only too.
        return DepthMap, (self.values, self.model, self.source, self.kind, dict(self.lens), self.time_s)

    def __repr__(self) -> str:
        return one_line("DepthMap", self.values, self.kind, self.model, self.source)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return as_array(self.values, dtype, copy)

    def _repr_png_(self) -> bytes:
        return shown_png(self.values, self.kind)

    @classmethod
    def load(cls, path: str | Path, *, kind: Kind | None = None) -> DepthMap:
        """Read a file that ``save`` wrote, or another program.

        Args:
            path: the file.
            kind: what its values are. None leaves it to the file; of one that doesn't say it, as PFM and NPY files of
                other programs don't, they are taken for relative disparity.

        Raises:
            OutputError: if it can't be read, or says that its values are of another kind.
        """
        values, metadata = read_map(path)
        said = kind_said(metadata, path)
        if kind is not None and said not in (None, kind):
            raise OutputError(f"{path} holds values of kind {said!r}: expected {kind!r}")
        kind = said or kind or RELATIVE_DISPARITY
        return cls(values, metadata.get("model"), metadata.get("source"), kind, lens_facts(metadata))

    @property
    def space(self) -> str:
        """The kind by its older word: ``relative_disparity``, or ``depth_m`` for metres."""
        return space_of(self.kind)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.values.shape
        return height, width

    def resized(self, size: tuple[int, int], interpolation: Interpolation = "cubic") -> DepthMap:
        """Give the map at another (height, width); ``resize_map`` says how."""
        return replace(self, values=resize_map(self.values, size, interpolation))

    def normalized(self) -> Float32[Array, "H W"]:
        """Give the values from 0 (farthest) to 1 (nearest); of depth, its inverse.

        A constant map gives zeros; a value that is not finite counts as 0, as in the official code.
        """
        near = nearness(self.values, self.kind)
        return ValueRange.of(near).unit(near)

    def to_uint8(self) -> UInt8[Array, "H W"]:
        """Give the values from 0 (farthest) to 255 (nearest), rounded; 256 steps show as contours in a 3D view."""
        near = nearness(self.values, self.kind)
        return ValueRange.of(near).codes_8bit(near)

    def to_uint16(self) -> UInt16[Array, "H W"]:
        """Give the values from 0 (farthest) to 65535 (nearest), rounded."""
        near = nearness(self.values, self.kind)
        return ValueRange.of(near).codes_16bit(near)

    def colorize(
        self, colormap: str = "inferno", percentiles: tuple[float, float] = (2.0, 98.0)
    ) -> UInt8[Array, "H W 3"]:
        """Give an RGB picture for the eye: nearer is brighter.

        Args:
            colormap: one of ``midas.maps.colormaps.COLORMAPS``.
            percentiles: the values that get the two ends of the colour map, so that outliers don't flatten the rest.

        Raises:
            ConfigError: for an unknown colour map or impossible percentiles.
        """
        return colorize(nearness(self.values, self.kind), colormap, percentiles)

    def aligned(
        self, scale: float | Alignment, shift: float | None = None, max_depth_m: float | None = None
    ) -> AlignedDepth:
        """Give depth in metres: ``1 / (scale * value + shift)``.

        Where that sum isn't positive the pixel lies beyond every measurable distance: infinity, or ``max_depth_m``.

        Args:
            scale: factor of the values, in 1/metre; not negative, since larger values are nearer. Or an alignment, as
                ``midas.alignment`` finds it, which holds both numbers.
            shift: inverse depth at value 0, in 1/metre; left out beside an alignment.
            max_depth_m: larger depths are cut to this many metres; None for no limit.

        Raises:
            AlignmentError: if scale or shift is not finite or too large for float32, scale is negative, the limit is
                not positive, or the values are depth already.
        """
        scale, shift = _two_numbers(scale, shift)
        if self.kind not in INVERSE:
            raise AlignmentError(
                f"the values are of kind {self.kind!r}; expected disparity, which is larger where nearer"
            )
        if not (np.isfinite(scale) and np.isfinite(shift) and scale >= 0):
            raise AlignmentError(
                f"scale {scale} and shift {shift} can't turn disparity into depth: expected finite numbers, the scale "
                "not negative, since larger disparity is nearer"
            )
        if max(1.0, float(self.values.max())) * scale + abs(shift) > _LARGEST:
            raise AlignmentError(
                f"scale {scale} and shift {shift} give inverse depths beyond "
                f"{_LARGEST:.1g} per metre; expected smaller ones"
            )
        if max_depth_m is not None and not (isinstance(max_depth_m, Real) and max_depth_m > 0):
            raise AlignmentError(f"max_depth_m is {max_depth_m}: expected a positive number of metres, or None")
        inverse_depth = Alignment(scale, shift).apply(self.values)
        depth_m = np.full_like(inverse_depth, np.inf)
        with np.errstate(over="ignore"):  # An inverse depth below 3e-39 is infinitely far in float32, as it should be.
            np.divide(1, inverse_depth, out=depth_m, where=~(inverse_depth <= 0))
        if max_depth_m is not None:
            np.minimum(depth_m, np.float32(max_depth_m), out=depth_m)
        return AlignedDepth(depth_m, scale, shift, self.model, self.source, self.lens)

    def in_metres(self, found: Alignment | Calibration) -> DepthMap:
        """Give depth by a scale and a shift, those of this picture or of a camera: a map of kind ``"metric"``.

        Raises:
            AlignmentError: the values are depth already.
        """
        depth = self.aligned(found.scale, found.shift)
        return replace(self, values=depth.depth_m, kind=METRIC)

    def anchored(self, anchor: Anchor | None = None) -> tuple[Float32[Array, "H W"], Anchor]:
        """Give disparity, and what takes it to 1 / depth; ``midas.maps.anchored`` says how and what it raises."""
        return anchored(self.values, self.kind, anchor)

    def cloud(
        self, camera: AnyCamera, image: UInt8[Array, "h w 3"] | None = None, *, anchor: Anchor | None = None, **how: Any
    ) -> PointCloud:
        """Give the points that the pixels show; ``midas.geometry.point_cloud`` says how.

        Args:
            camera: of the picture: ``Camera.of_lens(read_lens(path))``, or by a stated angle of view.
            image: the picture, for the colours.
            anchor: scale and shift, from ``midas.geometry``; None assumes that the farthest things are ten times as far
                as the nearest. Maps whose kind has no unknown shift need none.
            how: ``max_points``, ``max_jump`` and ``far`` of ``point_cloud``.

        Raises:
            AlignmentError: the map is constant, or no point is left.
        """
        disparity, anchor = self.anchored(anchor)
        return point_cloud(disparity, camera, anchor, image, **how)

    def mesh(
        self, camera: AnyCamera, image: UInt8[Array, "h w 3"] | None = None, *, anchor: Anchor | None = None, **how: Any
    ) -> Mesh:
        """Give the surface that the pixels show, with the picture on it; ``midas.geometry.surface_mesh`` says how.

        Arguments and errors are those of ``cloud``, with ``detail`` in place of ``max_points``.
        """
        disparity, anchor = self.anchored(anchor)
        return surface_mesh(disparity, camera, anchor, image, **how)

    def save(
        self,
        path: str | Path,
        format_name: str | None = None,
        *,
        image: UInt8[Array, "h w 3"] | None = None,
        colormap: str = "inferno",
        overwrite: bool = False,
    ) -> None:
        """Write the map to a file, complete or not at all; arguments and errors are those of ``formats.write_map``.

        The suffix chooses the format: ``.png`` (16 bit) · ``.pfm`` · ``.npy`` · ``.npz`` · ``.exr`` · ``.tiff``.
        Pictures for the eye are chosen by name: ``png8``, ``color``, ``side-by-side`` (which needs ``image``).
        """
        write_map(
            path,
            self.values,
            format_name,
            metadata=self.metadata,
            kind=self.kind,
            image=image,
            colormap=colormap,
            overwrite=overwrite,
        )

    @property
    def metadata(self) -> dict[str, str]:
        """What files say about the values."""
        return {**file_metadata(self.kind, self.model, self.source), **self.lens}


def _two_numbers(scale: float | Alignment, shift: float | None) -> tuple[float, float]:
    if isinstance(scale, Alignment):
        if shift is not None:
            raise AlignmentError(f"an alignment has a shift of its own; leave out the shift {shift}")
        return scale.scale, scale.shift
    try:
        return float(scale), float(shift)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise AlignmentError(f"scale {scale!r} and shift {shift!r}: expected two numbers, or an alignment") from error
