"""TOML files that extend others, and changes to them from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

from midas.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_tables(path: Path, changes: Sequence[str] = ()) -> dict[str, Any]:
    """A file's settings joined with those of the file that it extends, and changed.

    Args:
        path: the file.
        changes: each ``key.key=value``, with a TOML value or a bare word for a string.

    Raises:
        ConfigError: a file is missing, isn't TOML or extends itself, or a change sets nothing.
    """
    settings = _read_extended(path, ())
    for change in changes:
        _set(settings, _parse_change(change))
    return settings


def _read_extended(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    if path in above:
        raise ConfigError(f"{path} extends itself, by way of {above[-1]}")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    base = settings.pop("extends", None)
    if base is None:
        return settings
    if not isinstance(base, str):
        raise ConfigError(f"{path}: extends is {base!r}; expected the name of a TOML file beside it")
    return _joined(_read_extended(path.parent / base, (*above, path)), settings)


def _parse_change(change: str) -> dict[str, Any]:
    key, equals, value = change.partition("=")
    if not equals:
        raise ConfigError(f"{change!r} sets nothing; write key=value, such as run.epochs=2")
    try:
        return tomllib.loads(f"{key} = {value}")
    except tomllib.TOMLDecodeError:
        pass
    # A shell takes the quotes off a string, so that a bare word is one.
    try:
        return tomllib.loads(f"{key} = {json.dumps(value.strip())}")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{change!r} is not TOML: {error}") from error


def _set(settings: dict[str, Any], change: dict[str, Any]) -> None:
    """Put the one value of a change in its place, whatever stood there."""
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(settings.get(key), dict):
            _set(settings[key], value)
        else:
            settings[key] = value


def _joined(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Tables joined key by key; anything else of ``over`` replaces what is there."""
    joined = dict(base)
    for key, value in over.items():
        below = joined.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            joined[key] = _joined(below, value)
        elif _are_named(below) and _are_named(value):
            joined[key] = _joined_by_name(below, value)
        else:
            joined[key] = value
    return joined


def _joined_by_name(base: list[dict[str, Any]], over: list[dict[str, Any]]) -> list[dict[str, Any]]:
    tables = {table["name"]: table for table in base}
    for table in over:
        tables[table["name"]] = _joined(tables.get(table["name"], {}), table)
    return list(tables.values())


def _are_named(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    """An array of tables, each with a name of its own."""
    if not isinstance(value, list) or not value or not all(isinstance(table, dict) for table in value):
        return False
    names = [table.get("name") for table in value]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def to_toml(settings: dict[str, Any]) -> str:
    """Settings as TOML, which ``read_tables`` reads back to the same; values that are None are left out."""
    return "\n".join(_table(settings, ())).strip() + "\n"


def _table(settings: dict[str, Any], place: tuple[str, ...]) -> list[str]:
    """The lines of a table: its plain values first, since what follows a heading belongs to that."""
    present = {key: value for key, value in settings.items() if value is not None}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in present.items() if not _has_heading(value)]
    for key, value in present.items():
        if not _has_heading(value):
            continue
        below = (*place, _key(key))
        for table in value if isinstance(value, list) else [value]:
            heading = ".".join(below)
            lines += ["", f"[[{heading}]]" if isinstance(value, list) else f"[{heading}]", *_table(table, below)]
    return lines


def _has_heading(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, Path):
        return json.dumps(str(value))
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    # JSON's strings, whole numbers and truth values are TOML's too; a float keeps its point.
    return repr(value) if isinstance(value, float) else json.dumps(value)
