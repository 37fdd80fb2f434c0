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
    for wanted in _by_preference(accept):
        for each in ANSWERS.values():
            if wanted in ("*/*", each.media_type, f"{each.media_type.partition('/')[0]}/*"):
                return each
    known = ", ".join(dict.fromkeys(each.media_type for each in ANSWERS.values()))
    raise ProblemError(406, f"Accept asks for what there isn't; expected one of {known}, or the parameter format")


def _by_preference(accept: str) -> list[str]:
    ranges: list[tuple[float, str]] = []
    for item in accept.split(",")[:50]:
        media_type, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality(value)
        if quality > 0:
            ranges.append((quality, media_type))
    return [media_type for _, media_type in sorted(ranges, key=lambda each: -each[0])]


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0
