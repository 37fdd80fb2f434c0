"""Which pictures the sources of a job mean, and where their outputs lie."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scale.small_pictures import write_pictures
from tests.video.clips import ramp, write_clip

from midas.errors import ConfigError, ImageError
from midas.maps.names import plan_outputs
from midas.pictures.files import PictureFile
from midas.scale.entries import Entry, Rows, entries_of
from midas.scale.opening import opened
from midas.scale.placing import shared_folder, with_places
from midas.scale.sources import list_sources
from midas.storage.addresses import Place
from midas.storage.stores import RangedFile


def entries(*sources: object, destination: Path, column: str | None = None) -> list[Entry]:
    listing = list_sources([str(each) for each in sources], Place.of(destination), column=column)
    assert not listing.problems
    return list(entries_of(listing.entries))


def content(entry: Entry, column: str | None = None) -> bytes:
    (one,) = opened([entry], column)
    found = one.fetch()
    return Path(found).read_bytes() if isinstance(found, str | Path) else found.read()  # type: ignore[union-attr]


def test_a_folder_gives_its_pictures_and_a_list_the_same(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path / "in", 3)
    from_folder = entries(tmp_path / "in", destination=tmp_path / "out")
    assert [entry.place for entry in from_folder] == ["000/000000", "000/000001", "000/000002"]
    (tmp_path / "list.txt").write_text("\n".join(str(path.relative_to(tmp_path)) for path in paths))
    pq.write_table(pa.table({"path": [str(path) for path in paths]}), tmp_path / "list.parquet")
    for listed in ("list.txt", "list.parquet"):
        found = entries(tmp_path / listed, destination=tmp_path / "out")
        assert [entry.source for entry in found] == [entry.source for entry in from_folder]
        assert [entry.place for entry in found] == ["000000", "000001", "000002"]


def test_outputs_below_a_source_are_no_sources(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", 1)
    write_pictures(tmp_path / "in" / "maps", 1)
    assert len(entries(tmp_path / "in", destination=tmp_path / "in" / "maps")) == 1
    with pytest.raises(ConfigError, match="read and written"):
        entries(tmp_path / "in", destination=tmp_path / "in")


def test_outputs_are_known_under_the_name_that_a_link_gives_them(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", 1)
    write_pictures(tmp_path / "in" / "maps", 1)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for source in (tmp_path / "link", tmp_path / "link" / "**" / "*.jpg"):
        (found,) = entries(source, destination=tmp_path / "in" / "maps")
        assert found.source == str(tmp_path / "link" / "000" / "000000.jpg")
    with pytest.raises(ConfigError, match="read and written"):
        entries(tmp_path / "link", destination=tmp_path / "in")


def test_a_picture_that_is_meant_twice_comes_once(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path / "in", 3)
    with tarfile.open(tmp_path / "some.tar", "w") as tar:
        for path in paths:
            tar.add(path, path.name)
    (tmp_path / "list.txt").write_text(f"in/000/000002.jpg\n{paths[2]}\nin/000/000000.jpg\n")
    names = ("in", "in/000/*.jpg", "list.txt", "some.tar", "*.tar", "in/000/000001.jpg", "in")
    found, once = (
        [(entry.source, entry.offset, entry.place) for entry in entries(*sources, destination=tmp_path / "out")]
        for sources in ([tmp_path / name for name in names], [tmp_path / "in", tmp_path / "some.tar"])
    )
    assert found == once
    assert len(found) == 6


def test_a_column_of_names_is_taken_as_it_is_and_a_text_may_have_remarks(tmp_path: Path) -> None:
    data = [path.read_bytes() for path in write_pictures(tmp_path / "in", 3)]
    names = ["#1.jpg", " 2.jpg", "100%+?.jpg"]
    for name, each in zip(names, data, strict=True):
        (tmp_path / name).write_bytes(each)
    pq.write_table(pa.table({"path": [*names, None, ""]}), tmp_path / "list.parquet")
    assert [content(one) for one in entries(tmp_path / "list.parquet", destination=tmp_path / "out")] == data
    (tmp_path / "list.txt").write_bytes(b"# the last one\r\n\r\n  100%+?.jpg \r\n")
    (one,) = entries(tmp_path / "list.txt", destination=tmp_path / "out")
    assert content(one) == data[2]


def test_pictures_below_the_destination_are_sources_like_others(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", 2)
    for source in (tmp_path / "in", tmp_path / "in" / "000" / "*.jpg"):
        assert len(entries(source, destination=tmp_path)) == 2
    with pytest.raises(ConfigError, match="read and written"):
        entries(tmp_path / "in" / "000" / "*.jpg", destination=tmp_path / "in" / "000")


def test_a_tar_that_has_become_shorter_fails_by_the_pictures_that_it_lacks(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path / "in", 2)
    with tarfile.open(tmp_path / "some.tar", "w") as tar:
        for path in paths:
            tar.add(path, path.name)
    first, last = entries(tmp_path / "some.tar", destination=tmp_path / "out")
    os.truncate(tmp_path / "some.tar", last.offset + 10)
    assert content(first) == paths[0].read_bytes()
    with pytest.raises(ImageError, match=r"000001\.jpg isn't all there"):
        content(last)


@given(st.binary(max_size=300), st.lists(st.tuples(st.integers(0, 320), st.integers(-1, 320)), max_size=6))
def test_a_file_of_a_store_is_read_like_any_other(data: bytes, reads: list[tuple[int, int]]) -> None:
    whole = io.BytesIO(data)
    ranged = io.BufferedReader(RangedFile(lambda begin, count: data[begin : begin + count], len(data)), 16)
    for begin, count in reads:
        assert ranged.seek(begin) == whole.seek(begin)
        assert ranged.read(count) == whole.read(count)
    assert ranged.seek(-1, io.SEEK_END) == whole.seek(0, io.SEEK_END) - 1 if data else True


def test_members_of_a_tar_and_rows_of_parquet_are_read_as_they_were_put_in(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path / "in", 5)
    with tarfile.open(tmp_path / "some.tar", "w") as tar:
        for path in paths:
            tar.add(path, path.name)
        tar.addfile(tarfile.TarInfo("notes.txt"), io.BytesIO())
    data = [path.read_bytes() for path in paths]
    pq.write_table(
        pa.table({"image": [{"bytes": each, "path": path.name} for each, path in zip(data, paths, strict=True)]}),
        tmp_path / "some.parquet",
        row_group_size=2,
    )
    for source in ("some.tar", "some.parquet"):
        found = entries(tmp_path / source, destination=tmp_path / "out")
        assert [content(entry) for entry in found] == data
        assert found[3].place == "some/000003"
        assert found[3].label == "000003.jpg"


def test_a_tar_cannot_put_anything_outside_the_destination(tmp_path: Path) -> None:
    (path,) = write_pictures(tmp_path / "in", 1)
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        for name in ("../../up.jpg", "/etc/absolute.jpg", "a/../../../b.jpg", "./here.jpg"):
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            tar.addfile(member, io.BytesIO(path.read_bytes()))
    for entry in entries(tmp_path / "evil.tar", destination=tmp_path / "out"):
        assert not entry.place.startswith("/")
        assert not {".", ".."} & set(entry.place.split("/"))


def test_frames_of_a_film_are_found_without_decoding_and_read_from_the_middle(tmp_path: Path) -> None:
    pytest.importorskip("av")
    from midas.video.reading import Film

    clip = write_clip(tmp_path / "clip.mp4", map(ramp, range(30)))
    found = entries(clip, destination=tmp_path / "out")
    with Film(clip) as film:
        frames = [frame.picture for frame in film]
    assert len(found) == len(frames) == 30
    middle = list(opened(found[17:23]))
    assert all((one.content == frames[17 + index]).all() for index, one in enumerate(middle))
    assert found[17].place == "clip/000017"


def test_what_means_no_pictures_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.tar").write_bytes(b"no tar")
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "in")
    names = ("in", "empty", "bad.tar", "set.tar.gz", "none.txt", "none.jpg", "mistyped", "*.webp")
    sources = [str(tmp_path / name) for name in names]
    listing = list_sources(sources, Place.of(tmp_path / "out"))
    assert listing.entries.num_rows == 1
    assert set(listing.problems) == set(sources[1:])
    assert all(isinstance(error, ImageError) for error in listing.problems.values())
    assert "unpack it" in listing.problems[str(tmp_path / "set.tar.gz")].message
    assert "expected a folder" in listing.problems[str(tmp_path / "mistyped")].message


NAMES = st.lists(
    st.sampled_from(["a.jpg", "a.png", "A.jpg", "b/a.jpg", "b.c.jpg", "b.c.d.png", "b/x", "a-2.jpg", "c.jpg"]),
    min_size=1,
    max_size=8,
    unique=True,
)


@given(NAMES)
def test_places_are_those_that_predict_gives(names: list[str]) -> None:
    rows = Rows()
    for name in names:
        rows.add(f"/root/{name}", "file")
    placed = with_places(rows.table(), "/root")["place"].to_pylist()
    expected = plan_outputs(
        [PictureFile(Path("/root", name), Path("/root")) for name in names], Path("/out"), ["png16"]
    )
    assert [f"/out/{place}.png" for place in placed] == [str(job.outputs["png16"]) for job in expected]


@pytest.mark.parametrize(
    ("folders", "shared"),
    [
        (["/a/b/c", "/a/b/d"], "/a/b"),
        (["/a/b"], "/a/b"),
        (["/a/b", "/a/bc"], "/a"),
        (["s3://one/x", "s3://one/y/z"], "s3://one"),
        (["s3://one", "/two"], ""),
    ],
)
def test_the_shared_folder_is_made_of_whole_parts(folders: list[str], shared: str) -> None:
    assert shared_folder(folders) == shared
