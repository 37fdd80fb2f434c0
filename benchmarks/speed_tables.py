"""Measures every table of docs/speed.md and puts it there, between its markers.

    python benchmarks/speed_tables.py [--only NAME ...] [--quick] [--list]

Run it on a quiet machine; it takes about an hour on two cores. What stands between `<!-- measured: NAME -->` and
`<!-- end: NAME -->` is replaced by the command, the date, the load of the machine before it, and what the command
printed. --quick makes short runs, to see that everything works: their figures say little, and the document says so.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENT = REPOSITORY / "docs" / "speed.md"
MARKDOWN = "RESULT.md"


@dataclass(frozen=True)
class Table:
    """One part of the document.

    Attributes:
        name: of its markers.
        command: what is run in the repository's folder, as the document shows it.
        quick: what is added for a short run.
    """

    name: str
    command: str
    quick: str = ""


BENCH_QUICK = "--runs 5 --seconds 3 --warmup 1"

TABLES = (
    Table("embedded", "midas bench --backend all --precision auto,float32,bfloat16,float16", BENCH_QUICK),
    Table("batch", "midas bench --backend onnxruntime,openvino,torch --batch 1,4 --no-reference", BENCH_QUICK),
    Table(
        "convolutional",
        "midas bench --model midas_v21_small_256 --backend onnxruntime,openvino,torch --precision float32,bfloat16 "
        "--random-weights",
        BENCH_QUICK,
    ),
    Table(
        "transformers",
        "midas bench --model depth_anything_v2_vits,dpt_large_384 --backend onnxruntime,openvino,torch "
        "--precision float32,bfloat16 "
        "--random-weights --seconds 20",
        "--runs 3 --seconds 3 --warmup 1",
    ),
    Table("peers", "python benchmarks/peers/run.py", "--rounds 3 --runs 3 --seconds 3"),
    Table(
        "profile",
        "python benchmarks/profile_steps.py midas_nano_256 midas_v21_small_256 dpt_large_384 --random-weights",
        "--runs 3",
    ),
    Table("cold", "python benchmarks/cold_start.py", "--runs 3"),
    Table("folder", "python benchmarks/folder_throughput.py --count 40 --both", "--count 8"),
    Table("reduced", "python benchmarks/reduced_decoding.py", "--count 4 --runs 2"),
)


def main() -> None:
    """Run what is asked for and rewrite the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [table.name for table in TABLES]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="short runs")
    parser.add_argument("--list", action="store_true", help="print the commands and stop")
    options = parser.parse_args()
    for table in TABLES:
        if options.only and table.name not in options.only:
            continue
        if options.list:
            print(f"{table.name}: {table.command}")
            continue
        print(f"{table.name}: {table.command}", file=sys.stderr, flush=True)
        text = measured(table, quick=options.quick)
        DOCUMENT.write_text(with_part(DOCUMENT.read_text(encoding="utf-8"), table.name, text), encoding="utf-8")


def measured(table: Table, *, quick: bool) -> str:
    """The part of the document: command, circumstances, tables."""
    command = f"{table.command} {table.quick}" if quick else table.command
    load = os.getloadavg()[0]
    today = datetime.now(timezone.utc).date().isoformat()
    start = time.perf_counter()
    printed = output_of(command)
    seconds = time.perf_counter() - start
    caution = " **A short run, to see that it works: its figures say little.**" if quick else ""
    about = f"{today}, {seconds:.0f} s, load average before the run {load:.1f}.{caution}"
    return f"```sh\n{command}\n```\n\n{about}\n\n{printed.strip()}"


def output_of(command: str) -> str:
    """The Markdown that a command makes: on standard output, or in a file for `midas bench`."""
    words = shlex.split(command)
    path = os.pathsep.join(filter(None, [str(REPOSITORY / "src"), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as folder:
        result = Path(folder, MARKDOWN)
        if words[0] == "midas":
            words = [sys.executable, "-m", *words, "--markdown", str(result)]
        else:
            words = [sys.executable, *words[1:]]
        finished = subprocess.run(
            words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}, check=False
        )
        # `midas bench` ends with status 1 where some cases have no figures, and its report says why.
        if finished.returncode and not result.exists():
            raise SystemExit(f"{command} ended with status {finished.returncode}: {finished.stdout}")
        return result.read_text(encoding="utf-8") if result.exists() else finished.stdout


def with_part(document: str, name: str, text: str) -> str:
    """The document with another text between a pair of markers."""
    begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(document)) != 1:
        raise SystemExit(f"{DOCUMENT} has to have {begin} and {end} once, in this order")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", document)


if __name__ == "__main__":
    main()
