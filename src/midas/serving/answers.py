"""In which form the answer goes: formats, their media types, and what a client accepts."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from midas.maps.formats import FORMATS
from midas.serving.problems import ProblemError

JSON = "json"
GLB = "glb"


@dataclass(frozen=True)
class AnswerForm:
    """One form of an answer.

    Attributes:
        name: as the query parameter ``format`` has it.
        media_type: as the header ``Accept`` has it.
        suffix: of the file that it makes.
        tag: goes between the picture's name and the suffix, as ``midas predict`` writes it.
        shows_image: the photograph is part of it.
        only_metres: it holds depth in metres, and nothing else.
    """

    name: str
    media_type: str
    suffix: str
    tag: str = ""
    shows_image: bool = False
    only_metres: bool = False


_MEDIA_TYPES = {
    "png16": "image/png",
    "png8": "image/png",
    "png-mm": "image/png",
    "color": "image/png",
    "side-by-side": "image/png",
    "pfm": "image/x-portable-floatmap",
    "npy": "application/x-npy",
    "npz": "application/x-npz",
    "exr": "image/x-exr",
    "tiff": "image/tiff",
}

_SCENES = (AnswerForm(GLB, "model/gltf-binary", ".glb", shows_image=True),)

ANSWERS: dict[str, AnswerForm] = {
    each.name: each
    for each in (
        *(
            AnswerForm(name, _MEDIA_TYPES[name], format_.suffix, format_.tag, format_.shows_image, format_.only_metres)
            for name, format_ in FORMATS.items()
        ),
        *(_SCENES if find_spec("fast_simplification") else ()),  # the extra "3d"
        AnswerForm(JSON, "application/json", ".json"),
    )
}
"""Every form, by name; of several with one media type ``Accept`` gives the first."""


def model_headers(model: str | None, kind: str) -> dict[str, str]:
    """The headers of every answer that a network had a part in: which one, and of what kind its values are."""
    name = (model or "").encode("unicode_escape").decode("ascii")  # a file may be called anything
    return {"X-Midas-Model": name, "X-Midas-Kind": kind}


def chosen_form(format_name: str | None, accept: str | None) -> AnswerForm:
    """The form that was asked for: by ``format``, else by ``Accept``, else a 16-bit PNG.

    Args:
        format_name: a key of ``ANSWERS``, or None.
        accept: the header, or None.

    Raises:
        ProblemError: 406, none of the media types is one of ours.
    """
    if format_name is not None:
        return ANSWERS[format_name]
    if accept is None or not accept.strip():
        return ANSWERS["png16"]
    ranges = _ranges(accept)
    wishes = [(_wish(each.media_type, ranges), each) for each in ANSWERS.values()]
    (quality, _), form = max(wishes, key=lambda wish: wish[0])  # the first of several that are wished alike
    if quality > 0:
        return form
    known = ", ".join(dict.fromkeys(each.media_type for each in ANSWERS.values()))
    raise ProblemError(406, f"Accept asks for what there isn't; expected one of {known}, or the parameter format")


def _ranges(accept: str) -> list[tuple[str, float]]:
    """The ranges of media types that a header names, and how much each is wished."""
    ranges: list[tuple[str, float]] = []
    for item in accept.split(",")[:50]:
        media_type, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality(value)
        ranges.append((media_type, quality))
    return ranges


def _wish(media_type: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """How much a media type is wished, by the closest range that holds it (RFC 9110, 12.5.1); then, who came first."""
    for closest in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        for place, (name, quality) in enumerate(ranges):
            if name == closest:
                return quality, -place
    return 0.0, 0


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0
