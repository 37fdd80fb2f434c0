"""Results become the cells of a table, and tables become Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from midas.bench.results import CaseResult, DuelResult, Report
from midas.bench.timing import Timing

Row = tuple[str, ...]

_NONE = "–"

CASE_HEADINGS = (
    "model", "back end", "precision", "input", "batch", "threads", "network, ms (p5–p95)", "whole, ms (p5–p95)",
    "pictures/s", "load + first, ms", "peak MB", "of the peak", "difference",
)  # fmt: skip
DUEL_HEADINGS = ("ours", "rival", "ours, ms (p5–p95)", "rival, ms (p5–p95)", "rival / ours (p5–p95)", "rounds")


def case_cells(result: CaseResult) -> Row:
    """One cell per heading; what isn't known is a dash."""
    case = result.case
    height, width = result.input_size or (None, None)
    memory = _number(result.memory_mb, "{:.0f}")
    if result.device_memory_mb is not None:
        memory += f" + {result.device_memory_mb:.0f} on the device"
    first = _NONE
    if result.load_ms is not None and result.first_ms is not None:
        first = f"{result.load_ms:.0f} + {result.first_ms:.0f}"
    return (
        case.model,
        case.backend if case.device == "auto" else f"{case.backend}, {case.device}",
        result.precision_text,
        _NONE if height is None else f"{height}x{width}",
        str(case.batch),
        _NONE if case.threads is None else str(case.threads),
        timing_text(result.network),
        timing_text(result.whole),
        _number(result.pictures_per_s, "{:.3g}"),
        first,
        memory,
        _number(result.peak_share, "{:.0%}"),
        _number(result.difference, "{:.2%}") if (result.difference or 0) >= 1e-4 else _tiny(result.difference),
    )


def duel_cells(duel: DuelResult) -> Row:
    """One cell per heading."""
    ratio = f"{_number(duel.ratio, '{:.2f}')} ({_number(duel.ratio_p5, '{:.2f}')}–{_number(duel.ratio_p95, '{:.2f}')})"
    rounds = _NONE if duel.ours is None else str(duel.ours.runs)
    return duel.label, duel.rival, timing_text(duel.ours), timing_text(duel.theirs), ratio, rounds


def timing_text(timing: Timing | None) -> str:
    """Median, and in brackets the span of nine runs in ten."""
    if timing is None:
        return _NONE
    return f"{_three_digits(timing.median_ms)} ({_three_digits(timing.p5_ms)}–{_three_digits(timing.p95_ms)})"


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a bar within a cell is escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines)


def markdown_report(report: Report) -> str:
    """Machine, peaks, cases, duels, and why some cases have no figures."""
    first, *others = sentences(report)
    parts = [" ".join([f"{first}.", *others])]
    parts += [markdown_table(headings, rows) for headings, rows in tables(report)]
    if report.problems:
        parts.append("Without figures:\n\n" + "\n".join(f"- {problem}" for problem in report.problems))
    return "\n\n".join(parts) + "\n"


def sentences(report: Report) -> tuple[str, ...]:
    """What there is to say before the tables: machine, picture, peaks, reference."""
    return report.machine.sentence, report.picture, peaks_sentence(report), reference_sentence(report)


def tables(report: Report) -> list[tuple[Row, list[Row]]]:
    """Headings and rows of the tables that have any."""
    cases = [case_cells(result) for result in report.done]
    duels = [duel_cells(duel) for duel in report.fought]
    return [(headings, rows) for headings, rows in ((CASE_HEADINGS, cases), (DUEL_HEADINGS, duels)) if rows]


def peaks_sentence(report: Report) -> str:
    """What matrix products reached in this run."""
    texts = []
    for threads, rates in report.peaks_gflops.items():
        given = ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items())
        texts.append(f"{given} GFLOP/s{'' if threads is None else f' at threads={threads}'}")
    return f"Matrix products in this run: {'; '.join(texts)}." if texts else "Matrix products were not measured."


def reference_sentence(report: Report) -> str:
    """What differences are measured against."""
    if report.reference is None:
        return "No differences: not asked for, or float32 PyTorch (midas-depth[lab]) has no weights of these models."
    return f"Differences are mean absolute ones from {report.reference}, by its range."


def _number(value: float | None, form: str) -> str:
    return _NONE if value is None else form.format(value)


def _tiny(value: float | None) -> str:
    # A share this small says that only the order of additions differs; its digits say nothing.
    return _NONE if value is None else "< 0.01%"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
