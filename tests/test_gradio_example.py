"""The demonstration for places that host Gradio, with Gradio's own part left out."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import midas


class GradioError(Exception):
    """What Gradio shows in the page."""


def test_the_demonstration_gives_a_picture_of_the_map_and_its_file(
    examples_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[object, ...]] = []
    parts = {name: lambda *given, **_: given for name in ("Image", "Dropdown", "File")}
    gradio = SimpleNamespace(Interface=lambda *given, **_: made.append(given), Error=GradioError, **parts)
    monkeypatch.setitem(sys.modules, "gradio", gradio)  # type: ignore[arg-type]
    depth = runpy.run_path(str(examples_dir / "gradio_app.py"))["depth"]
    assert [given[0] for given in made] == [depth]
    photograph = np.asarray(Image.open(examples_dir / "cat.jpg"))
    shown, file = depth(photograph, "grey")
    assert (shown.shape, shown.dtype) == (photograph.shape, np.uint8)
    assert midas.DepthMap.load(file).size == photograph.shape[:2]
    Path(file).unlink()
    Path(file).parent.rmdir()
    with pytest.raises(GradioError, match="choose a picture"):
        depth(None, "grey")
