"""Every bound can be set where the server is started, and is shown there."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from typer.testing import CliRunner

from midas.cli import serve as command
from midas.serving import server
from midas.serving.limits import Address, Limits, ServeOptions

OPTIONS = {
    "body_bytes": ("--max-megabytes", "31", 31_000_000),
    "pixels": ("--max-megapixels", "32", 32_000_000),
    "body_s": ("--body-seconds", "33", 33.0),
    "buffered_bytes": ("--max-buffered-megabytes", "434", 434_000_000),
    "queue_s": ("--queue-seconds", "3.5", 3.5),
    "decodes": ("--decodes", "36", 36),
    "size_px": ("--max-size", "737", 737),
    "tile": ("--max-tile", "8", 8),
    "rate": ("--rate", "39", 39.0),
    "films": ("--max-films", "40", 40),
    "film_bytes": ("--max-film-megabytes", "141", 141_000_000),
    "film_s": ("--max-film-seconds", "142", 142.0),
    "film_frames": ("--max-film-frames", "4300", 4300),
    "film_upload_s": ("--film-upload-seconds", "144", 144.0),
    "film_work_s": ("--film-work-seconds", "145", 145.0),
    "film_keep_s": ("--film-keep-seconds", "146", 146.0),
    "drain_s": ("--drain-seconds", "47", 47.0),
}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Address, ServeOptions]]:
    """What servers are started with."""
    given: list[tuple[Address, ServeOptions]] = []
    monkeypatch.setattr(server, "serve", lambda address, options, *_, **__: given.append((address, options)))
    return given


def test_every_limit_has_an_option_and_is_shown(started: list[tuple[Address, ServeOptions]]) -> None:
    assert set(OPTIONS) == {each.name for each in fields(Limits)}
    words = [word for option, text, _ in OPTIONS.values() for word in (option, text)]
    result = CliRunner().invoke(command.app, words)
    assert result.exit_code == 0, result.output
    ((_, options),) = started
    assert {name: getattr(options.limits, name) for name in OPTIONS} == {
        name: value for name, (_, _, value) in OPTIONS.items()
    }
    shown: dict[str, Any] = dict.fromkeys(re.findall(r"[\d.]+", options.limits.described()))
    assert [name for name, (_, text, _) in OPTIONS.items() if text not in shown] == []


@pytest.mark.parametrize("words", [["--no-films"], ["--workers", "2"]])
def test_a_server_without_films_says_so(words: list[str], started: list[tuple[Address, ServeOptions]]) -> None:
    assert ", no films," in CliRunner().invoke(command.app, words).output
    assert len(started) == 1
