"""``/v1/films``: a film is sent, watched while it is mapped, fetched and removed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator

from midas.effects.films import FILM_EFFECTS, film_effect
from midas.errors import MissingExtraError
from midas.maps.colormaps import COLORMAPS
from midas.serving.answers import model_headers
from midas.serving.bodies import received
from midas.serving.films import FILMS_THERE, FilmJob
from midas.serving.openapi import FILM_BODY, FILM_STATE, MODEL_HEADERS, binary, problems
from midas.serving.problems import BusyError, ProblemError
from midas.serving.query import one_of
from midas.serving.service import Service
from midas.video.job import EYE_FORMATS, SIDE_BY_SIDE, FilmSettings
from midas.video.sinks import map_painter

FILMS_PATH = "/v1/films"
FILM_FORMS = (*EYE_FORMATS, *FILM_EFFECTS)

router = APIRouter(prefix=FILMS_PATH)

FilmName = Annotated[
    str, Path(description="The `id` that the film got when it was sent.", examples=["5b1f6a0e3c7d4b0e9a3f2d6c8e7f1a20"])
]


def _made_responses(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """How the API's description tells of the answers of a route that gives what was made of a film."""
    return {200: binary(media_type, description, *MODEL_HEADERS), **problems(401, 404, 416, 422, 503)}


def _not_yet(text: str) -> BusyError:
    return BusyError(1.0, text, reason="not-ready")


class FilmQuery(BaseModel):
    """The parameters of ``POST /v1/films``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(None, max_length=200, description="One of GET /v1/models; by default the first.")
    format: str = Field(SIDE_BY_SIDE, description="What is shown.", json_schema_extra={"enum": [*FILM_FORMS]})
    colormap: str = Field("inferno", description="Colours of maps.", json_schema_extra={"enum": [*COLORMAPS]})

    @field_validator("format")
    @classmethod
    def _known_format(cls, name: str) -> str:
        return one_of(name, FILM_FORMS)

    @field_validator("colormap")
    @classmethod
    def _known_colormap(cls, name: str) -> str:
        return one_of(name, COLORMAPS)

    @property
    def settings(self) -> FilmSettings:
        """How the film is mapped."""
        paint = (
            film_effect(self.format, None, lambda size: (size[0] // 2, size[1] // 2))
            if self.format in FILM_EFFECTS
            else map_painter(self.colormap, with_picture=self.format == SIDE_BY_SIDE)
        )
        return FilmSettings(colormap=self.colormap, painters={"shown": paint})


@router.post(
    "",
    status_code=202,
    responses={202: FILM_STATE, **problems(400, 401, 403, 408, 413, 415, 422, 429, 503)},
    openapi_extra=FILM_BODY,
    summary="Send a film to be mapped",
    operation_id="film",
)
async def send(request: Request, response: Response, query: Annotated[FilmQuery, Query()]) -> dict[str, Any]:
    """The body is the film. The answer names it; it is mapped when those before it are."""
    service = _open_to(request)
    if not FILMS_THERE:
        raise ProblemError(422, MissingExtraError("video", "video").message)
    service.check_ready()
    predictor = service.shelf.predictor(query.model, None, None)
    limit_s = service.options.limits.film_upload_s
    job = await received(service.films.receive(request.stream()), limit_s, "send a smaller film, or by a faster line")
    service.films.begin(job, predictor, query.settings)
    response.headers.update(_named(job))
    return job.described()


@router.get("/{name}", responses={200: FILM_STATE, **problems(401, 404, 422)}, summary="How far a film is")
async def state(request: Request, response: Response, name: FilmName) -> dict[str, Any]:
    """Frames mapped, of about how many; waiting, working, done or failed."""
    job = _job(request, name)
    response.headers.update(_named(job))
    return job.described()


@router.get(
    "/{name}/preview.jpg",
    responses=_made_responses("image/jpeg", "The frame, in the form that was asked for."),
    summary="The newest frame",
    response_class=Response,
)
async def preview(request: Request, name: FilmName) -> Response:
    """At most two a second."""
    job = _job(request, name)
    if job.preview is None:
        raise _not_yet("no frame is mapped yet")
    return Response(job.preview, 200, _named(job), "image/jpeg")


@router.get(
    "/{name}/result.mp4",
    responses=_made_responses("video/mp4", "The film of depth."),
    summary="The film of depth",
    response_class=FileResponse,
)
async def result(request: Request, name: FilmName) -> FileResponse:
    """H.264, with the film's own times and its sound."""
    job = _job(request, name)
    if job.state == "failed":
        raise ProblemError(422, job.problem or "the film failed")
    if job.state != "done":
        raise _not_yet("the film isn't done yet")
    return FileResponse(job.result, headers=_named(job), media_type="video/mp4")


@router.delete(
    "/{name}", status_code=204, responses=problems(401, 403, 404, 422, 429), summary="Stop a film, and remove it"
)
async def remove(request: Request, name: FilmName) -> Response:
    """Its files are gone with the answer, or at the next frame."""
    service = _open_to(request)
    service.films.remove(_job(request, name).name)
    return Response(status_code=204)


def _named(job: FilmJob) -> dict[str, str]:
    return model_headers(job.model, job.kind)


def _open_to(request: Request) -> Service:
    service: Service = request.app.state.service
    service.admit(request)
    return service


def _job(request: Request, name: str) -> FilmJob:
    service: Service = request.app.state.service
    # Asked for twice a second: the key is looked at, the rate isn't counted.
    service.keys.client_of(request.headers.get("authorization"), "")
    return service.films.job(name)
