"""The table of readers: complete, loaded one at a time, and helpful with wrong names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.datasets.miniatures import write_sintel

from midas.datasets.catalogue import READERS, open_reader
from midas.errors import ConfigError

# What draws its samples has no layout of files to list and no folder to open.
WITHOUT_FOLDER = {"synthetic"}

PROBE = """
import sys
from midas.datasets.catalogue import open_reader
assert not any(name.startswith("midas.datasets.readers.") for name in sys.modules)
open_reader("sintel", sys.argv[1])[0]
print(sorted(name for name in sys.modules if name.startswith("midas.datasets.readers.")))
print(sorted({"torch", "h5py", "scipy"} & set(sys.modules)))
"""


def test_every_reader_is_in_the_catalogue(repository: Path) -> None:
    files = (repository / "src/midas/datasets/readers").glob("[!_]*.py")
    assert sorted(READERS) == sorted({path.stem for path in files} - WITHOUT_FOLDER)


def test_opening_a_set_loads_its_reader_alone_and_no_heavy_package(tmp_path: Path) -> None:
    root = write_sintel(tmp_path / "set").root
    done = subprocess.run([sys.executable, "-c", PROBE, str(root)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['midas.datasets.readers.sintel']", "[]"]


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_entry_says_where_its_set_is_from(name: str) -> None:
    entry = READERS[name]
    assert entry.title
    assert entry.layout.licence
    assert entry.homepage.startswith("http") or name in ("corpus", "folder", "shards")
    assert entry.layout.tree.strip().startswith("<root>/")
    assert "root" not in entry.options


def test_a_misspelt_set_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no data set is called 'kity'; did you mean 'kitti'"):
        open_reader("kity", tmp_path)
    with pytest.raises(ConfigError, match="there are: booster, corpus"):
        open_reader("xyz", tmp_path)


def test_an_unknown_option_is_answered_with_the_nearest_or_with_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'depth'"):
        open_reader("nyu", tmp_path, depths="raw")
    with pytest.raises(ConfigError, match="it has none"):
        open_reader("da2k", tmp_path, depth="raw")
