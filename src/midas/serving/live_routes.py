"""``/v1/live``: the camera of a browser, one picture a request, the next one when the answer is there.

A request each and no WebSocket: it bears a key, is bounded, counted and refused as any other, goes through every proxy,
and on a connection that stays open it costs a few milliseconds beside the network. With one picture on its way at a
time the newest one is always next.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from midas.maps.colormaps import COLORMAPS
from midas.serving.openapi import MODEL_HEADERS, PICTURE_BODY, binary, problems
from midas.serving.query import one_of
from midas.serving.service import Service

LIVE_PATH = "/v1/live"

router = APIRouter(prefix=LIVE_PATH)

CameraName = Annotated[
    str,
    Path(
        pattern="^[0-9A-Za-z-]{8,64}$",
        description="Any name that the camera gives itself: its pictures are kept steady from one to the next.",
        examples=["2f0a1c64-7f0e-4c57-8c58-5d5b8a2c7c11"],
    ),
]


class LiveQuery(BaseModel):
    """The parameters of ``POST /v1/live``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(None, max_length=200, description="One of GET /v1/models; by default the first.")
    colormap: str = Field("inferno", description="Colours of the map.", json_schema_extra={"enum": [*COLORMAPS]})

    @field_validator("colormap")
    @classmethod
    def _known_colormap(cls, name: str) -> str:
        return one_of(name, COLORMAPS)


@router.post(
    "/{name}",
    response_class=Response,
    responses={
        200: binary(
            "image/jpeg",
            "The map in colours, as large as the picture.",
            *MODEL_HEADERS,
            "X-Midas-Size",
            "Server-Timing",
        ),
        **problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
    },
    openapi_extra=PICTURE_BODY,
    summary="A camera's next picture",
    operation_id="live",
)
async def show(request: Request, name: CameraName, query: Annotated[LiveQuery, Query()]) -> Response:
    """The answer is its map in colours, steady from picture to picture as those of `midas live`."""
    service: Service = request.app.state.service
    return await service.live(request, name, query.model, query.colormap)
