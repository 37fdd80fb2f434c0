"""The measures of the house: how long, how wide, how tangled the package's source may be."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Module

MAX_MODULE_LINES = 350
COPY_LINES = 8
NAMELESS = {"utils", "util", "common", "helpers", "helper", "misc"}

# The measure, ruff's rules for it, the settings that they need. The repository's own ruff settings and noqa comments
# are left out of it, so that no line of the source can excuse itself.
RUFF_MEASURES = {
    "at_most_40_statements_in_a_function": ("PLR0915", "lint.pylint.max-statements=40"),
    "a_complexity_of_at_most_10": ("C901", "lint.mccabe.max-complexity=10"),
    "no_star_import": ("F403", ""),
    "no_broad_or_bare_except": ("BLE001,E722", ""),
    "a_docstring_on_every_public_name": ("D100,D101,D102,D103,D104", ""),
    "a_type_on_every_argument_and_result": (
        "ANN001,ANN002,ANN003,ANN2",
        "lint.flake8-annotations.mypy-init-return=true",
    ),
}
# The command line prints, and the options of a command are its parameters.
RUFF_MEASURES_OUTSIDE_CLI = {
    "at_most_8_parameters_of_a_function": ("PLR0913", "lint.pylint.max-args=8"),
    "no_print": ("T201,T203", ""),
}


def ruff_findings(repository: Path, rules: str, setting: str, exclude: str = "") -> list[str]:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--ignore-noqa",
        "--no-cache",
        "--output-format=json",
    ]
    command += ["--target-version=py310", f"--select={rules}"]
    command += ["--config", setting] if setting else []
    command += ["--exclude", exclude] if exclude else []
    finished = subprocess.run([*command, "src"], cwd=repository, capture_output=True, text=True, check=False)
    assert finished.returncode in (0, 1), finished.stderr
    return [
        f"{Path(finding['filename']).relative_to(repository)}:{finding['location']['row']}: {finding['message']}"
        for finding in json.loads(finished.stdout)
    ]


@pytest.mark.parametrize("measure", RUFF_MEASURES)
def test_the_source_has(repository: Path, measure: str) -> None:
    assert ruff_findings(repository, *RUFF_MEASURES[measure]) == []


@pytest.mark.parametrize("measure", RUFF_MEASURES_OUTSIDE_CLI)
def test_outside_the_command_line_the_source_has(repository: Path, measure: str) -> None:
    assert ruff_findings(repository, *RUFF_MEASURES_OUTSIDE_CLI[measure], exclude="src/midas/cli") == []


def test_no_module_is_longer_than_350_lines(modules: list[Module]) -> None:
    lengths = {str(module.path): len(module.text.splitlines()) for module in modules}
    assert {path: length for path, length in lengths.items() if length > MAX_MODULE_LINES} == {}


def test_every_module_is_named_for_what_it_holds(modules: list[Module]) -> None:
    assert [str(module.path) for module in modules if NAMELESS & set(module.path.with_suffix("").parts)] == []


def test_no_8_lines_of_a_function_body_are_copied(modules: list[Module]) -> None:
    places = defaultdict(list)
    for module in modules:
        for body in function_bodies(module):
            for start in range(len(body) - COPY_LINES + 1):
                window = body[start : start + COPY_LINES]
                places[tuple(text for _, text in window)].append(f"{module.path}:{window[0][0]}")
    assert [found for found in places.values() if len(found) > 1] == []


def function_bodies(module: Module) -> Iterator[list[tuple[int, str]]]:
    """Each outermost function's numbered lines of code: no signature, docstring, comment, blank line or indentation."""
    lines = module.text.splitlines()
    for function in outermost_functions(module.tree):
        body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
        if body:
            numbers = range(body[0].lineno, (function.end_lineno or 0) + 1)
            numbered = ((number, lines[number - 1].strip()) for number in numbers)
            yield [(number, text) for number, text in numbered if text and not text.startswith("#")]


def outermost_functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        else:
            yield from outermost_functions(child)
