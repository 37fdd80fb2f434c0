"""Pages of other sites: which of them a browser lets call the API, and what it is told of the others."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from midas.serving.problems import ProblemError

_METHODS = ("GET", "POST", "DELETE")
_HEADERS = ("Authorization", "Content-Type")


class Cors(CORSMiddleware):
    """Starlette's, whose refusals are those of the API.

    Args:
        app: what is called.
        origins: the sites, as browsers say them.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_methods=_METHODS, allow_headers=_HEADERS, expose_headers=["*"]
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a browser that asks whether it may call.

        Raises:
            ProblemError: 403, it may not.
        """
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        raise ProblemError(
            403,
            f"a browser asks whether a page of another site may call, and it may not ({bytes(answer.body).decode()}); "
            f"expected a site that --cors-origin names, one of the methods {', '.join(_METHODS)}, and of the headers "
            f"that need leave only {', '.join(_HEADERS)}",
            headers={"Vary": answer.headers["vary"]},
        )
