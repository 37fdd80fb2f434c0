"""Choices that readers offer, as the command line names them."""

from __future__ import annotations

from collections.abc import Sequence

from midas.errors import ConfigError


def named_options(texts: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` texts as a mapping; the reader's own types are read from the values when it is opened.

    Raises:
        ConfigError: a text without an equals sign.
    """
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not equals:
            raise ConfigError(f"--option {key}: expected KEY=VALUE")
    return {key: value for key, _, value in pairs}
