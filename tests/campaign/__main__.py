"""The campaign: damaged files, killed commands, full disks, odd names. ``make campaign``, or

python -m tests.campaign [--pictures N] [--seed S] [--only PART,...] [--markdown FILE]

By its number of pictures it takes minutes or an hour. It prints a table; the last six columns are to be nought. Status
1 says that one isn't, and every fault stands below the table with what it takes to see it again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.campaign import disks, files, oddities, stops
from tests.campaign.commands import COMMANDS
from tests.campaign.findings import Part, table

# Share of the number of pictures that other kinds of files, and stops of each kind, are tried for.
_MAPS, _MODELS, _CHECKPOINTS, _SETS, _STOPS = 5, 10, 20, 10, 2000


def parts(pictures: int, seed: int) -> dict[str, Callable[[], Part]]:
    """The parts by name, in the order in which they run."""
    return {
        "pictures": lambda: files.damaged_files("pictures", pictures, seed),
        "maps": lambda: files.damaged_files("maps", pictures // _MAPS, seed),
        "models": lambda: files.damaged_files("models", pictures // _MODELS, seed),
        "checkpoints": lambda: files.damaged_files("checkpoints", pictures // _CHECKPOINTS, seed),
        "sets": lambda: files.damaged_files("sets", pictures // _SETS, seed),
        "names": lambda: oddities.odd_names(),
        "shapes": lambda: oddities.odd_shapes(),
        "settings": lambda: oddities.absurd_settings(),
        "disks": lambda: disks.full_disks(),
        **{
            f"stop {command.name}": partial(stops.stopped_command, command, max(1, pictures // _STOPS), seed)
            for command in COMMANDS
        },
    }


def main() -> int:
    """Run what is asked for; the number of faults, at most 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    known = parts(options.pictures, options.seed)
    wanted = options.only.split(",") if options.only else list(known)
    found: list[Part] = []
    for name in wanted:
        start = time.monotonic()
        found.append(known[name]())
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        if options.markdown is not None:
            options.markdown.write_text(f"{table(found)}\n", encoding="utf-8")
    print(table(found))
    for part in found:
        for kind, faults in part.faults.items():
            print(f"\n{part.name}, {kind}:", *faults, sep="\n  ")
    return int(any(part.faults for part in found))


if __name__ == "__main__":
    sys.exit(main())
