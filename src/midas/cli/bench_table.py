"""A benchmark's report on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from midas.benchmark.results import Report
from midas.benchmark.tables import (
    CASE_HEADINGS,
    DUEL_HEADINGS,
    case_cells,
    duel_cells,
    peaks_sentence,
    reference_sentence,
)

_PIPE_WIDTH = 200  # nobody folds the lines of a pipe
_LEFT = 3  # columns of words; numbers stand to the right


def print_report(report: Report) -> None:
    """Print machine, tables, and what couldn't be measured and why."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_WIDTH)
    for sentence in (report.machine.sentence, report.picture, peaks_sentence(report), reference_sentence(report)):
        console.print(sentence, markup=False)
    done = [case_cells(result) for result in report.results if result.error is None]
    if done:
        console.print(_table(CASE_HEADINGS, done))
    duels = [duel_cells(duel) for duel in report.duels if duel.error is None]
    if duels:
        console.print(_table(DUEL_HEADINGS, duels))
    for problem in report.problems:
        console.print(f"not measured: {problem}", markup=False)


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table()
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < _LEFT else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
