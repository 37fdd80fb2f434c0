"""What the description of the API says beyond what the code says of itself: bodies, answers, examples."""

from __future__ import annotations

from typing import Any

from midas.serving.answers import ANSWERS, JSON
from midas.serving.bodies import FORM_FIELD
from midas.serving.problems import MEDIA_TYPE

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
}

_MEANINGS = {
    400: "The body is empty, damaged, or no form.",
    401: "The key is missing or wrong.",
    406: "No form of the answer is one that Accept asks for.",
    408: "The body took too long to arrive.",
    413: "Too many bytes, or too many pixels.",
    415: "The body is no picture of a known format, whatever its Content-Type says.",
    422: "A parameter is wrong, or doesn't go with this picture.",
    429: "Too many requests of one key; see Retry-After.",
    503: "Too much to do, or not ready yet; see Retry-After.",
}

_HEADERS = {
    "X-Midas-Model": ("string", "The model's name."),
    "X-Midas-Kind": (
        "string",
        "What the values are: affine_invariant_inverse is relative disparity; metric, metres.",
    ),
    "X-Midas-Size": ("string", "WIDTHxHEIGHT of the map."),
    "X-Midas-Scale": ("number", "Of PNGs with codes: value = offset + scale * code."),
    "X-Midas-Offset": ("number", "See X-Midas-Scale."),
    "Server-Timing": ("string", "Milliseconds of queue, decode, infer and encode."),
}

_JSON_EXAMPLE = {
    "model": "midas_nano_256",
    "kind": "affine_invariant_inverse",
    "unit": None,
    "picture_size": [400, 600],
    "size": [400, 600],
    "min": 0.11,
    "max": 0.93,
    "mean": 0.42,
    "percentiles": {"1": 0.12, "50": 0.38, "99": 0.91},
    "infinite": 0,
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
    }


DEPTH_BODY: dict[str, Any] = {
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
        "headers": {name: {"schema": {"type": kind}, "description": text} for name, (kind, text) in _HEADERS.items()},
    },
    **{status: problem(status) for status in _MEANINGS},
}
