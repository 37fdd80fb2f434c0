"""Object stores: nothing is lost where they refuse, break off or hold half a job."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from tests.scale.flaky_store import FlakyFileSystem, register
from tests.scale.small_pictures import outputs_of, write_pictures
from tests.video.clips import ramp, write_clip
from typer.testing import CliRunner

from midas.cli import app
from midas.errors import StorageError
from midas.storage import stores
from midas.storage.addresses import Place, is_address

LOCAL = ("--engine", "local", "--workers", "1", "--shard-size", "5", "--quiet")


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> type[FlakyFileSystem]:
    register()
    monkeypatch.setattr(stores, "_FIRST_PAUSE_S", 0.001)
    FlakyFileSystem.store.clear()
    FlakyFileSystem.pseudo_dirs[:] = [""]
    FlakyFileSystem.refused = 0
    return FlakyFileSystem


def batch(*arguments: object, status: int = 0) -> str:
    found = CliRunner().invoke(app, ["batch", *map(str, arguments)])
    assert found.exit_code == status, (found.output, found.exc_info)
    return found.stdout


def uploaded(folder: Path, address: str) -> None:
    for path in folder.rglob("*.jpg"):
        (Place.of(address) / path.relative_to(folder).as_posix()).write(path.read_bytes())


@pytest.mark.parametrize("pack", ["files", "tar", "parquet"])
def test_pictures_go_in_and_maps_come_out_though_each_third_request_is_refused(
    tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem], pack: str
) -> None:
    write_pictures(tmp_path / "in", 12)
    uploaded(tmp_path / "in", "flaky://bucket/in")
    batch(tmp_path / "in", "-o", tmp_path / "out", "--model", tiny, "--pack", pack, *LOCAL)
    batch("flaky://bucket/in", "-o", "flaky://bucket/out", "--model", tiny, "--pack", pack, *LOCAL)
    assert flaky.refused > 10
    found = {name: (Place.of("flaky://bucket/out") / name).read() for name, _ in Place.of("flaky://bucket/out").below()}
    made = {name: data for name, data in found.items() if not name.startswith("_midas")}
    expected = outputs_of(tmp_path / "out")
    assert set(made) == set(expected)
    if pack == "files":
        assert made == expected
    elif pack == "parquet":
        rows = [pq.read_table(tmp_path / "out" / name)["depth"].to_pylist() for name in sorted(expected)]
        assert rows == [pq.read_table(_kept(tmp_path, made[name]))["depth"].to_pylist() for name in sorted(made)]
    assert json.loads(batch("--status", "flaky://bucket/out", "--json"))["done"] == 12
    worked = json.loads(
        batch("flaky://bucket/in", "-o", "flaky://bucket/out", "--model", tiny, "--pack", pack, *LOCAL, "--json")
    )
    assert worked["worked"] == 0


def _kept(folder: Path, data: bytes) -> Path:
    path = folder / "kept.parquet"
    path.write_bytes(data)
    return path


def test_every_kind_of_source_is_read_from_a_store_that_refuses_each_third_request(
    tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem]
) -> None:
    folder = tmp_path / "in"
    write_all_kinds(folder)
    names = ("*.tar", "*.parquet", "*.mp4", "list.txt", "pictures")
    batch(*(folder / name for name in names), "-o", tmp_path / "out", "--model", tiny, *LOCAL)
    expected = outputs_of(tmp_path / "out")
    assert len(expected) == (3 + 3 + 2 + 3 + 3 if (folder / "clip.mp4").exists() else 12)
    for path in folder.rglob("*"):
        if path.is_file():
            (Place.of("flaky://bucket/in") / path.relative_to(folder).as_posix()).write(path.read_bytes())
    for pack in ("files", "tar", "parquet"):
        out = f"flaky://bucket/{pack}"
        batch(*(f"flaky://bucket/in/{name}" for name in names), "-o", out, "--model", tiny, "--pack", pack, *LOCAL)
        assert maps_at(Place.of(out)) == {name.removesuffix(".png"): data for name, data in expected.items()}


def write_all_kinds(folder: Path) -> None:
    """Three pictures in each kind of source, and two frames of a film where there is what writes one."""
    paths = write_pictures(folder / "pictures", 3)
    with tarfile.open(folder / "some.tar", "w") as tar:
        for path in paths:
            tar.add(path, path.name)
    pq.write_table(pa.table({"image": [path.read_bytes() for path in paths]}), folder / "bytes.parquet")
    listed = write_pictures(folder / "listed", 3, suffix=".png")
    (folder / "list.txt").write_text("\n".join(path.relative_to(folder).as_posix() for path in listed))
    if find_spec("av"):
        write_clip(folder / "clip.mp4", map(ramp, range(2)))


def maps_at(destination: Place) -> dict[str, bytes]:
    """The PNG of each picture by its place, however they are packed."""
    found: dict[str, bytes] = {}
    for name, _ in destination.below():
        data = (destination / name).read()
        if name.endswith(".png"):
            found[name.removesuffix(".png")] = data
        elif name.startswith("maps-") and name.endswith(".parquet"):
            found |= {row["place"]: row["depth"] for row in pq.read_table(io.BytesIO(data)).to_pylist()}
        elif name.endswith(".tar"):
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
            found |= {
                json.loads(members[f"{name[:-4]}.json"])["place"]: png
                for name, png in members.items()
                if name.endswith(".png")
            }
    return found


def test_a_job_is_not_begun_without_what_a_store_does_not_list_now(
    tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path / "in", 3)
    uploaded(tmp_path / "in", "flaky://bucket/in")

    def dead(self: FlakyFileSystem, *arguments: object, **options: object) -> list[object]:
        raise OSError("503 Slow Down")

    monkeypatch.setattr(FlakyFileSystem, "ls", dead)
    found = CliRunner().invoke(
        app, ["batch", str(tmp_path / "in"), "flaky://bucket/in", "-o", str(tmp_path / "out"), "--model", str(tiny)]
    )
    assert found.exit_code == 1
    assert "flaky://bucket/in can't be searched" in found.stderr
    assert not (tmp_path / "out").exists()


def test_a_store_that_never_answers_is_an_error_that_names_the_address_and_no_picture_fails(
    tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path / "in", 3)
    uploaded(tmp_path / "in", "flaky://bucket/in")
    listing = tmp_path / "list.txt"
    listing.write_text("\n".join(f"flaky://bucket/in/000/00000{number}.jpg" for number in range(3)))
    real = FlakyFileSystem.cat_file

    def dead(self: FlakyFileSystem, path: str, **options: object) -> bytes:
        if path.endswith("1.jpg"):
            raise OSError("connection reset")
        return real(self, path, **options)  # type: ignore[no-any-return]

    monkeypatch.setattr(FlakyFileSystem, "cat_file", dead)
    out = tmp_path / "out"
    summary = json.loads(batch(listing, "-o", out, "--model", tiny, *LOCAL, "--json", status=1))
    assert (summary["failed"], summary["left"]) == (0, 3)
    assert "flaky://bucket/in/000/000001.jpg" in summary["unfinished"]["0"]
    monkeypatch.setattr(FlakyFileSystem, "cat_file", real)
    assert json.loads(batch(listing, "-o", out, "--model", tiny, *LOCAL, "--json"))["done"] == 3


def test_a_picture_that_has_gone_fails_alone(tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem]) -> None:
    write_pictures(tmp_path / "in", 2)
    uploaded(tmp_path / "in", "flaky://bucket/in")
    listing = tmp_path / "list.txt"
    listing.write_text("\n".join(f"flaky://bucket/in/000/00000{number}.jpg" for number in range(3)))
    batch(listing, "-o", tmp_path / "out", "--model", tiny, *LOCAL, status=1)
    (failure,) = pq.read_table(tmp_path / "out" / "errors.parquet").to_pylist()
    assert "000002.jpg does not exist" in failure["error"]


NAMES = ("a b.jpg", "é日本.jpg", "100%.jpg", "a%20b.jpg", "a+b.jpg", "#c.jpg", "q?v=1.jpg", "st*r.jpg", "[1].jpg")


def test_names_with_signs_that_mean_something_elsewhere_are_names(
    tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem]
) -> None:
    (path,) = write_pictures(tmp_path / "in", 1)
    folder = Place.of("flaky://bucket/photos [2019]")
    for name in NAMES:
        (folder / name).write(path.read_bytes())
    pq.write_table(pa.table({"path": NAMES}), tmp_path / "list.parquet")
    (folder / "list.parquet").write((tmp_path / "list.parquet").read_bytes())
    pictures = [f"{folder}/{name}" for name in NAMES]
    for number, sources in enumerate(([folder], [folder / "list.parquet"], pictures)):
        batch(*sources, "-o", tmp_path / str(number), "--model", tiny, *LOCAL)
        assert set(outputs_of(tmp_path / str(number))) == {f"{name[:-4]}.png" for name in NAMES}


def test_maps_that_can_have_no_such_name_fail_alone(tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem]) -> None:
    (path,) = write_pictures(tmp_path / "in", 1)
    long = "x" * 250
    names = ("a.jpg", "a.png/b.jpg", f"{long}.jpg", f"{long}.png", "good.jpg")  # one takes the other's place; 258 bytes
    for name in names:
        (Place.of("flaky://bucket/in") / name).write(path.read_bytes())
    summary = json.loads(
        batch("flaky://bucket/in", "-o", tmp_path / "out", "--model", tiny, *LOCAL, "--json", status=1)
    )
    assert (summary["done"], summary["failed"], summary["left"]) == (2, 3, 0)
    failed = pq.read_table(tmp_path / "out" / "errors.parquet").to_pylist()
    assert all("can't be written" in failure["error"] for failure in failed)


def test_outputs_below_a_source_in_a_store_are_no_sources(
    tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem]
) -> None:
    write_pictures(tmp_path / "in", 3)
    uploaded(tmp_path / "in", "flaky://bucket/in")
    job = ("flaky://bucket/in", "flaky://bucket/in/000/*.jpg", "-o", "flaky://bucket/in/maps", "--model", tiny, *LOCAL)
    for worked in (3, 0):
        summary = json.loads(batch(*job, "--json"))
        assert (summary["pictures"], summary["worked"]) == (3, worked)


@pytest.mark.parametrize("name", ["manifest/", "job.json", "receipts/000001", "errors.parquet", "summary.json"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_connection_that_breaks_while_the_books_are_written_costs_nothing(
    tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem], monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    write_pictures(tmp_path / "in", 8)
    (tmp_path / "in" / "000" / "bad.jpg").write_bytes(b"no picture")
    job = (tmp_path / "in", "--model", tiny, *LOCAL)
    batch(*job, "-o", tmp_path / "calm", status=1)
    real, broken = FlakyFileSystem.pipe_file, [0]
    broken_for_ever = [True]

    def cut(self: FlakyFileSystem, path: str, value: bytes, **options: object) -> None:
        if name not in path or not (broken_for_ever[0] or broken[0] < 3):
            real(self, path, value, **options)
            return
        broken[0] += 1
        if after:
            MemoryFileSystem.pipe_file(self, path, value, **options)
        raise OSError("connection reset")

    monkeypatch.setattr(FlakyFileSystem, "pipe_file", cut)
    said = CliRunner().invoke(app, ["batch", *map(str, job), "-o", "flaky://bucket/out"])
    assert said.exit_code == 1
    assert name in said.stderr
    assert "asked 7 times" in said.stderr
    broken[0], broken_for_ever[0] = 0, False
    summary = json.loads(batch(*job, "-o", "flaky://bucket/out", "--json", status=1))
    assert broken[0] == 3 or after
    assert (summary["done"], summary["failed"], summary["left"]) == (8, 1, 0)
    expected = outputs_of(tmp_path / "calm")
    assert expected.pop("errors.parquet")
    assert maps_at(Place.of("flaky://bucket/out")) == {key[:-4]: data for key, data in expected.items()}
    assert Place.of("flaky://bucket/out/errors.parquet").size()


def test_a_bucket_that_is_not_there_is_named(
    tmp_path: Path, tiny: Path, flaky: type[FlakyFileSystem], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(self: FlakyFileSystem, *arguments: object, **options: object) -> None:
        raise FileNotFoundError("The specified bucket does not exist")

    for name in ("pipe_file", "put_file"):
        monkeypatch.setattr(FlakyFileSystem, name, nowhere)
    write_pictures(tmp_path / "in", 1)
    found = CliRunner().invoke(app, ["batch", str(tmp_path / "in"), "-o", "flaky://none/out", "--model", str(tiny)])
    assert found.exit_code == 1
    assert "there is no such bucket" in found.stderr
    with pytest.raises(StorageError, match="no such bucket"), Place.of("flaky://none/x").writing() as file:
        file.write(b"x")


def test_of_nothing_a_store_is_not_asked(flaky: type[FlakyFileSystem]) -> None:
    asked = flaky.requests
    assert Place.of("flaky://bucket/some.tar").read_range(512, 0) == b""
    assert flaky.requests == asked


def test_what_is_missing_is_asked_for_once_and_what_is_refused_several_times(flaky: type[FlakyFileSystem]) -> None:
    with pytest.raises(FileNotFoundError):
        Place.of("flaky://bucket/none").read()
    assert Place.of("flaky://bucket/none").size() is None
    assert Place.of("flaky://bucket/none").files() == {}
    with pytest.raises(StorageError, match="nosuch"):
        Place.of("nosuch://bucket/none").read()


@pytest.mark.parametrize(
    ("text", "far"),
    [("s3://b/x", True), ("gs://b", True), ("file:///tmp/x", False), ("/tmp/x", False), ("a:b", False), ("x", False)],
)
def test_an_address_is_told_from_a_path(text: str, far: bool) -> None:
    assert is_address(text) is far
    assert Place.of(text).is_local is not far


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 server with an empty bucket."""
    pytest.importorskip("moto")
    s3fs = pytest.importorskip("s3fs")
    from tests.scale.s3_server import FaultyS3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with FaultyS3() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        forget_stores()
        s3fs.S3FileSystem().mkdir("bucket")
        yield server
    forget_stores()


def forget_stores() -> None:
    """A client keeps the address and the options that it was made with."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    stores._opened_store.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("count", [1000])
def test_a_thousand_pictures_go_through_s3_that_refuses_and_breaks_off(
    tmp_path: Path, tiny: Path, s3: Any, count: int
) -> None:
    how = ("--model", tiny, "--quiet", "--engine", "local", "--workers", "1")
    write_pictures(tmp_path / "in", count)
    batch(tmp_path / "in", "-o", tmp_path / "calm", *how)
    uploaded(tmp_path / "in", "s3://bucket/in")
    s3.refused_share, s3.cut_share = 0.05, 0.02
    text = batch("s3://bucket/in", "-o", "s3://bucket/out", *how, "--json")
    s3.refused_share = s3.cut_share = 0.0
    assert s3.refused > 20
    assert s3.cut > 5
    assert json.loads(text)["done"] == count
    out = Place.of("s3://bucket/out")
    found = {name: (out / name).read() for name, _ in out.below() if not name.startswith("_midas")}
    assert found == outputs_of(tmp_path / "calm")


@pytest.mark.slow
def test_a_picture_in_s3_costs_one_request_and_a_shard_a_few(tmp_path: Path, tiny: Path, s3: Any) -> None:
    write_pictures(tmp_path / "in", 20)
    uploaded(tmp_path / "in", "s3://bucket/in")
    s3.asked.clear()
    batch("s3://bucket/in", "-o", "s3://bucket/out", "--model", tiny, "--pack", "parquet", *LOCAL)
    pictures = {asked: often for asked, often in s3.asked.items() if asked[1].endswith(".jpg")}
    assert set(pictures.values()) == {1}
    assert {method for method, _ in pictures} == {"GET"}
    assert len(pictures) == 20
    # 20 pictures in 4 shards: to look for the receipt, the manifest, the outputs, the receipt; and both receipts again.
    assert sum(s3.asked.values()) - 20 <= 4 * 6 + 12


@pytest.mark.slow
def test_a_listing_of_several_pages_is_whole_though_pages_are_refused(s3: Any) -> None:
    folder = Place.of("s3://bucket/many")
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda number: (folder / f"{number:04d}.jpg").write(b"x"), range(1100)))
    s3.refused_share = s3.cut_share = 0.2
    assert len(list(folder.below())) == len(folder.files()) == 1100
    assert len(list(folder.matching(["*7.jpg"]))) == 110


@pytest.mark.slow
def test_what_s3_never_answers_is_asked_for_a_bounded_number_of_times_and_named(
    tmp_path: Path, tiny: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stores._S3["config_kwargs"], "read_timeout", 1)
    monkeypatch.setattr(stores, "_FIRST_PAUSE_S", 0.001)
    forget_stores()
    write_pictures(tmp_path / "in", 6)
    uploaded(tmp_path / "in", "s3://bucket/in")
    s3.silent = "000003.jpg"
    with pytest.raises(StorageError, match=r"000003\.jpg can't be read: .*asked 7 times"):
        Place.of("s3://bucket/in/000/000003.jpg").read()
    assert s3.asked["GET", "/bucket/in/000/000003.jpg"] == stores.ATTEMPTS * 3
    s3.silent = None
    job = ("s3://bucket/in", "-o", tmp_path / "out", "--model", tiny, *LOCAL, "--json")
    assert json.loads(batch(*job))["done"] == 6
