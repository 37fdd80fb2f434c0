"""What a part of the campaign found, and the table of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

SLOW_S = 5.0

# Each must be nought. In the order of the table.
FAULTS = {
    "foreign": "exceptions that are not ours, tracebacks, wrong statuses",
    "crash": "processes that died",
    "slow": f"what took more than {SLOW_S:.0f} s of the processor's time",
    "line": "lines without a name",
    "half": "half files",
    "leftover": "temporary files left over",
}


@dataclass
class Part:
    """One part of the campaign.

    Attributes:
        name: of the part.
        tried: files, commands or settings that were tried.
        outcomes: what became of them, as far as it is no fault.
        faults: by kind, what it takes to see it again.
    """

    name: str
    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def found(self, kind: str, what: str) -> None:
        """Note a fault."""
        if kind not in FAULTS:
            raise ValueError(f"{kind!r} is no kind of fault")
        self.faults.setdefault(kind, []).append(what)

    def row(self) -> list[str]:
        """The part as a row of the table."""
        outcomes = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        return [self.name, str(self.tried), outcomes, *(str(len(self.faults.get(kind, ()))) for kind in FAULTS)]


def table(parts: Iterable[Part]) -> str:
    """All parts as a Markdown table."""
    faults = ["foreign", "crashed", f"over {SLOW_S:.0f} s", "nameless", "half", "left over"]
    headings = ["part", "tried", "what became of them", *faults]
    rows = [headings, ["---"] * len(headings), *(part.row() for part in parts)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)
