"""How fast training samples come from shards: decoded, varied and normalised, per core, from a folder and from a store.

    python benchmarks/shard_reading.py                    drawn scenes, packed as midas data pack does
    python benchmarks/shard_reading.py --s3               and from a local S3 server (moto), by ranges and with a cache

A card that learns from N pictures per second keeps N divided by the last column's figure of cores busy.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from midas.datasets.catalogue import open_reader
from midas.datasets.mixture import Augmentation, EpochPlan, Source, TrainingMixture
from midas.datasets.readers.synthetic import SyntheticDataset
from midas.datasets.shard_members import Packing
from midas.datasets.shards import pack
from midas.datasets.transforms import PhotometricJitter
from midas.models.zoo import find_model

TRAINING_SIZE = (256, 352)


def main() -> None:
    """Pack, read, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200, help="in the set (default: 200)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--s3", action="store_true", help="also from a local S3 server; needs moto and s3fs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as scratch:
        shards = Path(scratch, "shards")
        for name, packing in (("png, npy", Packing(100)), ("jpg, png16", Packing(100, "jpg", "png16"))):
            folder = shards / name.replace(", ", "-")
            index = pack(SyntheticDataset(count=options.samples), folder, packing)
            kilobytes = index.bytes / index.count / 1000
            report(f"folder, {name}", open_reader("shards", folder), options, kilobytes)
        if options.s3:
            from_store(folder, Path(scratch, "cache"), options, kilobytes)


def report(title: str, reader: Any, options: argparse.Namespace, kilobytes: float) -> None:
    """Samples per second of this process, one thread."""
    mixture = TrainingMixture(
        [Source(reader, 1.0)],
        Augmentation((TRAINING_SIZE,), 0.7, PhotometricJitter()),
        find_model("midas_nano_256").input,
        EpochPlan(options.samples, 16),
        seed=0,
        epoch=0,
    )
    seconds, core_seconds = [], []
    for _ in range(options.rounds):
        began, used = time.perf_counter(), time.process_time()
        for index in range(options.samples):
            mixture[index]
        seconds.append(time.perf_counter() - began)
        core_seconds.append(time.process_time() - used)
    rate, per_core = options.samples / median(seconds), options.samples / median(core_seconds)
    print(f"| {title} | {kilobytes:.0f} kB | {rate:.0f}/s | {1000 / per_core:.1f} ms | {per_core:.0f}/s |")


def from_store(folder: Path, cache: Path, options: argparse.Namespace, kilobytes: float) -> None:
    """The same from S3, by a request per sample and with whole shards kept."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.scale.s3_server import FaultyS3

    with FaultyS3() as server:
        keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "test")
        os.environ.update(keys | {"AWS_ENDPOINT_URL": server.address, "AWS_DEFAULT_REGION": "us-east-1"})
        import s3fs

        store = s3fs.S3FileSystem()
        store.mkdir("bucket")
        for path in folder.iterdir():
            store.put_file(str(path), f"bucket/set/{path.name}")
        for title, kept in (("S3, a request per sample", ""), ("S3, whole shards kept", str(cache))):
            reader = open_reader("shards", "", address="s3://bucket/set", cache=kept)
            report(f"{title} (the server shares this process)", reader, options, kilobytes)


if __name__ == "__main__":
    print("| shards | per sample | samples | core time each | per core |\n|---|---|---|---|---|")
    main()
