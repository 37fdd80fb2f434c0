"""The ASGI application: routes, and the one place where errors become answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import Scope

from midas.errors import MidasError
from midas.serving.answers import ANSWERS
from midas.serving.cors import Cors
from midas.serving.envelope import Envelope
from midas.serving.film_routes import FILM_FORMS, FILMS_PATH
from midas.serving.film_routes import router as film_router
from midas.serving.films import FILMS_THERE
from midas.serving.limits import ServeOptions
from midas.serving.live_routes import LIVE_PATH
from midas.serving.live_routes import router as live_router
from midas.serving.metrics import CONTENT_TYPE
from midas.serving.openapi import DEPTH_RESPONSES, MODELS_EXAMPLE, PICTURE_BODY, problem, problems
from midas.serving.pages import colormap_tables, page_folder
from midas.serving.problems import BusyError, ProblemError, problem_of, problem_response
from midas.serving.query import DepthQuery
from midas.serving.service import Service
from midas.version import __version__

DEPTH_PATH = "/v1/depth"

_router = APIRouter()


def create_app(options: ServeOptions | None = None) -> FastAPI:
    """An application of its own: for uvicorn, for other ASGI servers, or to be mounted in another application.

    Its models are loaded when it starts, or with the first request where a server doesn't tell it that it starts.

    Args:
        options: models, keys, limits; None for the default model, without keys.
    """
    options = options or ServeOptions()
    service = Service(options)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.stop()

    app = FastAPI(
        title="midas",
        version=__version__,
        description="Relative depth from a single photograph. Larger values are nearer; they are not metres.",
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(_router)
    app.include_router(live_router)
    if FILMS_THERE and options.films:
        app.include_router(film_router)
    for path, probe in (("/healthz", healthz), ("/readyz", readyz)):  # some balancers ask for the head alone
        app.add_api_route(path, probe, methods=["HEAD"], include_in_schema=False)
    # Routes and no mount: a mount would take the API's paths with other methods for files that aren't there.
    for path in ("/", "/{name}"):
        app.add_api_route(path, _page(), methods=["GET", "HEAD"], include_in_schema=False)
    for kind, handler in ((MidasError, _refuse), (RequestValidationError, _explain), (HTTPException, _no_such_page)):
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]
    if options.cors_origins:
        app.add_middleware(Cors, origins=options.cors_origins)
    app.add_middleware(Envelope, is_draining=lambda: service.is_draining, count=_counter(service))
    return app


def app_from_environment() -> FastAPI:
    """An application by the options in the environment: ``uvicorn --factory midas.serving.app:app_from_environment``.

    Raises:
        ConfigError: as ``ServeOptions.from_environment``.
    """
    return create_app(ServeOptions.from_environment())


@_router.post(
    DEPTH_PATH,
    response_class=Response,
    responses=DEPTH_RESPONSES,
    openapi_extra=PICTURE_BODY,
    summary="A picture's depth map",
    operation_id="depth",
)
async def depth(request: Request, query: Annotated[DepthQuery, Query()]) -> Response:
    """The bytes are those that `midas predict - --format FORMAT` gives for the same picture and model."""
    return await _service(request).depth(request, query)


@_router.get(
    "/v1/models",
    summary="The models that may be asked for",
    responses={200: {"content": {"application/json": {"example": MODELS_EXAMPLE}}}, **problems(401, 403, 429, 503)},
)
async def models(request: Request) -> dict[str, Any]:
    """Names, kinds of values, licences; and the forms of an answer."""
    service = _service(request)
    service.admit(request)
    service.check_ready()
    return {
        "models": service.shelf.cards(),
        "formats": [
            {"name": each.name, "media_type": each.media_type, "only_metres": each.only_metres}
            for each in ANSWERS.values()
        ],
        "limits": {"bytes": service.options.limits.body_bytes, "pixels": service.options.limits.pixels},
        "films": [*FILM_FORMS] if FILMS_THERE and service.options.films else [],
        "version": __version__,
    }


@_router.get("/healthz", summary="Whether the process is alive")
async def healthz() -> dict[str, str]:
    """Does no work."""
    return {"status": "alive"}


@_router.get("/readyz", summary="Whether requests should be sent here", responses={503: problem(503)})
async def readyz(request: Request) -> dict[str, str]:
    """Not while models are loaded, not while the server is being stopped, not when it has long been full."""
    reason = _service(request).why_not_ready()
    if reason is not None:
        raise BusyError(1.0, reason, reason="not-ready")
    return {"status": "ready"}


@_router.get("/metrics", summary="Counters for Prometheus", response_class=Response, responses={401: problem(401)})
async def metrics(request: Request) -> Response:
    """Requests, latencies by stage, the queue, rejections."""
    service = _service(request)
    service.keys.client_of(request.headers.get("authorization"), "")
    service.show_queue()
    for name in service.shelf.names:
        service.metrics.show_model(name)
    return Response(service.metrics.text(), media_type=CONTENT_TYPE)


@_router.get("/colormaps.json", include_in_schema=False)
async def colormaps() -> JSONResponse:
    """The tables of the page's colour maps."""
    return JSONResponse(colormap_tables(), headers={"Cache-Control": "max-age=3600"})


def _page() -> Callable[..., Awaitable[Response]]:
    folder = StaticFiles(directory=page_folder())

    async def page(request: Request, name: str = "index.html") -> Response:
        answer = await folder.get_response(name, request.scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    return page


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _refuse(request: Request, error: MidasError) -> Response:
    answer = problem_of(error)
    if answer.status >= 500 and not isinstance(answer, BusyError):
        _service(request).note(error, request.state.request_id)
    return _answer(request, answer)


async def _explain(request: Request, error: RequestValidationError) -> Response:
    wrong = "; ".join(_sentence(each) for each in error.errors()[:5])
    return _answer(request, ProblemError(422, f"{wrong}; docs.html lists the parameters"))


async def _no_such_page(request: Request, error: HTTPException) -> Response:
    text = error.detail
    if error.status_code == 404:
        text = "there is nothing at this address; expected the page or a path that docs.html lists"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        text = f"{request.method} isn't what this address takes; expected {allowed}, as docs.html lists it"
    return _answer(request, ProblemError(error.status_code, text, headers=error.headers))


def _answer(request: Request, answer: ProblemError) -> Response:
    request.state.reason = answer.reason
    return problem_response(answer, request.state.request_id, request.scope.get("root_path", ""))


def _sentence(error: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"][1:]) or "the query"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"


def _counter(service: Service) -> Any:
    def count(scope: Scope, status: int) -> None:
        path, state = scope["path"].removeprefix(scope.get("root_path", "")), scope["state"]
        # Of films, those that are sent: how far one is is asked twice a second.
        kind = "film" if path == FILMS_PATH else "live" if path.startswith(f"{LIVE_PATH}/") else state["format"]
        if path == DEPTH_PATH or kind != "none":
            service.metrics.count(status, kind, state.get("reason"))

    return count
