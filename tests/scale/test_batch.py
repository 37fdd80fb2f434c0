"""``midas batch`` on one machine: each picture's map is that of ``midas predict``, once, whatever dies in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.scale.small_pictures import outputs_of, write_pictures
from typer.testing import CliRunner

from midas.cli import app

SHARDS = ("--shard-size", "4", "--engine", "local", "--workers", "1")


def midas(*arguments: object) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, [str(each) for each in arguments])
    return found.exit_code, found.stdout, found.stderr


def batch(*arguments: object, status: int = 0) -> str:
    code, out, err = midas("batch", *arguments)
    assert code == status, err
    return out if code == 0 or out else err


def predicted(folder: Path, sources: Sequence[object], tiny: Path, *arguments: object) -> dict[str, bytes]:
    midas("predict", *sources, "-r", "-o", folder, "--model", tiny, "--map-size", "net", *arguments)
    return outputs_of(folder)


def maps_of(destination: Path) -> dict[str, bytes]:
    return {name: data for name, data in outputs_of(destination).items() if name != "errors.parquet"}


def receipts_of(destination: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (destination / "_midas" / "receipts").glob("*.json")}


@pytest.mark.parametrize("formats", ["png16", "png16,color,npy"])
def test_files_are_those_of_predict_to_the_byte(tmp_path: Path, pictures: Path, tiny: Path, formats: str) -> None:
    expected = predicted(tmp_path / "expected", [pictures], tiny, "--format", formats)
    batch(pictures, "-o", tmp_path / "out", "--model", tiny, "--format", formats, *SHARDS, status=1)
    assert maps_of(tmp_path / "out") == expected
    assert {"000/000001.jpg.png", "000/000001.png.png"} <= set(expected)


def test_a_tar_holds_the_same_bytes_under_keys_that_webdataset_reads(
    tmp_path: Path, pictures: Path, tiny: Path
) -> None:
    expected = predicted(tmp_path / "expected", [pictures], tiny)
    batch(pictures, "-o", tmp_path / "out", "--model", tiny, "--pack", "tar", *SHARDS, status=1)
    members: dict[str, bytes] = {}
    for path in sorted((tmp_path / "out").glob("maps-*.tar")):
        with tarfile.open(path) as tar:
            members |= {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    maps = {
        json.loads(members[f"{name[:-4]}.json"])["place"]: data
        for name, data in members.items()
        if name.endswith(".png")
    }
    assert {f"{place}.png": data for place, data in maps.items()} == expected
    assert all(name.rpartition("/")[2].count(".") == 1 for name in members)


def test_parquet_holds_the_same_bytes_a_row_per_picture_and_why_one_has_none(
    tmp_path: Path, pictures: Path, tiny: Path
) -> None:
    expected = predicted(tmp_path / "expected", [pictures], tiny)
    batch(pictures, "-o", tmp_path / "out", "--model", tiny, "--pack", "parquet", *SHARDS, status=1)
    rows = [
        row for path in sorted((tmp_path / "out").glob("maps-*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
    assert {f"{row['place']}.png": row["depth"] for row in rows if row["depth"]} == expected
    (broken,) = [row for row in rows if row["error"]]
    assert broken["depth"] is None
    assert "is not a picture" in broken["error"]
    good = next(row for row in rows if row["depth"])
    assert good["low"] < good["high"]
    assert (good["kind"], good["model"]) == ("affine_invariant_inverse", "tiny")


def test_failures_are_listed_and_may_be_tried_again(tmp_path: Path, pictures: Path, tiny: Path) -> None:
    out = tmp_path / "out"
    batch(pictures, "-o", out, "--model", tiny, *SHARDS, status=1)
    (failure,) = pq.read_table(out / "errors.parquet").to_pylist()
    assert failure["source"].endswith("broken.jpg")
    shutil.copy(pictures / "000" / "000002.jpg", pictures / "000" / "broken.jpg")
    batch(pictures, "-o", out, "--model", tiny, *SHARDS, "--retry-failed", status=2)  # it has another size now
    batch(pictures, "-o", out, "--model", tiny, *SHARDS, "--retry-failed", "--as-listed")
    assert not (out / "errors.parquet").exists()
    assert (out / "000" / "broken.png").is_file()


def test_more_failures_than_allowed_end_the_run_and_the_same_command_goes_on(
    tmp_path: Path, pictures: Path, tiny: Path
) -> None:
    out = tmp_path / "out"
    assert "--max-errors 0" in batch(pictures, "-o", out, "--model", tiny, *SHARDS, "--max-errors", "0", status=1)
    batch(pictures, "-o", out, "--model", tiny, *SHARDS, "--max-errors", "1", status=1)
    assert json.loads(batch("--status", out, "--json"))["left"] == 0


def test_what_is_done_is_not_done_again_and_what_was_lost_is(tmp_path: Path, tiny: Path) -> None:
    write_pictures(tmp_path / "in", 12)
    out = tmp_path / "out"
    batch(tmp_path / "in", "-o", out, "--model", tiny, *SHARDS)
    before, receipts = outputs_of(out), receipts_of(out)
    (out / "000" / "000005.png").unlink()
    (out / "_midas" / "receipts" / "000002.json").write_text("{half a rec")
    summary = json.loads(batch(tmp_path / "in", "-o", out, "--model", tiny, *SHARDS, "--json"))
    assert summary["worked"] == 8
    assert outputs_of(out) == before
    assert receipts_of(out)["000000.json"] == receipts["000000.json"]


@pytest.mark.parametrize("change", [("--size", "32"), ("--format", "npy"), ("--map-size", "half"), ("--strict",)])
def test_another_option_in_the_same_place_is_refused_by_its_name(
    tmp_path: Path, tiny: Path, change: tuple[str, ...]
) -> None:
    write_pictures(tmp_path / "in", 2)
    batch(tmp_path / "in", "-o", tmp_path / "out", "--model", tiny, *SHARDS)
    said = batch(tmp_path / "in", "-o", tmp_path / "out", "--model", tiny, *SHARDS, *change, status=2)
    assert change[0].lstrip("-").replace("-", "_") in said


def test_another_model_or_other_pictures_in_the_same_place_are_refused(tmp_path: Path, tiny: Path) -> None:
    write_pictures(tmp_path / "in", 2)
    other = tmp_path / "tiny.onnx"
    other.write_bytes(tiny.read_bytes() + b"\x0a\x00")
    batch(tmp_path / "in", "-o", tmp_path / "out", "--model", tiny, *SHARDS)
    batch(tmp_path / "in", "-o", tmp_path / "out", "--model", other, *SHARDS, status=2)
    write_pictures(tmp_path / "in", 3)
    assert "--as-listed" in batch(tmp_path / "in", "-o", tmp_path / "out", "--model", tiny, *SHARDS, status=2)
    batch(tmp_path / "in", "-o", tmp_path / "out", "--model", tiny, *SHARDS, "--as-listed")


def test_a_destination_without_a_job_has_no_status_and_a_source_is_no_destination(tmp_path: Path, tiny: Path) -> None:
    write_pictures(tmp_path / "in", 1)
    assert "holds no job" in batch("--status", tmp_path, status=2)
    assert "read and written" in batch(tmp_path / "in", "-o", tmp_path / "in", "--model", tiny, *SHARDS, status=2)


def test_a_run_whose_workers_and_driver_are_killed_ends_as_an_undisturbed_one(tmp_path: Path, tiny: Path) -> None:
    write_pictures(tmp_path / "in", 60)
    batch(tmp_path / "in", "-o", tmp_path / "calm", "--model", tiny, *SHARDS)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "midas", "batch", str(tmp_path / "in"), "-o", str(out), "--model", str(tiny)]
    command += ["--shard-size", "4", "--engine", "local", "--workers", "2", "--quiet"]
    driver = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    children = Path(f"/proc/{driver.pid}/task/{driver.pid}/children")
    if not children.exists():
        pytest.skip("which processes are whose is read from /proc")
    while len(receipts_of(out)) < 1:
        time.sleep(0.02)
    workers = [int(pid) for pid in children.read_text().split()]
    os.kill(workers[-1], signal.SIGKILL)
    time.sleep(0.1)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    finished = receipts_of(out)
    batch(tmp_path / "in", "-o", out, "--model", tiny, "--shard-size", "4", "--engine", "local", "--workers", "1")
    assert outputs_of(out) == outputs_of(tmp_path / "calm")
    assert {name: data for name, data in receipts_of(out).items() if name in finished} == finished
