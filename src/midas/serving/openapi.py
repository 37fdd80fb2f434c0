"""What the description of the API says beyond what the code says of itself: bodies, answers, examples."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from midas.serving.answers import ANSWERS, JSON
from midas.serving.bodies import FORM_FIELD
from midas.serving.problems import MEDIA_TYPE, REASONS
from midas.version import __version__

_BINARY = {"schema": {"type": "string", "format": "binary"}}

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong, what was expected, and what to do."},
        "instance": {"type": "string"},
    },
    "example": {
        "type": "/docs.html#too-large",
        "title": HTTPStatus(413).phrase,
        "status": 413,
        "detail": "the body is larger than 25 MB; send a smaller picture, or a JPEG",
        "instance": "urn:uuid:2f0a1c64-7f0e-4c57-8c58-5d5b8a2c7c11",
    },
}

_MEANINGS = {
    400: "The body is empty, damaged, or no form.",
    401: "The key is missing or wrong.",
    403: "A page of another site asks, which this server wasn't told to trust.",
    404: "There is no such film, or not any more.",
    406: "No form of the answer is one that Accept asks for.",
    408: "The body took too long to arrive.",
    413: "Too many bytes, or too many pixels.",
    415: "The body is no picture or film of a known format, whatever its Content-Type says.",
    416: "The file hasn't the part that Range asks for.",
    422: "A parameter is wrong, or doesn't go with this picture.",
    429: "Too many requests of one key; see Retry-After.",
    503: "Too much to do, or not ready yet; see Retry-After.",
}

# Of refusals: what else a client needs to go on.
_REFUSAL_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer."}},
    429: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until the next request may come."}},
    503: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until another try makes sense."}},
}

_HEADERS: dict[str, tuple[str, str]] = {
    "X-Midas-Model": ("string", "The model's name."),
    "X-Midas-Kind": (
        "string",
        "What the values are: affine_invariant_inverse is relative disparity; metric, metres.",
    ),
    "X-Midas-Size": ("string", "WIDTHxHEIGHT of the map."),
    "X-Midas-Scale": ("number", "Of PNGs with codes: value = offset + scale * code."),
    "X-Midas-Offset": ("number", "See X-Midas-Scale."),
    "X-Midas-Alignment-Scale": ("number", "Of metres: 1 / metres = scale * value + shift."),
    "X-Midas-Alignment-Shift": ("number", "See X-Midas-Alignment-Scale."),
    "Server-Timing": ("string", "Milliseconds of queue, decode, infer and encode."),
}

MODEL_HEADERS = ("X-Midas-Model", "X-Midas-Kind")
"""Of every answer that a network had a part in."""

# Of known points. FastAPI leaves out of examples what is null, as the unit of relative values is.
_JSON_EXAMPLE = {
    "model": "midas_nano_256",
    "kind": "metric",
    "unit": "metre",
    "picture_size": [400, 600],
    "size": [400, 600],
    "min": 1.37,
    "max": 9.2,
    "mean": 4.1,
    "percentiles": {"1": 1.4, "5": 1.5, "25": 2.6, "50": 3.9, "75": 5.2, "95": 8.1, "99": 9.0},
    "infinite": 0,
    "alignment": {"scale": 0.81, "shift": 0.02},
}


def _answers() -> dict[str, Any]:
    content: dict[str, Any] = {each.media_type: _BINARY for each in ANSWERS.values() if each.name != JSON}
    content["application/json"] = {"schema": {"type": "object"}, "example": _JSON_EXAMPLE}
    return content


def problem(status: int) -> dict[str, Any]:
    """The description of an answer that refuses."""
    return {
        "description": _MEANINGS[status],
        "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
        "x-type": REASONS[status],  # the place in docs.html to which the problem's type leads
        **({"headers": _REFUSAL_HEADERS[status]} if status in _REFUSAL_HEADERS else {}),
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The descriptions of several answers that refuse, by status."""
    return {status: problem(status) for status in statuses}


def headers(*names: str) -> dict[str, Any]:
    """The descriptions of headers of an answer, by their names."""
    found = {name: _HEADERS[name] for name in names}
    return {name: {"schema": {"type": kind}, "description": text} for name, (kind, text) in found.items()}


def binary(media_type: str, description: str, *named: str) -> dict[str, Any]:
    """The description of an answer that is a file, and of its headers."""
    return {"description": description, "content": {media_type: _BINARY}, "headers": headers(*named)}


PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"A picture as it is, or a form whose only part is the picture, called {FORM_FIELD}.",
        "content": {
            "image/*": _BINARY,
            "application/octet-stream": _BINARY,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FORM_FIELD],
                    "properties": {FORM_FIELD: {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}

DEPTH_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The map.",
        "content": _answers(),
        "headers": headers(*_HEADERS),
    },
    **problems(400, 401, 403, 406, 408, 413, 415, 422, 429, 503),
}

MODELS_EXAMPLE: dict[str, Any] = {
    "models": [
        {
            "name": "midas_nano_256",
            "default": True,
            "kind": "affine_invariant_inverse",
            "size": [256, 256],
            "summary": "EfficientNet-Lite0 with a narrow fusion decoder; built in, trained by this project",
            "licence": "MIT",
            "commercial": True,
            "parameters": 4_000_000,
            "note": "",
        }
    ],
    "formats": [
        {"name": "png16", "media_type": "image/png", "only_metres": False},
        {"name": "npy", "media_type": "application/x-npy", "only_metres": False},
    ],
    "limits": {"bytes": 25_000_000, "pixels": 50_000_000},
    "films": ["side-by-side", "color"],
    "version": __version__,
}

FILM_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A film: MP4, MOV, MKV, WebM or AVI, found out by its first bytes.",
        "content": {"video/*": _BINARY, "application/octet-stream": _BINARY},
    }
}

_FILM_STATE: dict[str, Any] = {
    "type": "object",
    "required": ["id", "model", "state", "frames", "total", "problem"],
    "properties": {
        "id": {"type": "string", "description": "Names the film in the paths below; nobody can guess it."},
        "model": {"type": "string", "description": "Which one maps it."},
        "state": {"enum": ["waiting", "working", "done", "failed"]},
        "frames": {"type": "integer", "minimum": 0, "description": "How many are mapped."},
        "total": {"type": ["integer", "null"], "description": "About how many there are, if the file says so."},
        "problem": {"type": ["string", "null"], "description": "Why it failed: what was wrong, and what to do."},
    },
    "example": {
        "id": "5b1f6a0e3c7d4b0e9a3f2d6c8e7f1a20",
        "model": "midas_nano_256",
        "state": "failed",
        "frames": 0,
        "total": 9000,
        "problem": "the film lasts 300 s; expected at most 120 s: cut it",
    },
}

FILM_STATE: dict[str, Any] = {
    "description": "How far the film is.",
    "content": {"application/json": {"schema": _FILM_STATE}},
    "headers": headers(*MODEL_HEADERS),
}
