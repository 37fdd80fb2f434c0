"""Options of readers that are given as text become what the readers declare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from midas.datasets.option_types import typed_options
from midas.errors import ConfigError


class Reader:
    def __init__(
        self, root: Path, *, scenes: tuple[str, ...] | None = None, sizes: Sequence[int] = (), sparse: bool = False,
        scale: float | None = None, count: int = 0, kind: str = "",
    ) -> None: ...  # fmt: skip


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("scenes", "a,b", ("a", "b")),
        ("scenes", "a", ("a",)),
        ("sizes", "3, 4", (3, 4)),
        ("sparse", "true", True),
        ("scale", "0.5", 0.5),
        ("count", "7", 7),
        ("kind", "1,2", "1,2"),
    ],
)
def test_a_text_becomes_what_is_declared(option: str, text: str, value: object) -> None:
    assert typed_options(Reader, {option: text}) == {option: value}


@pytest.mark.parametrize(("option", "text"), [("sparse", "perhaps"), ("count", "2.5"), ("scale", "wide")])
def test_a_text_that_is_no_such_thing_is_an_error(option: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        typed_options(Reader, {option: text})


def test_what_is_no_text_stays_as_it_is() -> None:
    assert typed_options(Reader, {"scenes": ("a",), "count": 3}) == {"scenes": ("a",), "count": 3}
