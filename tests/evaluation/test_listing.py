"""The table of benchmarks: every set, and the rules that it is measured by, if it has any of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.datasets.training_miniatures import write_blendedmvs

from midas.datasets.catalogue import READERS
from midas.errors import ConfigError
from midas.evaluation.listing import benchmarks_markdown
from midas.evaluation.runs import open_benchmark


def test_every_set_is_listed_with_its_rules_or_as_one_to_train_on() -> None:
    rows = benchmarks_markdown().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(READERS)
    by_name = dict(zip(READERS, rows, strict=True))
    assert by_name["tum_dynamic"].endswith("| tum |")
    assert by_name["redweb"].endswith("| to train on: name one with `--protocol` |")


def test_a_set_to_train_on_is_measured_by_rules_that_are_named(tmp_path: Path) -> None:
    root = write_blendedmvs(tmp_path / "set").root
    assert open_benchmark("blendedmvs", root, protocol="relative").protocol.name == "relative"
    with pytest.raises(ConfigError, match=r"blendedmvs is a set to train on, .* name some with --protocol"):
        open_benchmark("blendedmvs", root)
