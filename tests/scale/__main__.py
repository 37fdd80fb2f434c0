"""``python -m tests.scale``: the faults of ``tests/scale/faults.py``, as many and as often as is asked for."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.scale.faults import Options, disturbed_run


def main() -> None:
    """Run it once, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--cpus-per-node", type=int, default=1)
    parser.add_argument("--kill-every", type=float, default=3.0, help="seconds between two killed workers")
    parser.add_argument("--remove-after", type=float, default=20.0, help="seconds until a node is removed")
    parser.add_argument("--driver-killed-after", type=float, default=30.0, help="seconds")
    parser.add_argument("--shard-size", type=int, default=None)
    given = parser.parse_args()
    options = Options(
        pictures=given.pictures,
        nodes=given.nodes,
        cpus_per_node=given.cpus_per_node,
        kill_every_s=given.kill_every,
        remove_after_s=given.remove_after,
        driver_killed_after_s=given.driver_killed_after,
        arguments=[] if given.shard_size is None else ["--shard-size", str(given.shard_size)],
    )
    with tempfile.TemporaryDirectory(prefix="midas-faults-") as folder:
        outcome = disturbed_run(Path(folder), options)
    print(f"{options.pictures} pictures, {options.nodes} nodes, {outcome.seconds:.0f} s on the cluster")
    print(f"workers killed: {outcome.killed_workers}; nodes removed: {outcome.removed_nodes}; driver killed: once")
    print(f"shards finished before the second start: {outcome.finished_before_second_start}; redone: {outcome.redone}")
    print(f"missing: {outcome.missing}; different: {outcome.different}")
    for summary in outcome.summaries:
        print(f"one of two drivers: {summary['worked']} pictures in {summary['seconds']} s")
    if outcome.noise:
        print("on standard output beside the summaries:", *outcome.noise, sep="\n  ")
    raise SystemExit(0 if outcome.is_good else 1)


if __name__ == "__main__":
    main()
