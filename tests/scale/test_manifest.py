"""Manifests: a million pictures are planned within bounds, and every shard is found again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from midas.scale.entries import Rows
from midas.scale.manifest import planned, read_shard, write_job
from midas.scale.placing import with_places
from midas.scale.settings import Recipe
from midas.storage.addresses import Place


@pytest.mark.parametrize(("pictures", "size"), [(1, 1), (7, 4), (32, 2), (37, 2), (66, 4)])
def test_the_shards_hold_every_picture_once_in_order(tmp_path: Path, pictures: int, size: int) -> None:
    rows = Rows()
    for number in range(pictures):
        rows.add(f"/root/{number:03d}.jpg", "file", size=number)
    entries = with_places(rows.table(), "/root")
    job = planned(entries, Recipe(), size)
    destination = Place.of(tmp_path)
    write_job(destination, job, entries)
    shards = [read_shard(destination, job, shard) for shard in range(job.shards)]
    assert [entry.size for shard in shards for entry in shard] == list(range(pictures))
    assert [len(shard) for shard in shards] == [job.count(shard) for shard in range(job.shards)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process since it began is asked of /proc")
def test_a_million_pictures_are_planned_within_15_seconds_and_600_megabytes(tmp_path: Path) -> None:
    listing = tmp_path / "million.txt"
    listing.write_text("".join(f"/data/{number // 1000:06d}/{number:09d}.jpg\n" for number in range(1_000_000)))
    code = f"""
import json, time
from pathlib import Path
from midas.scale.job import plan
from midas.scale.settings import Recipe
from midas.storage.addresses import Place
job = plan([{str(listing)!r}], Place.of({str(tmp_path / "out")!r}), Recipe(packing="parquet")).job
# Not what the module resource says: there the memory of the process that began this one counts too.
peak_kb = next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
print(json.dumps([job.pictures, time.process_time(), peak_kb / 1024]))
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pictures, seconds, megabytes = json.loads(finished.stdout)
    assert pictures == 1_000_000
    assert seconds < 15  # of the processor: whatever else runs beside it
    assert megabytes < 600
