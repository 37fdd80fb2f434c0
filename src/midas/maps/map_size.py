"""How large a map is written: as its picture, or no larger than is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from midas.errors import ConfigError

FULL, NET = "full", "net"
_EXACT = r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})"
PATTERN = rf"^(full|half|net|{_EXACT})$"
"""What a size's text may be, as a regular expression."""


@dataclass(frozen=True)
class MapSize:
    """The size of maps.

    Attributes:
        text: ``full`` as the picture, ``half``, ``net`` about as large as the network's own output, or
            ``WIDTHxHEIGHT`` in pixels.

    Raises:
        ConfigError: another text.
    """

    text: str = FULL

    def __post_init__(self) -> None:
        if not re.fullmatch(PATTERN, self.text):
            raise ConfigError(f"{self.text[:40]!r} is no size of a map; expected net, half, full or WIDTHxHEIGHT")

    @property
    def is_full(self) -> bool:
        """Whether maps are as large as their pictures."""
        return self.text == FULL

    def of(self, picture: tuple[int, int], network: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of a map, in pixels.

        Args:
            picture: (height, width) of the picture.
            network: (height, width) of the network's input.
        """
        height, width = picture
        if self.is_full:
            return picture
        exact = re.fullmatch(_EXACT, self.text)
        if exact:
            return int(exact[2]), int(exact[1])
        # The picture's shape, even where the network sees it as a square; never larger than the picture.
        scale = 0.5 if self.text == "half" else min(1.0, min(network) / min(picture))
        return max(1, round(scale * height)), max(1, round(scale * width))
