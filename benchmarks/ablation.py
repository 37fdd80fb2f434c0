"""Which data, which loss, which mixing: short runs of the embedded model that differ in one thing each.

    python benchmarks/ablation.py configs/midas_nano_256.toml -o FOLDER [--only WORD] [--pictures 10000]
    python benchmarks/ablation.py configs/midas_nano_256_wild.toml -o FOLDER --table wild

Every run starts from the config's weights and sees as many pictures as any other. Figures are those of validation,
percent, on the scenes that the config holds out of training, never on test sets. Runs that are there already are not
repeated.
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
from dataclasses import dataclass, replace
from pathlib import Path

from midas.training.config import SetSettings, read_config


@dataclass(frozen=True)
class Row:
    """One run: what it is called, what it changes, and which sets it learns from.

    Attributes:
        name: in the table.
        changes: settings in place of the config's.
        domains, sets: what it learns from; both empty for all.
        without: domains that it doesn't learn from.
        factors: by domain, what the weights of its sets are multiplied by.
        own_weights: every set keeps its own gradient weight; False gives all the loss's.
        all_views: learn from views that low-is-near explains as well.
    """

    name: str
    changes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    factors: tuple[tuple[str, float], ...] = ()
    own_weights: bool = True
    all_views: bool = False

    @property
    def whole(self) -> bool:
        """Whether it learns from all sets as the config has them."""
        return self.own_weights and not (self.domains or self.sets or self.without or self.factors or self.all_views)


REAL = ("indoor", "driving", "outdoor", "object")
# From ImageNet weights, for configs/midas_nano_256.toml.
FROM_IMAGENET = (
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
# Batches of a quarter of the long run's are noisier: at its rates, so few steps lead away from weights that are good.
_HALF_RATES = ("optimizer.decoder_rate=4e-4", "optimizer.encoder_rate=1.5e-4")
# From the weights of version 0.4, for configs/midas_nano_256_wild.toml.
# About the shares of the config, but for a tenth at a larger size.
_SMALL = "[192, 256], [192, 256], [192, 256], [192, 256], [256, 192], [224, 224], [224, 224]"
_TO_320 = f"[{_SMALL}, [256, 352], [256, 352], [320, 448]]"
_WILD_ROWS = (
    Row("reference: all data"),
    Row("reference, another seed", ("run.seed=32",)),
    Row("data: nothing rendered", ("data.overlay_share=0.0",), without=("rendered",)),
    Row("data: rendered at half its share", factors=(("rendered", 0.5),)),
    Row("data: rendered at twice its share", factors=(("rendered", 2.0),)),
    Row("data: no new real pictures", without=("wild",)),
    Row("data: new real pictures at three times their share", factors=(("wild", 3.0),)),
    Row("data: nothing drawn", without=("synthetic",)),
    Row("data: driving at three times its share", factors=(("driving", 3.0),)),
    Row("data: rendered fields as well", all_views=True),
    Row("nothing laid over", ("data.overlay_share=0.0",)),
    Row("no grafting, no CutMix", ("data.graft_share=0.0", "data.cut_mix_share=0.0")),
    Row("gradient weight 0.1 for all", own_weights=False),
    Row("strip pooling", ("model.strip_pooling=24",)),
    Row("a tenth at 320x448", (f"data.sizes={_TO_320}",)),
    Row("size of use, 256x352", ("data.sizes=[[256, 352], [256, 352], [352, 256]]", "data.min_crop_share=0.7")),
    Row("twice the learning rates", ("optimizer.decoder_rate=8e-4", "optimizer.encoder_rate=3e-4")),
    Row("stem not frozen", ("model.frozen=[]",)),
)
IN_THE_WILD = tuple(replace(row, changes=(*_HALF_RATES, *row.changes)) for row in _WILD_ROWS)
TABLES = {"imagenet": FROM_IMAGENET, "wild": IN_THE_WILD}
# One epoch, in batches that suit so few steps; one core each, or a share of the graphics card.
SHORT = (
    "run.epochs=1",
    "run.batch_size=16",
    "run.ema_decay=0.99",
    "run.workers=0",
    "run.threads=1",
    "run.checkpoint_steps=0",
    "run.measure_start=false",
)


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time, one core each")
    parser.add_argument("--pictures", type=int, default=10_000, help="length of each run")
    parser.add_argument("--table", choices=list(TABLES), default="imagenet", help="which rows")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    options = parser.parse_args()
    rows = [row for row in TABLES[options.table] if options.only in row.name]
    for row in rows:  # a setting that can't be is to be seen now, not in an hour
        read_config(options.config, settings_of(row, options.config, options.pictures))
    with ThreadPoolExecutor(options.jobs) as pool:
        logs = list(pool.map(lambda row: train(row, options.config, options.output, options.pictures), rows))
    print_table(rows, logs)


def train(row: Row, config: Path, output: Path, pictures: int) -> dict[str, str]:
    """One run's only epoch, as its log has it."""
    folder = output / "".join(letter if letter.isalnum() else "_" for letter in row.name)
    log = folder / "log.csv"
    if not log.exists():
        arguments = [part for change in settings_of(row, config, pictures) for part in ("--set", change)]
        subprocess.run(
            [sys.executable, "-m", "midas", "train", str(config), "-o", str(folder), *arguments],
            check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        print(f"done: {row.name}", file=sys.stderr, flush=True)
    with log.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))[-1]


def settings_of(row: Row, config: Path, pictures: int) -> list[str]:
    """What a row's run has in place of the config's settings."""
    return [*SHORT, f"run.pictures_per_epoch={pictures}", *row.changes, *chosen_sets(row, config)]


def chosen_sets(row: Row, config: Path) -> list[str]:
    """The change that leaves a row's sets; validation scenes of the sets left out are validated on all the same."""
    if row.whole:
        return []
    # A set that isn't learnt from stays in the mixture for its validation scenes, with a weight that is never drawn.
    entries = []
    for entry in read_config(config).data.sets:
        learnt = learns_from(row, entry)
        if not learnt and not entry.validation_scenes:
            continue
        values: dict[str, object] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(entry).items()
            if value is not None and not name.startswith("__")
        }
        values["weight"] = entry.weight * dict(row.factors).get(entry.domain, 1.0) if learnt else 1e-12
        if not row.own_weights:
            values.pop("gradient_weight", None)
        if row.all_views:
            values.pop("least_unexplained", None)
        entries.append(inline_table(values))
    return [f"data.sets=[{', '.join(entries)}]"]


def learns_from(row: Row, entry: SetSettings) -> bool:
    """Whether a row's run draws samples of a set."""
    if entry.domain in row.without:
        return False
    return not (row.domains or row.sets) or entry.domain in row.domains or entry.name in row.sets


def inline_table(values: dict[str, object]) -> str:
    """TOML's short form of a table; JSON's other values are TOML's as well."""
    return "{" + ", ".join(f"{key} = {inline(value)}" for key, value in values.items()) + "}"


def inline(value: object) -> str:
    """TOML's short form of a value."""
    return inline_table(value) if isinstance(value, dict) else json.dumps(value, default=Path.as_posix)


def print_table(rows: Sequence[Row], logs: Sequence[dict[str, str]]) -> None:
    """Markdown: a row per run, a column per validation set."""
    columns = [name for name in logs[0] if name.startswith("figure")]
    print("| run | " + " | ".join(column.removeprefix("figure_") for column in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row, log in zip(rows, logs, strict=True):
        print(f"| {row.name} | " + " | ".join(f"{float(log[column]):.1f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
