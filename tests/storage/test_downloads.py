"""Downloads: whatever happens on the way, the file is right, or absent and the message says why."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import shutil
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request

import filelock
import numpy as np
import pytest
from tests.file_server import Answer, FileServer, entity_tag, file_server

from midas.errors import ConfigError, DownloadError
from midas.storage import downloads
from midas.storage.downloads import download, progress_bar

CONTENT = np.random.default_rng(0).bytes(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
REFUSED = Answer(status=503)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloads, "PAUSE_S", 0.001)
    with file_server() as running:
        running.files["net.pt"] = CONTENT
        yield running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "net.pt"


def fetch(server: FileServer, target: Path, **options: object) -> str:
    return download(f"{server.url}/net.pt", target, **options)


def break_off(server: FileServer, target: Path, after: int, **answer: object) -> None:
    """A download that fails for good once some bytes are there."""
    server.script[:] = [Answer(cut_after=after, **answer), REFUSED]
    with pytest.raises(DownloadError, match="503"):
        fetch(server, target, attempts=1)
    assert not target.exists()
    server.requests.clear()


def assert_complete(target: Path, content: bytes = CONTENT) -> None:
    assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]


# ── what arrives ────────────────────────────────────────────────────────────


def test_a_file_arrives_under_its_name_and_nothing_else_stays(server: FileServer, target: Path) -> None:
    assert fetch(server, target) == SHA256
    assert_complete(target)


def test_progress_goes_from_nothing_to_the_whole_file(server: FileServer, target: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    fetch(server, target, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, len(CONTENT)), (len(CONTENT), len(CONTENT)))


def test_a_file_that_is_there_is_not_downloaded_again(server: FileServer, target: Path) -> None:
    fetch(server, target)
    assert fetch(server, target, sha256_prefix=SHA256[:8]) == SHA256
    assert len(server.requests) == 1
    with pytest.raises(DownloadError, match=r"net\.pt is there already.* expected 0000; delete it"):
        fetch(server, target, sha256_prefix="0000")


def test_a_redirection_is_followed(server: FileServer, target: Path) -> None:
    server.script[:] = [Answer(status=302, headers={"Location": f"{server.url}/elsewhere/net.pt"})]
    fetch(server, target)
    assert_complete(target)


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/net.pt"])
def test_a_redirection_leads_to_no_other_protocol(address: str, server: FileServer, target: Path) -> None:
    server.script[:] = [Answer(status=302, headers={"Location": address})]
    with pytest.raises(DownloadError, match="the server answers 302"):
        fetch(server, target, attempts=1)
    assert not target.exists()


def test_a_redirection_never_leaves_encryption_behind() -> None:
    asked = Request("https://example.org/net.pt")
    with pytest.raises(HTTPError, match=r"leads to http://example\.org/net\.pt"):
        downloads._Redirects().redirect_request(asked, io.BytesIO(), 302, "", {}, "http://example.org/net.pt")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://example.org/a", "net.pt", "http://[", ""])
def test_only_web_addresses_are_taken(url: str, target: Path) -> None:
    with pytest.raises(ConfigError, match="expected one that begins with https"):
        download(url, target)


# ── going on ────────────────────────────────────────────────────────────────


def test_a_connection_that_breaks_is_continued_where_it_broke(server: FileServer, target: Path) -> None:
    server.script[:] = [Answer(cut_after=70_000), Answer(cut_after=50_000)]
    assert fetch(server, target, attempts=1) == SHA256
    assert_complete(target)
    assert server.ranges() == [None, "bytes=70000-", "bytes=120000-"]
    assert server.body_bytes == len(CONTENT)


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(server: FileServer, target: Path) -> None:
    break_off(server, target, 70_000)
    assert fetch(server, target) == SHA256
    assert_complete(target)
    assert server.ranges() == ["bytes=70000-"]
    assert server.body_bytes == len(CONTENT)


def test_connections_may_break_as_often_as_they_bring_something_new(server: FileServer, target: Path) -> None:
    server.script[:] = [Answer(cut_after=10_000), REFUSED] * 12
    fetch(server, target, attempts=2)
    assert_complete(target)


def test_a_server_that_gives_no_parts_sends_the_file_again(server: FileServer, target: Path) -> None:
    server.always = Answer(ranges=False)
    server.script[:] = [Answer(cut_after=70_000)]
    fetch(server, target)
    assert_complete(target)


def test_a_server_that_always_breaks_at_the_same_byte_is_given_up(server: FileServer, target: Path) -> None:
    server.always = Answer(ranges=False, cut_after=70_000)
    with pytest.raises(DownloadError, match="broke off after 70000 of 200000 bytes"):
        fetch(server, target, attempts=3)
    assert len(server.requests) == 4


@pytest.mark.parametrize("checks_version", [True, False])
def test_a_file_that_has_changed_since_is_fetched_anew(checks_version: bool, server: FileServer, target: Path) -> None:
    break_off(server, target, 70_000)
    server.files["net.pt"] = changed = CONTENT[::-1]
    server.always = Answer(checks_version=checks_version)
    fetch(server, target)
    assert_complete(target, changed)
    assert server.requests[0][1]["If-Range"] == entity_tag(CONTENT)


def test_without_a_version_only_a_known_hash_lets_a_download_go_on(server: FileServer, target: Path) -> None:
    server.always = Answer(headers={"ETag": ""})
    break_off(server, target, 70_000, headers={"ETag": ""})
    assert fetch(server, target, sha256_prefix=SHA256[:8]) == SHA256
    assert server.ranges() == ["bytes=70000-"]
    target.unlink()
    break_off(server, target, 70_000, headers={"ETag": ""})
    assert fetch(server, target) == SHA256
    assert server.ranges() == [None]


def test_a_part_from_another_address_is_not_taken_up(server: FileServer, target: Path) -> None:
    break_off(server, target, 70_000)
    download(f"{server.url}/other/net.pt", target)
    assert_complete(target)
    assert server.ranges() == [None]


@pytest.mark.parametrize(("extra", "ranges"), [(b"", ["bytes=200000-"]), (b"more", ["bytes=200004-", None])])
def test_a_part_as_long_as_the_file_is_the_file_and_a_longer_one_is_not(
    extra: bytes, ranges: list[str | None], server: FileServer, target: Path
) -> None:
    target.parent.mkdir()
    target.with_name("net.pt.part").write_bytes(CONTENT + extra)
    record = {"url": f"{server.url}/net.pt", "version": entity_tag(CONTENT), "total": None}
    target.with_name("net.pt.part.json").write_text(json.dumps(record))
    assert fetch(server, target) == SHA256
    assert_complete(target)
    assert server.ranges() == ranges


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(status: int, server: FileServer, target: Path) -> None:
    server.script[:] = [Answer(status=status)] * 2
    fetch(server, target)
    assert_complete(target)


def test_a_silent_server_is_asked_again(server: FileServer, target: Path) -> None:
    server.script[:] = [Answer(pause_s=0.3)]
    fetch(server, target, timeout_s=0.1)
    assert_complete(target)


# ── giving up ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final_and_says_what_to_do(status: int, server: FileServer, target: Path) -> None:
    server.always = Answer(status=status)
    with pytest.raises(DownloadError) as caught:
        fetch(server, target)
    message = str(caught.value)
    assert f"{server.url}/net.pt can't be downloaded: the server answers {status}" in message
    assert f"put it at {target}" in message
    assert (caught.value.status, len(server.requests)) == (status, 1)


def test_a_server_that_stays_in_trouble_is_given_up(server: FileServer, target: Path) -> None:
    server.always = REFUSED
    with pytest.raises(DownloadError, match="503"):
        fetch(server, target, attempts=3)
    assert len(server.requests) == 3


def test_another_file_than_expected_is_removed(server: FileServer, target: Path) -> None:
    server.files["net.pt"] = b"nonsense"
    with pytest.raises(DownloadError, match=f"begins with .*, expected {SHA256[:8]}; it was removed"):
        fetch(server, target, sha256_prefix=SHA256[:8])
    assert list(target.parent.iterdir()) == []
    server.files["net.pt"] = CONTENT
    fetch(server, target, sha256_prefix=SHA256[:8].upper())
    assert_complete(target)


def test_a_web_page_is_not_taken_for_the_file(server: FileServer, target: Path) -> None:
    server.always = Answer(headers={"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(DownloadError, match="answers with a web page"):
        fetch(server, target)
    assert not target.exists()


def test_a_closed_port_is_said_so(server: FileServer, target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match="Connection refused"):
        download(f"http://127.0.0.1:{port}/net.pt", target, attempts=2)


def test_an_unknown_host_is_said_so(server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadError, match=r"http://nowhere\.invalid/net\.pt can't be .*: Name or service not known"):
        download("http://nowhere.invalid/net.pt", target, attempts=2)


def test_a_disk_without_room_is_noticed_before_the_download(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["net.pt"] = bytes(3_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 2_000_000))
    with pytest.raises(DownloadError, match=rf"no room for {target}: it needs 3 MB more"):
        fetch(server, target)


def test_a_disk_that_fills_up_loses_nothing(server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.script[:] = [Answer(cut_after=70_000)]
    open_file = Path.open

    class FullDisk(io.BufferedRandom):
        def write(self, chunk: bytes) -> int:
            if self.tell() + len(chunk) > 90_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(chunk)

    def open_on_full_disk(path: Path, mode: str = "r", **options: str | None) -> object:
        return FullDisk(io.FileIO(path, "a+")) if mode == "a+b" else open_file(path, mode, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_on_full_disk)
        with pytest.raises(DownloadError, match=r"no room for .*; make room"):
            fetch(server, target)
    assert fetch(server, target) == SHA256
    assert_complete(target)


def test_a_folder_that_cannot_be_is_said_so(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"net\.pt can't be written: .*; choose a folder"):
        fetch(server, tmp_path / "file" / "net.pt")


# ── several at once ─────────────────────────────────────────────────────────


def test_of_several_calls_for_one_file_one_downloads(server: FileServer, target: Path) -> None:
    server.script[:] = [Answer(pause_s=0.2, cut_after=70_000), Answer(pause_s=0.2)]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: fetch(server, target), range(3)))
    assert results == [SHA256] * 3
    assert_complete(target)
    assert server.body_bytes == len(CONTENT)


def test_where_there_are_no_locks_each_call_has_its_own_part(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(filelock.FileLock, "acquire", unsupported)
    server.always = Answer(pause_s=0.1)
    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(lambda _: fetch(server, target), range(2))) == {SHA256}
    assert_complete(target)


# ── the bar ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_bar_is_drawn_on_a_terminal_only(
    on_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: on_terminal)
    with progress_bar("net.pt") as progress:
        progress(50_000_000, 100_000_000)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("net.pt" in err) == on_terminal
