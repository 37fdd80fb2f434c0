"""A run on a miniature: it learns, logs, keeps its best, and resumes to the same weights."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.corpus_miniature import write_miniature

from midas.datasets.catalogue import find_reader
from midas.datasets.parts import scenes_of
from midas.errors import ConfigError, TrainingError
from midas.models import create_model
from midas.models.weights import read_safetensors
from midas.models.zoo import find_model
from midas.training.config import TrainingConfig, parse_config, read_config
from midas.training.optimizer import build_optimizer, build_schedule
from midas.training.sources import SYNTHETIC
from midas.training.start import start_network
from midas.training.trainer import Trainer, open_sets


def settings(root: Path, **run: Any) -> dict[str, Any]:
    return {
        "model": {"name": "midas_nano_256"},
        "data": {
            "root": str(root),
            "sets": [{"name": "miniature", "weight": 1.0, "validation_scenes": ["b"]}],
            "sizes": [[64, 96]],
        },
        "optimizer": {"decoder_rate": 1e-3, "encoder_rate": 1e-3},
        "run": {"epochs": 2, "pictures_per_epoch": 8, "batch_size": 4, "workers": 0, "precision": "float32"} | run,
    }


def config(tmp_path: Path, **run: Any) -> TrainingConfig:
    if not (tmp_path / "miniature").exists():
        write_miniature(tmp_path / "miniature")
    return parse_config(settings(tmp_path, **run))


def read_log(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "log.csv").read_text(encoding="utf-8"))))


def test_a_run_lowers_its_loss_and_logs_every_epoch(tmp_path: Path) -> None:
    Trainer(config(tmp_path, epochs=4, pictures_per_epoch=24, ema_decay=0.5), tmp_path / "run").run()
    rows = read_log(tmp_path / "run")
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[-1]["loss"]) < 0.8 * float(rows[0]["loss"])


def test_the_best_weights_are_those_of_the_smallest_validation_figure(tmp_path: Path) -> None:
    trainer = Trainer(config(tmp_path), tmp_path / "run")
    trainer.run()
    rows = read_log(tmp_path / "run")
    assert trainer.best == pytest.approx(min(float(row["figure"]) for row in rows), rel=1e-4)
    create_model("midas_nano_256", weights=tmp_path / "run" / "best.safetensors")


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = Trainer(config(tmp_path), tmp_path / "whole")
    whole.run()
    first = Trainer(config(tmp_path), tmp_path / "parts")
    first.config = replace(first.config, run=replace(first.config.run, epochs=1))
    first.run()
    second = Trainer(config(tmp_path), tmp_path / "parts")
    with pytest.raises(TrainingError, match="other settings"):
        second.resume()
    # The first part was cut short by hand above; a killed run has the whole run's settings in its checkpoint.
    state = torch.load(tmp_path / "parts" / "checkpoint.pt", weights_only=True)
    torch.save(state | {"config": repr(second.config)}, tmp_path / "parts" / "checkpoint.pt")
    second.resume()
    second.run()
    expected, actual = (read_safetensors(tmp_path / part / "last.safetensors") for part in ("whole", "parts"))
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def test_resuming_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to resume"):
        Trainer(config(tmp_path), tmp_path / "run").resume()


def test_a_set_for_evaluation_is_never_trained_on(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature", split="eval")
    with pytest.raises(TrainingError, match="for evaluation only"):
        open_sets(config(tmp_path).data)


def test_validation_scenes_are_not_trained_on(tmp_path: Path) -> None:
    sources, validation = open_sets(config(tmp_path).data)
    assert set(scenes_of(sources[0].dataset)) == {"a"}
    assert set(scenes_of(validation[0].benchmark.reader)) == {"b"}


def test_the_encoder_learns_at_its_own_rate_and_norms_do_not_decay(tmp_path: Path) -> None:
    network = create_model("midas_nano_256", weights=None)
    chosen = replace(config(tmp_path).optimizer, decoder_rate=1e-2, encoder_rate=1e-3)
    groups = build_optimizer(network, chosen).param_groups
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [
        (1e-3, 0.01), (1e-3, 0.0), (1e-2, 0.01), (1e-2, 0.0),
    ]  # fmt: skip
    assert (
        sum(parameter.numel() for group in groups for parameter in group["params"])
        == find_model("midas_nano_256").parameters
    )


def test_rates_rise_then_fall_to_zero(tmp_path: Path) -> None:
    chosen = replace(config(tmp_path).optimizer, warmup_share=0.1)
    optimizer = build_optimizer(create_model("midas_nano_256", weights=None), chosen)
    schedule = build_schedule(optimizer, chosen, 100)
    rates = []
    for _ in range(101):
        rates.append(optimizer.param_groups[2]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[9] == max(rates) == chosen.decoder_rate
    assert rates[100] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"run": {"epochs": 0, "pictures_per_epoch": 1, "batch_size": 1}}, "run.epochs"),
        ({"optimizer": {"decoder_rate": 1e-3, "encoder_rate": 1e-4, "momentum": 0.9}}, "optimizer.momentum"),
        ({"loss": {"trim": "much"}}, "loss.trim"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        parse_config(settings(tmp_path) | change)


def test_every_config_in_the_repository_can_be_read(repository: Path) -> None:
    paths = sorted((repository / "configs").glob("*.toml"))
    assert paths
    assert all(isinstance(read_config(path), TrainingConfig) for path in paths)


def test_every_set_of_a_config_in_the_repository_has_its_reader_and_options(repository: Path) -> None:
    for path in sorted((repository / "configs").glob("*.toml")):
        data = read_config(path).data
        for entry in (*data.sets, *data.validation):
            if entry.reader != SYNTHETIC:
                assert set(entry.options) <= set(find_reader(entry.reader).options), path.name


def test_a_missing_config_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml can't be read"):
        read_config(tmp_path / "none.toml")


def test_frozen_parts_stay_as_they_are_and_the_rest_learns(tmp_path: Path) -> None:
    chosen = config(tmp_path)
    chosen = replace(chosen, model=replace(chosen.model, frozen=("encoder.network.conv_stem", "encoder.network.bn1")))
    trainer = Trainer(chosen, tmp_path / "run")
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    trainer.run()
    after = trainer.network.state_dict()
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name.split(".")[2] for name in same} == {"conv_stem", "bn1"}


def test_the_output_can_be_lifted_at_the_start(tmp_path: Path) -> None:
    chosen = config(tmp_path).model
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    plain, lifted = (start_network(replace(chosen, output_shift=shift), 0).eval()(pixels) for shift in (0.0, 0.5))
    opened = plain > 0
    assert torch.allclose(lifted[opened], plain[opened] + 0.5)
    assert (lifted <= plain + 0.5 + 1e-6).all()


def test_freezing_what_is_not_there_names_what_is(tmp_path: Path) -> None:
    chosen = config(tmp_path)
    chosen = replace(chosen, model=replace(chosen.model, frozen=("encoder.stem",)))
    with pytest.raises(ConfigError, match=r"no part 'encoder\.stem'; it has encoder, "):
        Trainer(chosen, tmp_path / "run")


def test_sets_of_one_domain_become_one_source(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature")
    write_miniature(tmp_path / "other")
    values = settings(tmp_path)
    values["data"]["sets"] = [
        {"name": "miniature", "weight": 1.0, "domain": "rooms"},
        {"name": "alone", "weight": 2.0, "reader": "synthetic", "options": {"count": 4}},
        {"name": "other", "weight": 3.0, "late_weight": 5.0, "domain": "rooms"},
    ]
    sources, _ = open_sets(parse_config(values).data)
    assert [(source.dataset.name, source.weight, source.late().weight) for source in sources] == [
        ("rooms", 4.0, 6.0), ("synthetic", 2.0, 2.0),
    ]  # fmt: skip


def test_the_validation_figure_is_the_weighted_mean_of_its_sets(tmp_path: Path) -> None:
    values = settings(tmp_path, epochs=1)
    write_miniature(tmp_path / "miniature")
    values["data"]["sets"][0]["validation_weight"] = 3.0
    values["data"]["validation"] = [{"name": "drawn", "reader": "synthetic", "options": {"count": 2}}]
    Trainer(parse_config(values), tmp_path / "run").run()
    row = read_log(tmp_path / "run")[0]
    figures = [float(row[f"figure_{name}"]) for name in ("miniature", "synthetic")]
    assert float(row["figure"]) == pytest.approx((3 * figures[0] + figures[1]) / 4, rel=1e-3)


def wild(root: Path) -> None:
    facts = {"name": "wild", "domain": "in-the-wild", "depth_kind": "relative-disparity", "shift_known": False}
    write_miniature(root / "wild", **facts)


def test_sets_of_unknown_shift_are_validated_by_their_error_and_mixed_with_the_others(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature")
    wild(tmp_path)
    values = settings(tmp_path, epochs=1)
    values["data"]["sets"].append({"name": "wild", "validation_scenes": ["b"]})
    _, validation = open_sets(parse_config(values).data)
    assert [chosen.benchmark.protocol.name for chosen in validation] == ["indoor", "affine"]
    Trainer(parse_config(values), tmp_path / "run").run()
    row = read_log(tmp_path / "run")[0]
    figures = [float(row[f"figure_{name}"]) for name in ("miniature", "wild")]
    assert float(row["figure"]) == pytest.approx(sum(figures) / 2, rel=1e-3)


def test_no_sky_and_no_ratio_is_asked_of_a_set_of_unknown_shift(tmp_path: Path) -> None:
    wild(tmp_path)
    values = settings(tmp_path)
    values["data"]["sets"] = [{"name": "wild", "sky": True}]
    with pytest.raises(ConfigError, match=r"wild has sky = true, .* unknown shift"):
        open_sets(parse_config(values).data)
    values["data"] |= {"sets": [{"name": "wild"}], "validation": [{"name": "wild", "protocol": "relative"}]}
    with pytest.raises(ConfigError, match="measure it by the protocol affine"):
        open_sets(parse_config(values).data)


def test_two_validation_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature")
    values = settings(tmp_path)
    values["data"]["validation"] = [{"name": "miniature", "protocol": "indoor"}]
    with pytest.raises(ConfigError, match="two validation sets are called miniature"):
        open_sets(parse_config(values).data)


def test_a_start_that_is_not_measured_counts_for_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainer = Trainer(config(tmp_path, epochs=1, measure_start=False), tmp_path / "run")
    trainer.run()
    said = capsys.readouterr().err
    assert "start; validation" not in said
    assert "over the start" not in said
    assert "nothing was gained" not in said
    assert trainer.position.best_epoch == 1
