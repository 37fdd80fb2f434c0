"""Every command and every option says what it is for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from midas.cli import COMMANDS, app

every_command = pytest.mark.parametrize("name", COMMANDS)


@every_command
def test_a_command_has_a_help_text_and_so_has_each_of_its_options(name: str) -> None:
    group = typer.main.get_command(app)
    command = group.get_command(typer.Context(group), name)
    for part in (command, *getattr(command, "commands", {}).values()):
        assert part.help
        assert [option.name for option in part.params if not getattr(option, "help", None)] == []


ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def options_of(words: list[str]) -> set[str]:
    """The options of the command that a line begins with."""
    group = typer.main.get_command(app)
    command = group.get_command(typer.Context(group), words[0])
    command = getattr(command, "commands", {}).get(words[1] if len(words) > 1 else "", command)
    return {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_the_commands_in_the_documents_have_the_options_that_they_are_shown_with(document: Path) -> None:
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    shown = re.findall(rf"(?:^|[`\s])midas ((?:{'|'.join(COMMANDS)})\b[^`\n]*)", text)
    wrong = {}
    for line in shown:
        words = re.split(r"\s(?:#|&&|\||>)|\s{2,}", line)[0].split()
        unknown = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)} - options_of(words)
        if unknown:
            wrong[line] = unknown
    assert wrong == {}


@every_command
def test_the_help_of_a_command_needs_no_lab_package(name: str) -> None:
    code = f"""
import sys
from midas.cli import app
sys.modules.update(dict.fromkeys(["torch", "timm", "safetensors", "onnx"]))
app(["{name}", "--help"], prog_name="midas")
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert f"midas {name}" in finished.stdout


def test_the_help_of_midas_lists_all_commands() -> None:
    code = "from midas.cli import app; app(['--help'])"
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [name for name in COMMANDS if name not in text] == []
