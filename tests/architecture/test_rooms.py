"""The shape of the house: few modules at the door, and no circle of imports."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

MAX_MODULES_AT_THE_TOP = 10


def imports() -> dict[str, set[str]]:
    """Module → those it imports, wherever in it that is written, but for type checkers alone."""
    graph = grimp.build_graph("midas", exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def circle(imported_by: dict[str, set[str]]) -> list[str]:
    """The modules of a circle, the first one again at the end; empty if there is none."""
    try:
        TopologicalSorter(imported_by).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_at_most_ten_modules_lie_at_the_top_level(repository: Path) -> None:
    assert len(list((repository / "src" / "midas").glob("*.py"))) <= MAX_MODULES_AT_THE_TOP


def test_no_import_leads_back_to_where_it_started() -> None:
    assert circle(imports()) == []


@pytest.mark.parametrize("length", [1, 2, 3, 9])
def test_a_circle_of_any_size_is_found(length: int) -> None:
    ring = {str(number): {str((number + 1) % length)} for number in range(length)}
    assert len(set(circle({**ring, "outside": {"0"}}))) == length


def test_an_import_inside_a_function_counts() -> None:
    assert "midas.bench.torch_side" in imports()["midas.bench.peak"]
