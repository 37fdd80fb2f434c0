"""Choices that are given as text, on a command line say, as what a reader declares them to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from midas.errors import ConfigError

_SEQUENCES = (tuple, list, Sequence)
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def typed_options(reader_class: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a reader, texts read as what its constructor declares; what is no text stays as it is.

    Raises:
        ConfigError: a text is no such thing.
    """
    if not any(isinstance(value, str) for value in options.values()):
        return dict(options)
    hints = get_type_hints(getattr(reader_class, "__init__", reader_class))
    return {key: _typed(key, value, hints.get(key, Any)) for key, value in options.items()}


def _typed(option: str, value: Any, declared: Any) -> Any:
    if not isinstance(value, str):
        return value
    members = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
    wanted = [member for member in members if member is not NoneType]
    sequence = next((member for member in wanted if get_origin(member) in _SEQUENCES), None)
    if sequence is not None:
        kind = next((member for member in get_args(sequence) if member is not Ellipsis), str)
        return tuple(_typed(option, part.strip(), kind) for part in value.split(",") if part.strip())
    if bool in wanted:
        return _truth(option, value)
    number = next((kind for kind in (float, int) if kind in wanted), None)
    return value if number is None or str in wanted else _number(option, value, number)


def _truth(option: str, value: str) -> bool:
    if value.lower() not in _TRUTH:
        raise ConfigError(f"option {option} is {value!r}; expected true or false")
    return _TRUTH[value.lower()]


def _number(option: str, value: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(value)
    except ValueError as error:
        word = "a whole number" if kind is int else "a number"
        raise ConfigError(f"option {option} is {value!r}; expected {word}") from error
