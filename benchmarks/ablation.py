"""Which data, which loss, which mixing: short runs of the embedded model that differ in one thing each.

    python benchmarks/ablation.py configs/midas_nano_256.toml -o FOLDER [--only WORD] [--pictures 10000]

Every run starts from ImageNet weights and sees as many pictures as any other. Figures are delta1 outliers, percent, on
the scenes that the config holds out of training, never on test sets. Runs that are there already are not repeated.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from midas.training.config import read_config


@dataclass(frozen=True)
class Row:
    """One run: what it is called, what it changes, and the domains it learns from; none for all."""

    name: str
    changes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()


REAL = ("indoor", "driving", "outdoor", "object")
ROWS = (
    Row("reference: all data, ssi_mse, weighted"),
    Row("data: NYU alone", sets=("nyuv2-train",)),
    Row("data: rooms", domains=("indoor",)),
    Row("data: real domains, nothing drawn", domains=REAL),
    Row("data: drawn scenes alone", domains=("synthetic",)),
    Row("loss: ssi_trimmed_mae", ("loss.data='ssi_trimmed_mae'", "loss.gradient_weight=0.5")),
    Row("loss: ssi_mae", ("loss.data='ssi_mae'", "loss.gradient_weight=0.5")),
    Row("loss: ssi_relative_mae", ("loss.data='ssi_relative_mae'", "loss.trim=0.1", "loss.gradient_weight=0.5")),
    Row("loss: gradient weight 0", ("loss.gradient_weight=0.0",)),
    Row("loss: gradient weight 0.5", ("loss.gradient_weight=0.5",)),
    Row("mixing: naive over domains", ("data.mixing='naive'",)),
    Row("mixing: Pareto over domains", ("data.mixing='naive'", "pareto.method='frank_wolfe'")),
    Row("encoder at a quarter of its rate", ("optimizer.encoder_rate=2e-4",)),
    Row("no rotation", ("data.rotation_deg=0.0",)),
)
# One epoch, in batches that suit so few steps; one core each, or a share of the graphics card.
SHORT = (
    "run.epochs=1",
    "run.batch_size=16",
    "run.ema_decay=0.99",
    "run.workers=0",
    "run.threads=1",
    "run.checkpoint_steps=0",
)


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time, one core each")
    parser.add_argument("--pictures", type=int, default=10_000, help="length of each run")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    options = parser.parse_args()
    rows = [row for row in ROWS if options.only in row.name]
    with ThreadPoolExecutor(options.jobs) as pool:
        logs = list(pool.map(lambda row: train(row, options.config, options.output, options.pictures), rows))
    print_table(rows, logs)


def train(row: Row, config: Path, output: Path, pictures: int) -> dict[str, str]:
    """One run's only epoch, as its log has it."""
    folder = output / "".join(letter if letter.isalnum() else "_" for letter in row.name)
    log = folder / "log.csv"
    if not log.exists():
        changes = [*SHORT, f"run.pictures_per_epoch={pictures}", *row.changes, *chosen_sets(row, config)]
        arguments = [part for change in changes for part in ("--set", change)]
        subprocess.run(
            [sys.executable, "-m", "midas", "train", str(config), "-o", str(folder), *arguments],
            check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        print(f"done: {row.name}", file=sys.stderr, flush=True)
    with log.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))[-1]


def chosen_sets(row: Row, config: Path) -> list[str]:
    """The change that leaves a row's sets; validation scenes of the sets left out are validated on all the same."""
    if not row.domains and not row.sets:
        return []
    # A set that isn't learnt from stays in the mixture for its validation scenes, with a weight that is never drawn.
    entries = []
    for entry in read_config(config).data.sets:
        learnt = entry.domain in row.domains or entry.name in row.sets
        if not learnt and not entry.validation_scenes:
            continue
        values = {
            "name": entry.name, "reader": entry.reader, "options": entry.options, "sky": entry.sky,
            "weight": entry.weight if learnt else 1e-12, "validation_scenes": list(entry.validation_scenes),
            "validation_weight": entry.validation_weight,
        }  # fmt: skip
        entries.append(inline_table(values))
    return [f"data.sets=[{', '.join(entries)}]"]


def inline_table(values: dict[str, object]) -> str:
    """TOML's short form of a table; JSON's other values are TOML's as well."""
    return "{" + ", ".join(f"{key} = {inline(value)}" for key, value in values.items()) + "}"


def inline(value: object) -> str:
    """TOML's short form of a value."""
    return inline_table(value) if isinstance(value, dict) else json.dumps(value)


def print_table(rows: Sequence[Row], logs: Sequence[dict[str, str]]) -> None:
    """Markdown: a row per run, a column per validation set."""
    columns = [name for name in logs[0] if name.startswith("figure")]
    print("| run | " + " | ".join(column.removeprefix("figure_") for column in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row, log in zip(rows, logs, strict=True):
        print(f"| {row.name} | " + " | ".join(f"{float(log[column]):.1f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
