"""The rows of ``benchmarks/ablation.py`` change what they are called after, and every one of them can be run."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from tests.programs import load_benchmark

from midas.training.config import TrainingConfig, read_config

ROOT = Path(__file__).parents[2]
CONFIGS = {"imagenet": "midas_nano_256.toml", "wild": "midas_nano_256_wild.toml"}


@pytest.fixture(scope="module")
def ablation() -> ModuleType:
    return load_benchmark("ablation")


def changed(ablation: ModuleType, table: str, name: str) -> TrainingConfig:
    config = ROOT / "configs" / CONFIGS[table]
    row = next(row for row in ablation.TABLES[table] if row.name == name)
    return read_config(config, ablation.settings_of(row, config, 64))


@pytest.mark.parametrize("table", CONFIGS)
def test_each_row_is_a_config_that_can_be_read(ablation: ModuleType, table: str) -> None:
    found = [changed(ablation, table, row.name) for row in ablation.TABLES[table]]
    assert len(found) > 10
    assert {each.run.pictures_per_epoch for each in found} == {64}


def share_of(config: TrainingConfig, domain: str) -> float:
    of_domain = sum(each.weight for each in config.data.sets if each.domain == domain)
    return of_domain / sum(each.weight for each in config.data.sets)


def test_rows_change_the_share_that_they_name_and_validate_on_the_same_scenes(ablation: ModuleType) -> None:
    usual = changed(ablation, "wild", "reference: all data")
    half = changed(ablation, "wild", "data: rendered at half its share")
    none = changed(ablation, "wild", "data: nothing rendered")
    weight = {each.name: each.weight for each in usual.data.sets if each.domain == "rendered"}
    assert {each.name: 2 * each.weight for each in half.data.sets if each.domain == "rendered"} == weight
    assert share_of(usual, "rendered") > 0.3
    assert share_of(none, "rendered") < 1e-9
    held_out = [{each.name for each in config.data.sets if each.validation_scenes} for config in (usual, half, none)]
    assert held_out[0] == held_out[1] == held_out[2]


def test_all_views_are_those_that_low_is_near_explains_too(ablation: ModuleType) -> None:
    usual = changed(ablation, "wild", "reference: all data")
    every = changed(ablation, "wild", "data: rendered fields as well")
    assert any(each.least_unexplained for each in usual.data.sets)
    assert not any(each.least_unexplained for each in every.data.sets)
    assert len(every.data.sets) == len(usual.data.sets)


def test_a_row_s_own_rates_stand_in_place_of_the_table_s(ablation: ModuleType) -> None:
    usual, twice = (changed(ablation, "wild", name) for name in ("reference: all data", "twice the learning rates"))
    assert twice.optimizer.decoder_rate == 2 * usual.optimizer.decoder_rate
