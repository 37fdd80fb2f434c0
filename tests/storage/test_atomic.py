"""Files appear complete or not at all, once, and what killed processes leave is removed."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from midas.errors import FileThereError, OutputError
from midas.storage.atomic import atomic_file, remove_leftovers

LEFTOVER = ".midas-0123456789ab.tmp"

WRITE_AND_WAIT = """
import sys
from pathlib import Path
from midas.storage.atomic import atomic_file
with atomic_file(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def forgetful() -> None:
    """As in a new process, which looks into each folder once more."""
    remove_leftovers.cache_clear()


def write(path: Path, content: bytes = b"mine", *, overwrite: bool = False) -> None:
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(content)


def test_a_file_gets_its_name_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with atomic_file(path) as file:
        file.write(b"mine")
        assert not path.exists()
    assert path.read_bytes() == b"mine"
    assert list(path.parent.iterdir()) == [path]


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError), atomic_file(tmp_path / "file") as file:
        file.write([b"half", "a list"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_of_many_who_write_one_name_one_succeeds(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))

    def attempt(number: int) -> int | None:
        try:
            write(tmp_path / "file", str(number).encode())
        except FileThereError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(attempt, range(40)) if number is not None]
    assert (len(winners) == 1) if links else winners
    assert (tmp_path / "file").read_bytes() in [str(number).encode() for number in winners]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_file_that_appears_while_ours_is_written_is_kept(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
    path = tmp_path / "file"
    with pytest.raises(FileThereError, match="exists already"), atomic_file(path):
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_overwriting_replaces_a_file_but_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    write(tmp_path / "file", overwrite=True)
    assert (tmp_path / "file").read_bytes() == b"mine"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        write(tmp_path / "folder", overwrite=True)


def test_a_name_that_leads_nowhere_is_there(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileThereError):
        write(tmp_path / "link")


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of Unix")
def test_the_mode_is_the_one_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["n" * 300, "nul\0"])
def test_a_name_that_no_file_can_have_is_an_error_of_ours(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write(tmp_path / name)


def test_leftovers_are_removed_by_the_next_who_writes_there_and_nothing_else(tmp_path: Path) -> None:
    others = {".midas-notes.tmp", "midas-0123456789ab.tmp", ".midas-0123456789abcdef.tmp", "photo.png"}
    for name in {LEFTOVER, *others}:
        (tmp_path / name).touch()
    write(tmp_path / "file")
    assert {path.name for path in tmp_path.iterdir()} == others | {"file"}


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as on Unix")
def test_a_file_in_writing_is_no_leftover_until_its_process_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE_AND_WAIT, str(tmp_path / "theirs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "writing\n"
        write(tmp_path / "file")
        assert len(list(tmp_path.iterdir())) == 2
        other.send_signal(signal.SIGKILL)
        other.wait()
    remove_leftovers.cache_clear()
    write(tmp_path / "another")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another", "file"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows doesn't remove what is open")
def test_a_temporary_file_that_is_removed_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import midas.storage.atomic as atomic

    removals = iter([True, False])

    def meanwhile(descriptor: int, path: Path) -> bool:
        if next(removals):
            path.unlink()
        return lock(descriptor, path)

    lock = atomic._lock
    monkeypatch.setattr(atomic, "_lock", meanwhile)
    write(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
