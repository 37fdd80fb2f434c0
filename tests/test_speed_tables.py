"""docs/speed.md has a place for each table that benchmarks/speed_tables.py measures, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
import typer
from tests.programs import load_benchmark

from midas.cli import app


@pytest.fixture(scope="module")
def speed_tables() -> ModuleType:
    return load_benchmark("speed_tables")


def test_the_document_s_markers_are_the_tables_names(speed_tables: ModuleType) -> None:
    document = speed_tables.DOCUMENT.read_text(encoding="utf-8")
    names = [table.name for table in speed_tables.TABLES]
    assert sorted(re.findall(r"<!-- measured: (\w+) -->", document)) == sorted(names)
    assert sorted(re.findall(r"<!-- end: (\w+) -->", document)) == sorted(names)


def test_only_what_stands_between_the_markers_is_replaced(speed_tables: ModuleType) -> None:
    document = "a\n<!-- measured: x -->\nold\n<!-- end: x -->\nb\n<!-- measured: y -->\n<!-- end: y -->\n"
    replaced = speed_tables.with_part(document, "x", r"new \1")
    assert replaced == document.replace("old", r"new \1")
    with pytest.raises(SystemExit, match="measured: z"):
        speed_tables.with_part(document, "z", "new")


def test_every_command_is_one_that_there_is(speed_tables: ModuleType, repository: Path) -> None:
    group = typer.main.get_command(app)
    bench = group.get_command(typer.Context(group), "bench")
    options = {name for option in bench.params for name in option.opts}
    for table in speed_tables.TABLES:
        words = f"{table.command} {table.quick}".split()
        if words[0] == "midas":
            assert {word for word in words if word.startswith("--")} <= options
        else:
            assert (repository / words[1]).is_file()
