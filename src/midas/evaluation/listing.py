"""Tables of what can be measured and by which rules."""

from __future__ import annotations

from midas.datasets.catalogue import READERS
from midas.evaluation.drawn import OPTIONS, PICTURES, SEED, SIZE, SYNTHETIC
from midas.evaluation.protocols import FAMILIES, PROTOCOLS, Protocol
from midas.evaluation.runs import CORPUS, has_protocol, protocol_of


def everything_markdown() -> str:
    """All that can be measured, and by which rules."""
    return "\n\n".join((benchmarks_markdown(), drawn_markdown(), protocols_markdown(), families_markdown()))


def drawn_markdown() -> str:
    """The benchmark that needs no folder."""
    height, width = SIZE
    return (
        f"`{SYNTHETIC}` needs no folder: {PICTURES} drawn scenes of {height}x{width} pixels with exact depth "
        f"(seed {SEED}); options: {', '.join(OPTIONS)}."
    )


def benchmarks_markdown() -> str:
    """Sets, where to get them, and the protocol that each is measured by if no other is named."""
    lines = ["| benchmark | set | from | options | protocol |", "|---|---|---|---|---|"]
    for name, entry in READERS.items():
        options = ", ".join(entry.options) or "–"
        lines.append(f"| `{name}` | {entry.title} | {entry.homepage} | {options} | {_rules(name)} |")
    return "\n".join(lines)


def _rules(name: str) -> str:
    if name == CORPUS:
        return "indoor, outdoor or relative, by its domain; affine where the shift is unknown"
    return protocol_of(name).name if has_protocol(name) else "to train on: name one with `--protocol`"


def layouts_markdown() -> str:
    """Each set with its terms and the folder that its reader wants."""
    parts = []
    for name, entry in READERS.items():
        layout = entry.layout
        options = f" Options: {', '.join(entry.options)}." if entry.options else ""
        tree = layout.tree.strip()
        facts = f"{layout.homepage}. Licence: {layout.licence}.{options}"
        parts.append(f"### `{name}`: {layout.title}\n\n{facts}\n\n```text\n{tree}\n```")
    return "\n\n".join(parts)


def families_markdown() -> str:
    """Names that stand for one protocol per set."""
    lines = [
        f"`{family}` stands for the rules of the set: "
        + ", ".join(f"`{rules}` for {of}" for of, rules in members.items())
        for family, members in FAMILIES.items()
    ]
    return "\n".join(f"{line}." for line in lines)


def protocols_markdown() -> str:
    """All protocols with their rules."""
    head = ("protocol", "alignment", "cap", "crop", "network input", "headline figure", "pictures", "source")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cells(protocol)) + " |" for protocol in PROTOCOLS.values()]
    return "\n".join(lines)


_RESIZE = {
    "upper_bound": "longer side",
    "lower_bound": "shorter side",
    "minimal": "side nearer to it",
    None: "model's own",
}


def _cells(protocol: Protocol) -> tuple[str, ...]:
    alignment = f"{protocol.alignment} in {protocol.space.replace('_', ' ')}"
    cap = "none" if protocol.cap_m is None else f"{protocol.cap_m:g} m"
    if protocol.minimum_m:
        cap = f"{protocol.minimum_m:g} to {cap}"
    pooled = ", pooled" if protocol.averaging == "pixels" else ""
    return (
        f"`{protocol.name}`",
        "order of pairs" if protocol.pairs else alignment,
        "–" if protocol.pairs else cap,
        "–" if protocol.pairs else protocol.crop,
        _RESIZE[protocol.resize],
        protocol.headline + pooled,
        str(protocol.pictures or "all"),
        protocol.source,
    )
