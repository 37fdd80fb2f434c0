"""What the tests of this room share: a network small enough for a test, and pictures of several kinds."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.scale.small_pictures import write_pictures
from tests.tiny_model import write_tiny_model

# Read when Ray is imported, which other tests may do before ours; see midas.scale.on_ray.
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")

# What pip install midas-depth[scale] brings, without which there is nothing to test here.
collect_ignore_glob = [] if all(map(find_spec, ("pyarrow", "fsspec"))) else ["test_*.py"]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's file."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of nine pictures in folders, two of which differ in the suffix alone, and one that is none."""
    folder = tmp_path / "in"
    write_pictures(folder, 6)
    write_pictures(folder / "more", 3, suffix=".png")
    (folder / "000" / "000001.png").write_bytes((folder / "more" / "000" / "000001.png").read_bytes())
    (folder / "000" / "broken.jpg").write_bytes(b"no picture")
    (folder / ".hidden.jpg").write_bytes(b"never looked at")
    return folder
