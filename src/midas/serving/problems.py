"""What is wrong with a request, as ``application/problem+json`` (RFC 9457): what, what was expected, what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus

from fastapi.responses import JSONResponse

from midas.errors import (
    AlignmentError,
    ConfigError,
    ImageError,
    MidasError,
    ModelError,
    OutputError,
    TooManyPixelsError,
    UnknownFormatError,
)

MEDIA_TYPE = "application/problem+json"

# Of each status that a route gives: the word under which it is documented, and counted where nothing finer is known.
REASONS: dict[int, str] = {
    400: "unreadable",
    401: "key",
    403: "foreign",
    404: "not-found",
    406: "not-acceptable",
    408: "too-slow",
    413: "too-large",
    415: "unknown-type",
    416: "range",
    422: "parameter",
    429: "rate",
    503: "busy",
}

# Of those that any server gives: how they are counted.
_UNDOCUMENTED = {405: "method", 500: "internal"}

# The first that fits. What isn't there is a failure of ours.
_STATUS: tuple[tuple[type[MidasError], int], ...] = (
    (TooManyPixelsError, 413),
    (UnknownFormatError, 415),
    (ImageError, 400),
    (AlignmentError, 422),
    (ConfigError, 422),
    (OutputError, 422),
)


class ServingError(MidasError):
    """Something in a request's work that nobody foresaw."""


class ProblemError(MidasError):
    """A request that is refused.

    Args:
        status: of HTTP.
        message: what was wrong, what was expected, and what to do.
        reason: the word under which it is counted; by default that of the status.
        headers: of the answer.
    """

    def __init__(
        self, status: int, message: str, *, reason: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason or REASONS.get(status) or _UNDOCUMENTED.get(status, "other")
        self.headers = dict(headers or {})


class BusyError(ProblemError):
    """More to do than can be done within the bound.

    Args:
        wait_s: after how many seconds another try makes sense.
        message: what was wrong.
        reason: the word under which it is counted.
    """

    def __init__(self, wait_s: float, message: str, *, reason: str = "busy") -> None:
        seconds = max(1, math.ceil(wait_s))
        super().__init__(
            503, f"{message}; try again in {seconds} s", reason=reason, headers={"Retry-After": str(seconds)}
        )


def problem_of(error: MidasError) -> ProblemError:
    """The answer to an error of ours; one that no request can help is a 500 whose text stays here."""
    if isinstance(error, ProblemError):
        return error
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status == 500:
        what = "the model can't predict this picture" if isinstance(error, ModelError) else "something failed here"
        return ProblemError(500, f"{what}; the log of the server says more under this answer's instance")
    return ProblemError(status, error.message)


def problem_response(problem: ProblemError, request_id: str, root_path: str = "") -> JSONResponse:
    """The answer, in the form of RFC 9457."""
    word = REASONS.get(problem.status)
    body = {
        # Where the documents have nothing to add to the status, RFC 9457 has this word.
        "type": f"{root_path}/docs.html#{word}" if word else "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
        "instance": f"urn:uuid:{request_id}",
    }
    return JSONResponse(body, problem.status, problem.headers, MEDIA_TYPE)
