"""Where weights are: in the package, in the cache, on the web."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.file_server import Answer, FileServer, file_server

from midas.assets import asset_path
from midas.errors import ConfigError, DownloadError, LicenceWarning, WeightsError
from midas.models import weight_files
from midas.models.specs import ModelSpec, WeightsFile, WeightsSpec
from midas.models.weight_files import cache_folder, find_weights, local_path, warn_of_licence
from midas.models.zoo import MODELS
from midas.storage import downloads

BUILT_IN = MODELS["midas_nano_256"]
CONTENT = {"net.pt": b"first" * 1000, "old_net.pt": b"second" * 1000, "net.onnx": b"third" * 1000}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MIDAS_OFFLINE", "MIDAS_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MIDAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloads, "PAUSE_S", 0.001)
    with file_server() as running:
        running.files.update(CONTENT)
        yield running


@pytest.fixture
def spec(server: FileServer) -> ModelSpec:
    """A model with two files of one format and one of another; the first one's hash is known."""
    prefix = hashlib.sha256(CONTENT["net.pt"]).hexdigest()[:8]
    files = (
        WeightsFile("net.pt", "pytorch", "official", f"{server.url}/release/net.pt", prefix),
        WeightsFile("old_net.pt", "pytorch", "official", f"{server.url}/release/old_net.pt"),
        WeightsFile("net.onnx", "onnx", "official", f"{server.url}/release/net.onnx"),
    )
    return replace(BUILT_IN, name="net", weights=WeightsSpec(files, licence="MIT"))


def put(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


# ── which file ──────────────────────────────────────────────────────────────


def test_what_is_part_of_the_package_is_found_there() -> None:
    assert find_weights(BUILT_IN, offline=True).path == asset_path("midas_nano_256.onnx")
    assert find_weights(BUILT_IN, "safetensors", "pytorch").path == asset_path("midas_nano_256.safetensors")


def test_a_file_is_downloaded_once(spec: ModelSpec, server: FileServer, cache: Path) -> None:
    for _ in range(2):
        found = find_weights(spec)
        assert (found.path, found.file) == (cache / "net.pt", spec.weights.files[0])
        assert found.path.read_bytes() == CONTENT["net.pt"]
    assert [name for name, _ in server.requests] == ["net.pt"]


def test_the_format_decides_which_file(spec: ModelSpec) -> None:
    assert find_weights(spec, "onnx").file.name == "net.onnx"
    with pytest.raises(WeightsError, match="net has no weights as safetensors; expected one of: onnx, pytorch"):
        find_weights(spec, "safetensors")


def test_a_file_in_the_cache_comes_before_a_preferred_one_on_the_web(
    spec: ModelSpec, server: FileServer, cache: Path
) -> None:
    path = put(cache, "old_net.pt", CONTENT["old_net.pt"])
    assert find_weights(spec).path == path
    assert server.requests == []


def test_a_file_that_is_published_no_more_gives_way_to_the_next(spec: ModelSpec, server: FileServer) -> None:
    del server.files["net.pt"]
    assert find_weights(spec, "pytorch").file.name == "old_net.pt"


def test_the_last_file_missing_on_the_web_is_named(spec: ModelSpec, server: FileServer, cache: Path) -> None:
    server.files.clear()
    with pytest.raises(DownloadError, match=f"404.*put it at {cache / 'old_net.pt'}"):
        find_weights(spec, "pytorch")


def test_a_refused_file_does_not_give_way(spec: ModelSpec, server: FileServer) -> None:
    server.always = Answer(status=403)
    with pytest.raises(DownloadError, match=r"release/net\.pt can't be downloaded: the server answers 403"):
        find_weights(spec)


def test_a_file_with_another_hash_than_published_is_refused(spec: ModelSpec, server: FileServer, cache: Path) -> None:
    server.files["net.pt"] = b"other"
    with pytest.raises(DownloadError, match="gave another file"):
        find_weights(spec)
    assert list(cache.iterdir()) == []


# ── the environment ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("variable", ["1", "true", "YES", None])
def test_offline_says_which_file_to_put_where(
    variable: str | None, spec: ModelSpec, server: FileServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv("MIDAS_OFFLINE", variable)
    with pytest.raises(WeightsError) as caught:
        find_weights(spec, "pytorch", offline=None if variable else True)
    for name in ("net.pt", "old_net.pt"):
        assert f"{server.url}/release/{name} at {cache / name}" in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize(("value", "argument"), [("0", None), ("", None), ("1", False)])
def test_downloads_are_allowed_unless_forbidden(
    value: str, argument: bool | None, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDAS_OFFLINE", value)
    assert find_weights(spec, offline=argument).path.is_file()


def test_a_switch_that_is_neither_on_nor_off_is_refused(spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDAS_OFFLINE", "maybe")
    with pytest.raises(ConfigError, match="MIDAS_OFFLINE is 'maybe'; expected 1 or 0"):
        find_weights(spec)


def test_a_mirror_is_asked_in_place_of_the_published_address(
    spec: ModelSpec, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = WeightsFile("net.pt", "pytorch", "official", "http://published.invalid/v1/net.pt")
    monkeypatch.setenv("MIDAS_MIRROR", f"{server.url}/mirror/")
    found = find_weights(replace(spec, weights=replace(spec.weights, files=(published,))))
    assert found.path.read_bytes() == CONTENT["net.pt"]


def test_a_mirror_must_be_a_web_address(spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDAS_MIRROR", "/mnt/mirror")
    with pytest.raises(ConfigError, match=r"'/mnt/mirror/net\.pt' is no address to download from"):
        find_weights(spec)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folders of Linux")
def test_the_cache_is_where_the_platform_has_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MIDAS_CACHE", "~/mine")
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("MIDAS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "midas-depth"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative, which the standard forbids")
    assert cache_folder() == tmp_path / ".cache" / "midas-depth"


def test_a_file_of_the_web_has_no_place_here_until_it_is_downloaded(spec: ModelSpec, cache: Path) -> None:
    assert local_path(spec.weights.files[0]) is None
    find_weights(spec)
    assert local_path(spec.weights.files[0]) == cache / "net.pt"


# ── what is recorded ────────────────────────────────────────────────────────


@pytest.mark.parametrize("by_hand", [True, False], ids=["put there by hand", "downloaded"])
def test_a_file_that_changes_in_the_cache_is_refused(by_hand: bool, spec: ModelSpec, cache: Path) -> None:
    if by_hand:
        put(cache, "old_net.pt", CONTENT["old_net.pt"])
    found = find_weights(spec)
    found.path.write_bytes(b"?" + found.path.read_bytes()[1:])
    with pytest.raises(WeightsError, match=rf"{found.path} is damaged .* delete it and {found.file.name}.sha256.json"):
        find_weights(spec)


def test_a_record_of_another_file_is_noticed(spec: ModelSpec, cache: Path) -> None:
    path = put(cache, "old_net.pt", CONTENT["old_net.pt"])
    find_weights(spec)
    path.write_bytes(b"another")
    with pytest.raises(WeightsError, match="as when it was first used"):
        find_weights(spec)
    (cache / "old_net.pt.sha256.json").unlink()
    assert find_weights(spec).path == path


def test_a_file_that_was_only_touched_is_hashed_once_and_accepted(
    spec: ModelSpec, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    sha256_of = weight_files.sha256_of
    monkeypatch.setattr(weight_files, "sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    path = find_weights(spec).path
    os.utime(path, ns=(1, 1))
    for _ in range(3):
        find_weights(spec)
    assert hashed == [path]


def test_the_record_holds_the_hash_of_the_file(spec: ModelSpec, cache: Path) -> None:
    find_weights(spec)
    record = json.loads((cache / "net.pt.sha256.json").read_text())
    assert record["sha256"] == hashlib.sha256(CONTENT["net.pt"]).hexdigest()


def test_a_file_put_there_by_hand_must_be_the_published_one(spec: ModelSpec, cache: Path) -> None:
    put(cache, "net.pt", b"other")
    with pytest.raises(WeightsError, match=r"not with .* as published; delete it"):
        find_weights(spec)


def test_a_cache_that_cannot_be_written_to_can_be_read(
    spec: ModelSpec, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache, "net.pt", CONTENT["net.pt"])
    monkeypatch.setattr(weight_files, "_record_path", lambda path: path / "inside a file")
    for _ in range(2):
        assert find_weights(spec).path == cache / "net.pt"


def test_what_is_downloaded_anew_must_be_what_was_first_used(spec: ModelSpec, server: FileServer, cache: Path) -> None:
    """No hash of it is published, and its publisher put another file under the same name."""
    unknown = replace(spec, weights=replace(spec.weights, files=(spec.weights.files[1],)))
    find_weights(unknown).path.unlink()
    server.files["old_net.pt"] = b"other"
    record = cache / "old_net.pt.sha256.json"
    with pytest.raises(DownloadError, match=rf"isn't the one that was first used here, .* delete {record}"):
        find_weights(unknown)
    assert list(cache.iterdir()) == [record]
    record.unlink()
    assert find_weights(unknown).path.read_bytes() == b"other"


def test_the_same_file_may_be_downloaded_anew(spec: ModelSpec, server: FileServer) -> None:
    unknown = replace(spec, weights=replace(spec.weights, files=(spec.weights.files[1],)))
    find_weights(unknown).path.unlink()
    assert find_weights(unknown).path.read_bytes() == CONTENT["old_net.pt"]


@pytest.mark.parametrize("name", ["zipdepth_base", "zipdepth_base_npu"])
def test_zipdepth_comes_from_its_authors_and_is_held_to_the_first_file_that_came(
    name: str, server: FileServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, file = MODELS[name], f"{name}.pth"
    assert [each.url for each in spec.weights.files] == [
        f"https://github.com/fabiotosi92/ZipDepth/raw/main/checkpoints/{file}"
    ]
    assert spec.weights.licence == "MIT"
    assert "Depth Anything V2 Large, whose weights are CC-BY-NC-4.0" in spec.weights.note
    monkeypatch.setenv("MIDAS_MIRROR", server.url)
    server.files[file] = b"weights" * 1000
    found = find_weights(spec).path
    record = json.loads((cache / f"{file}.sha256.json").read_text(encoding="utf-8"))
    assert record["sha256"] == hashlib.sha256(server.files[file]).hexdigest()
    found.unlink()
    server.files[file] = b"others" * 1000
    with pytest.raises(DownloadError, match=r"isn't the one that was first used here"):
        find_weights(spec)


# ── terms ───────────────────────────────────────────────────────────────────


def test_terms_that_forbid_commercial_use_are_told_once(spec: ModelSpec, recwarn: pytest.WarningsRecorder) -> None:
    restricted = replace(
        spec, name="restricted", weights=replace(spec.weights, licence="CC-BY-NC-4.0", non_commercial=True)
    )
    with pytest.warns(LicenceWarning, match=r"weights of restricted are under CC-BY-NC-4\.0, which forbids commercial"):
        find_weights(restricted)
    warn_of_licence(restricted)
    assert len(recwarn) == 0
