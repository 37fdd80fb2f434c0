"""Every command and every option says what it is for."""

from __future__ import annotations

import subprocess
import sys

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
