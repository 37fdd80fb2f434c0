"""The notebooks in examples/ run from the first cell to the last."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

SHORT = ("PICTURES, EPOCHS, PICTURES_PER_EPOCH = 40, 3, 160", "PICTURES, EPOCHS, PICTURES_PER_EPOCH = 14, 1, 8")


@pytest.mark.slow
def test_the_notebook_runs_and_shows_pictures(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(repository / "examples", tmp_path / "examples")
    notebook = nbformat.read(folder / "first_contact.ipynb", as_version=4)
    assert any(SHORT[0] in cell.source for cell in notebook.cells)
    for cell in notebook.cells:
        cell.source = cell.source.replace(*SHORT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(repository / "src"), os.environ.get("PYTHONPATH", "")]))
    nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert "over the start" in "".join(output.get("text", "") for output in outputs)
