"""Settings and sets that can't be trained with are refused before the first step, by the setting's name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.readers.corpus import CorpusDataset
from midas.errors import ConfigError, DatasetError, MidasError
from midas.training.config import DataSettings, parse_config
from midas.training.sources import open_sets


def settings(root: Path, sets: list[dict[str, Any]], validation: list[dict[str, Any]] = []) -> DataSettings:  # noqa: B006
    data = {"root": str(root), "sizes": [[64, 96]], "sets": sets, "validation": validation}
    return parse_config(whole(data=data)).data


def whole(**changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": {"name": "midas_nano_256"},
        "data": {"sets": [{"name": "miniature"}], "sizes": [[64, 96]]},
        "optimizer": {"decoder_rate": 1e-3, "encoder_rate": 1e-3},
        "run": {"epochs": 1, "pictures_per_epoch": 4, "batch_size": 4},
    } | changes


def test_an_epoch_shorter_than_a_batch_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"run\.pictures_per_epoch is 3, and run\.batch_size 4"):
        parse_config(whole(run={"epochs": 1, "pictures_per_epoch": 3, "batch_size": 4}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", ["optimizer.decoder_rate", "data.sets.0.weight", "loss.gradient_weight"])
def test_a_setting_is_a_finite_number(place: str, value: float) -> None:
    given = whole(loss={})
    *path, last = place.split(".")
    inner: Any = given
    for part in path:
        inner = inner[int(part)] if isinstance(inner, list) else inner[part]
    inner[last] = value
    with pytest.raises(ConfigError, match=place.replace(".", r"\.")):
        parse_config(given)


@pytest.mark.parametrize("scale", [0, -0.001, float("nan"), float("inf"), 10**400, "a lot", None, [1]])
def test_a_scale_that_is_no_number_above_zero_is_refused_by_name(scale: object, tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set", depth_scale=scale if scale != 10**400 else 0)
    if scale is None:
        assert CorpusDataset(root).info.depth_scale > 0  # of values that have no unit to begin with
        return
    with pytest.raises(DatasetError, match=r"dataset\.json"):
        CorpusDataset(root)


def test_a_set_lies_in_a_root_of_its_own(tmp_path: Path) -> None:
    write_miniature(tmp_path / "a" / "rooms")
    write_miniature(tmp_path / "b" / "rooms")
    sets = [{"name": "rooms"}, {"name": "rooms", "root": str(tmp_path / "b")}]
    validation = [{"name": "rooms", "root": str(tmp_path / "b"), "protocol": "indoor"}]
    sources, measured = open_sets(settings(tmp_path / "a", sets, validation))
    roots = [source.dataset.root for source in sources]
    assert roots == [tmp_path / "a" / "rooms", tmp_path / "b" / "rooms"]
    assert measured[0].benchmark.reader.root == tmp_path / "b" / "rooms"
    shutil.rmtree(tmp_path / "b")
    with pytest.raises(DatasetError, match=r"b.rooms"):
        open_sets(settings(tmp_path / "a", sets))


ODD_FACTS: list[dict[str, Any]] = [
    {"name": "two\nlines"},
    {"name": 7},
    {"split": ""},
    {"domain": None},
    {"intrinsics": {"f": "long", "baseline_m": 0.1}},
    {"intrinsics": {"f": 0, "baseline_m": 0.1}},
]


@pytest.mark.parametrize("facts", ODD_FACTS)
def test_facts_that_are_no_texts_of_one_line_are_refused(facts: dict[str, Any], tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set", **{"depth_kind": "disparity", **facts})
    with pytest.raises(DatasetError, match=r"dataset\.json"):
        CorpusDataset(root)


def test_a_list_nested_without_end_is_refused(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set")
    (root / "dataset.json").write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"dataset\.json"):
        CorpusDataset(root)


def test_validation_scenes_that_arent_there_or_are_empty_are_refused_by_the_setting(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature")
    (tmp_path / "miniature" / "empty").mkdir()
    for scenes, reason in (
        (["typo"], "no scene 'typo'"),
        (["empty"], "no scene 'empty' with a frame in it"),
        (["a", "b"], "outside of a, b"),
    ):
        with pytest.raises(DatasetError, match=f"data.sets, miniature, validation_scenes: .*{reason}"):
            open_sets(settings(tmp_path, [{"name": "miniature", "validation_scenes": scenes}]))


def test_a_validation_set_without_pictures_is_refused_by_name(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature")
    shutil.copytree(tmp_path / "miniature", tmp_path / "bare")
    for scene in ("a", "b"):
        shutil.rmtree(tmp_path / "bare" / scene)
    with pytest.raises(MidasError, match="bare"):
        open_sets(settings(tmp_path, [{"name": "miniature"}], [{"name": "bare"}]))
    drawn = {"name": "drawn", "reader": "synthetic", "options": {"count": 0}}
    with pytest.raises(MidasError, match="drawn"):
        open_sets(settings(tmp_path, [{"name": "miniature"}], [drawn]))


def test_an_option_that_a_reader_hasnt_is_refused_by_name(tmp_path: Path) -> None:
    drawn = {"name": "drawn", "reader": "synthetic", "options": {"count": 1, "typo": 0}}
    with pytest.raises(ConfigError, match=r"options of the reader synthetic don't fit it: .*typo"):
        open_sets(settings(tmp_path, [drawn]))


def test_rules_of_validation_that_do_not_fit_are_refused_by_the_setting(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature", depth_kind="relative-disparity", shift_known=False)
    held_out = {"name": "miniature", "validation_scenes": ["a"]}
    for sets, validation, message in (
        ([held_out | {"validation_protocol": "afine"}], [], "data.sets, miniature, validation_protocol: .*'affine'"),
        ([held_out | {"validation_protocol": "indoor"}], [], "data.sets, miniature, validation_protocol: .*affine"),
        ([{"name": "miniature", "validation_protocol": "affine"}], [], "says nothing without validation_scenes"),
        ([{"name": "miniature"}], [{"name": "miniature", "protocol": "indor"}], "miniature, protocol: .*'indoor'"),
    ):
        with pytest.raises(ConfigError, match=message):
            open_sets(settings(tmp_path, sets, validation))


def test_where_things_cannot_be_cut_from_is_said_before_the_first_step(tmp_path: Path) -> None:
    write_miniature(tmp_path / "dense")
    write_miniature(tmp_path / "points", sparse=True)
    sets = [{"name": "dense", "domain": "exact"}, {"name": "points", "domain": "driving"}]

    def opened(wanted: str) -> object:
        return open_sets(replace(settings(tmp_path, sets), overlay_share=0.3, overlay_from=wanted))

    opened("exact")
    with pytest.raises(ConfigError, match=r"data\.overlay_from is 'rendered'.*are exact, driving"):
        opened("rendered")
    with pytest.raises(ConfigError, match=r"data\.overlay_from: miniature has depth at scattered points"):
        opened("driving")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"validation_scenes": "a"}, "validation_scenes"),
        ({"least_unexplained": 1.0}, "least_unexplained"),
        ({"gradient_weight": -1}, "gradient_weight"),
    ],
)
def test_a_setting_of_a_set_that_cannot_be_is_named(change: dict[str, Any], place: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"data\.sets\.0\.{place}"):
        settings(tmp_path, [{"name": "miniature"} | change])


@pytest.mark.parametrize(
    ("table", "typo", "meant"),
    [
        ("model", {"strip_poolin": 8}, "model.strip_poolin: .*did you mean 'strip_pooling'"),
        ("data", {"overlay_shares": 0.3}, "data.overlay_shares: .*did you mean 'overlay_share'"),
        ("run", {"measure_strat": False}, "run.measure_strat: .*did you mean 'measure_start'"),
        ("loss", {"colour": "red"}, "loss.colour: there is no such setting$"),
    ],
)
def test_a_misspelt_setting_is_answered_with_the_right_one(table: str, typo: dict[str, Any], meant: str) -> None:
    given = whole(loss={})
    with pytest.raises(ConfigError, match=meant):
        parse_config(given | {table: given[table] | typo})


def test_a_run_says_how_many_pictures_a_share_leaves(tmp_path: Path) -> None:
    ground = np.linspace(1500, 6000, 72).astype(np.uint16)[:, None].repeat(96, 1)
    for path in (write_miniature(tmp_path / "miniature", depth_kind="disparity") / "a").glob("*.png"):
        cv2.imwrite(str(path), ground)
    sets = [{"name": "miniature", "domain": "rooms", "least_unexplained": 0.1}, {"name": "miniature"}]
    sources, _ = open_sets(settings(tmp_path, sets))
    said = "miniature: 3 of 6 pictures are learnt from, by least_unexplained 0.1"
    assert [source.notes for source in sources] == [(said,), ()]


def test_a_share_that_no_picture_has_is_named_with_its_set(tmp_path: Path) -> None:
    write_miniature(tmp_path / "miniature")
    with pytest.raises(DatasetError, match=r"miniature has no picture with least_unexplained 0\.99"):
        open_sets(settings(tmp_path, [{"name": "miniature", "least_unexplained": 0.99}]))
