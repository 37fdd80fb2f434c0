"""A benchmark's report on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from midas.bench.results import Report
from midas.bench.tables import Row, sentences, tables
from midas.cli.terminal import one_line, say_lines

_PIPE_WIDTH = 200  # nobody folds the lines of a pipe
_LEFT = 3  # columns of words; numbers stand to the right


def print_report(report: Report) -> None:
    """Print machine, tables, and what couldn't be measured and why."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_WIDTH)
    with console.capture() as printed:
        for sentence in sentences(report):
            console.print(one_line(sentence), markup=False)
        for headings, rows in tables(report):
            console.print(_table(headings, rows))
        for problem in report.problems:
            console.print(one_line(f"not measured: {problem}"), markup=False)
    say_lines(printed.get().rstrip("\n"))


def _table(headings: Row, rows: list[Row]) -> Table:
    table = Table()
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < _LEFT else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(one_line, row))
    return table
