"""What a request may ask for, checked at the door."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from midas.maps.colormaps import COLORMAPS
from midas.maps.map_size import PATTERN, MapSize
from midas.pictures.preprocess import MAX_SIZE_PX
from midas.serving.answers import ANSWERS
from midas.tiling import MAX_ZOOM

Point = tuple[int, int, float]

_WHOLE = r"(0|[1-9][0-9]{0,5})"
_NUMBER = r"[0-9]{1,6}(\.[0-9]{1,6})?"
_POINT = re.compile(rf"{_WHOLE},{_WHOLE},({_NUMBER})")
_MOST_POINTS = 100

Metres = Annotated[float, Field(gt=0, lt=1e6, allow_inf_nan=False)]


class DepthQuery(BaseModel):
    """The parameters of ``POST /v1/depth``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(None, max_length=200, description="One of GET /v1/models; by default the first.")
    size: int | None = Field(
        None,
        ge=1,
        le=MAX_SIZE_PX,
        description="Shorter side of the network's input, pixels; with `tile`, that of a tile. Larger is finer.",
    )
    tile: int | None = Field(
        None, ge=1, le=MAX_ZOOM, description="See a large picture so many times as fine, in overlapping tiles."
    )
    format: str | None = Field(
        None,
        description="The form of the answer; comes before the header Accept.",
        json_schema_extra={"enum": [*ANSWERS]},
    )
    colormap: str = Field(
        "inferno", description="Colours of color and side-by-side.", json_schema_extra={"enum": [*COLORMAPS]}
    )
    map_size: str = Field(
        "full",
        alias="map-size",
        description="Size of the map: `full` as the picture, `half`, `net` about as large as the network's own output, "
        "or WIDTHxHEIGHT.",
        pattern=PATTERN,
        examples=["full", "half", "640x480"],
    )
    known: list[str] = Field(
        default=[],
        max_length=_MOST_POINTS,
        description="ROW,COLUMN,METRES of two points or more of the picture: the answer is depth in metres.",
        examples=[["120,200,1.5", "400,310,4"]],
    )
    near: Metres | None = Field(None, description="Depth of the nearest pixel, metres: the answer is depth in metres.")
    far: Metres | None = Field(None, description="Depth of the farthest pixel, metres; with `near`. Default: infinite.")

    fov: float | None = Field(
        None,
        ge=1,
        le=170,
        allow_inf_nan=False,
        description="Of glb: the horizontal angle of view, degrees; else by the picture's file, else assumed.",
    )

    @field_validator("format")
    @classmethod
    def _known_format(cls, name: str | None) -> str | None:
        return name if name is None else one_of(name, ANSWERS)

    @field_validator("colormap")
    @classmethod
    def _known_colormap(cls, name: str) -> str:
        return one_of(name, COLORMAPS)

    @field_validator("known")
    @classmethod
    def _points(cls, texts: list[str]) -> list[str]:
        for text in texts:
            if not _POINT.fullmatch(text):
                raise ValueError(f"{text[:40]!r} is no point; expected ROW,COLUMN,METRES such as 120,200,1.5")
        return texts

    @model_validator(mode="after")
    def _goes_together(self) -> DepthQuery:
        if self.known and self.near is not None:
            raise ValueError("known and near both tell the metres; expected one of them")
        if len(self.known) == 1:
            raise ValueError("known is there once; expected two points or more, at different distances")
        if self.far is not None and (self.near is None or self.near >= self.far):
            raise ValueError("far needs a near that is smaller")
        if self.format == "side-by-side" and self.map_size != "full":
            raise ValueError("side-by-side shows the picture at its own size; expected map-size=full")
        return self

    @property
    def wants_metres(self) -> bool:
        """Whether the answer is depth in metres."""
        return bool(self.known) or self.near is not None

    @property
    def points(self) -> list[Point]:
        """(row, column, metres) of each known point."""
        parts = [text.split(",") for text in self.known]
        return [(int(row), int(column), float(metres)) for row, column, metres in parts]

    @property
    def far_m(self) -> float:
        """Depth of the farthest pixel, in metres; infinite where it isn't said."""
        return math.inf if self.far is None else self.far

    def size_of_map(self, picture: tuple[int, int], network: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the map, in pixels.

        Args:
            picture: (height, width) of the picture.
            network: (height, width) of the network's input.
        """
        return MapSize(self.map_size).of(picture, network)


def one_of(name: str, names: object) -> str:
    """The name, if it is one of these.

    Raises:
        ValueError: it isn't; the message lists them.
    """
    known: list[str] = list(names)  # type: ignore[call-overload]
    if name not in known:
        raise ValueError(f"{name[:40]!r} is none of {', '.join(known)}")
    return name
