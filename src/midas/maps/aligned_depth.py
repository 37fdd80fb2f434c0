"""Depth in metres, by a scale and a shift that the caller chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from midas.arrays import Array, Float32, UInt8
from midas.errors import OutputError
from midas.geometry.cloud import PointCloud, point_cloud
from midas.geometry.mesh import Mesh, surface_mesh
from midas.geometry.sphere import AnyCamera
from midas.maps.anchored import anchored
from midas.maps.formats import read_map, write_map
from midas.maps.kinds import METRIC, Kind, kind_said, space_of
from midas.maps.map_facts import as_array, check_facts, file_metadata, lens_facts, read_only_map
from midas.maps.showing import one_line, shown_png

_SCALE_KEY, _SHIFT_KEY = "alignment_scale", "alignment_shift"


@dataclass(frozen=True, eq=False)
class AlignedDepth:
    """Depth along the optical axis, in metres, by a scale and a shift that the caller chose.

    Of panoramas and fisheye pictures it is the distance along the ray, and ``lens`` says so.

    Attributes:
        depth_m: float32 (H, W), read-only; infinite where the pixel lies beyond every measurable distance.
        scale: factor of the relative disparity, in 1/metre.
        shift: inverse depth at disparity 0, in 1/metre.
        model: the model that made the disparity, if known.
        source: the name of the picture, if known.
        lens: as of ``DepthMap``.
    """

    kind: ClassVar[Kind] = METRIC
    space: ClassVar[str] = space_of(METRIC)

    depth_m: Float32[Array, "H W"]
    scale: float
    shift: float
    model: str | None = None
    source: str | None = None
    lens: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_facts(self.kind, self.model, self.source)
        object.__setattr__(self, "depth_m", read_only_map(self.depth_m))

    def __reduce__(self) -> tuple[Any, ...]:
        return AlignedDepth, (self.depth_m, self.scale, self.shift, self.model, self.source, dict(self.lens))

    @property
    def values(self) -> Float32[Array, "H W"]:
        """The depth, under the name that ``DepthMap`` has for what a file holds."""
        return self.depth_m

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.depth_m.shape
        return height, width

    def __repr__(self) -> str:
        return one_line("AlignedDepth", self.depth_m, self.kind, self.model, self.source)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return as_array(self.depth_m, dtype, copy)

    def _repr_png_(self) -> bytes:
        return shown_png(self.depth_m, self.kind)

    @classmethod
    def load(cls, path: str | Path) -> AlignedDepth:
        """Read a file that ``save`` wrote, or another program's depth in metres, whose scale and shift are NaN.

        Raises:
            OutputError: if it can't be read, or says that its values are of another kind.
        """
        values, metadata = read_map(path)
        said = kind_said(metadata, path)
        try:
            scale, shift = (float(metadata.get(key, "nan")) for key in (_SCALE_KEY, _SHIFT_KEY))
        except ValueError as error:
            raise OutputError(f"{path} can't be read as aligned depth: {error}") from error
        if said not in (None, METRIC):
            raise OutputError(f"{path} holds values of kind {said!r}: expected {METRIC!r}")
        return cls(values, scale, shift, metadata.get("model"), metadata.get("source"), lens_facts(metadata))

    def save(
        self,
        path: str | Path,
        format_name: str | None = None,
        *,
        image: UInt8[Array, "h w 3"] | None = None,
        colormap: str = "inferno",
        overwrite: bool = False,
    ) -> None:
        """Write the depth in metres to a file, as ``DepthMap.save`` does; a 16-bit PNG has 0 for infinity."""
        write_map(
            path,
            self.depth_m,
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
        alignment = {_SCALE_KEY: repr(float(self.scale)), _SHIFT_KEY: repr(float(self.shift))}
        return {**file_metadata(self.kind, self.model, self.source), **self.lens, **alignment}

    def cloud(self, camera: AnyCamera, image: UInt8[Array, "h w 3"] | None = None, **how: Any) -> PointCloud:
        """Give the points that the pixels show, in metres; ``midas.geometry.point_cloud`` says how."""
        disparity, anchor = anchored(self.depth_m, self.kind, None)
        return point_cloud(disparity, camera, anchor, image, **how)

    def mesh(self, camera: AnyCamera, image: UInt8[Array, "h w 3"] | None = None, **how: Any) -> Mesh:
        """Give the surface that the pixels show, in metres; ``midas.geometry.surface_mesh`` says how."""
        disparity, anchor = anchored(self.depth_m, self.kind, None)
        return surface_mesh(disparity, camera, anchor, image, **how)
