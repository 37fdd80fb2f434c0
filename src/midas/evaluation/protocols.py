"""Evaluation protocols as data: what is cut off, where the alignment happens, what is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """How a prediction is compared with measured depth (MiDaS paper, section 6).

    Each picture is aligned on its own, by least squares in inverse depth over the valid pixels, without any crop. Then
    the aligned prediction is turned into depth and capped. Figures are means over pictures.

    Attributes:
        name: printed beside every figure.
        cap_m: predictions are cut to this depth in metres, and targets at or beyond it are left out; None where the
            target has no metric scale.
    """

    name: str
    cap_m: float | None

    @property
    def label(self) -> str:
        """The name with the cap, for tables."""
        return f"{self.name}, no cap" if self.cap_m is None else f"{self.name}, cap {self.cap_m:g} m"


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("indoor", cap_m=10.0),
        Protocol("outdoor", cap_m=80.0),
        Protocol("relative", cap_m=None),
    )
}

# Domains, as dataset.json names them, whose depths reach beyond a room.
OUTDOOR_DOMAINS = frozenset({"driving", "outdoor", "outdoor building + trees"})


def protocol_for(domain: str, *, metric: bool) -> Protocol:
    """The protocol for a set: ``relative`` where its target has no unit, else by its domain."""
    if not metric:
        return PROTOCOLS["relative"]
    return PROTOCOLS["outdoor" if domain in OUTDOOR_DOMAINS else "indoor"]
