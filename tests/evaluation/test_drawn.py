"""Drawn scenes as a benchmark: outlines and what flies beside them, by one command and without a folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature
from tests.tiny_model import write_tiny_model
from typer.testing import CliRunner, Result

from midas.alignment import align_least_squares
from midas.cli import app
from midas.datasets.sample import Sample
from midas.errors import ConfigError, DatasetError
from midas.evaluation.candidates import FunctionCandidate
from midas.evaluation.drawn import open_drawn
from midas.evaluation.evaluator import check_metrics, evaluate
from midas.evaluation.protocols import PROTOCOLS
from midas.evaluation.runs import open_benchmark, run
from midas.evaluation.scoring import usable
from midas.metrics import boundary_scores, flying_pixels

SMALL = {"count": "3", "size": "96x128", "worlds": "rooms,streets"}
EDGES = ("boundary_f1", "boundary_precision", "boundary_recall", "flying_pixels")


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", "--benchmark", "synthetic", *map(str, arguments)])


def soft(sample: Sample) -> np.ndarray:
    """Inverse depth with soft edges, of some scale and shift."""
    shifted = [np.roll(sample.disparity, step, axis=1) for step in range(-3, 4)]
    return (2 * np.mean(shifted, axis=0) + 0.3).astype(np.float32)


def test_exact_depth_has_all_outlines_and_nothing_flies() -> None:
    benchmark = open_benchmark("synthetic", None, options=SMALL)
    assert benchmark.protocol.name == "synthetic"
    result = run(FunctionCandidate(lambda sample: 3 * sample.disparity + 1), benchmark, metrics=EDGES)
    assert [round(result.mean(name), 3) for name in EDGES] == [100, 100, 100, 0]


def test_outlines_are_measured_in_aligned_inverse_depth_cut_at_the_cap() -> None:
    drawn = open_drawn(SMALL)
    result = evaluate(soft, [drawn[0]], PROTOCOLS["synthetic"], metrics=EDGES)
    sample = drawn[0]
    mask = usable(sample, PROTOCOLS["synthetic"])
    aligned = align_least_squares(soft(sample), sample.disparity, mask).apply(soft(sample))
    maps = [np.maximum(values, np.float32(1 / 80)) for values in (aligned, sample.disparity)]
    found = boundary_scores(*maps)
    expected = [100 * found.f1, 100 * found.precision, 100 * found.recall, flying_pixels(*maps)]
    assert list(result.scores[0].figures) == pytest.approx(expected, rel=1e-4)
    assert expected[3] > 0


def test_a_picture_without_an_edge_has_no_such_figure_and_is_left_out() -> None:
    drawn = open_drawn(SMALL)
    flat = replace(drawn[0], disparity=np.full_like(drawn[0].disparity, 0.5))
    assert len(evaluate(soft, [flat, drawn[1]], PROTOCOLS["synthetic"], metrics=EDGES).scores) == 1
    with pytest.raises(DatasetError, match="nothing to evaluate"):
        evaluate(soft, [flat], PROTOCOLS["synthetic"], metrics=EDGES)


def test_one_command_measures_them(tmp_path: Path) -> None:
    options = [part for name, value in SMALL.items() for part in ("--option", f"{name}={value}")]
    result = command(*options, "--model", write_tiny_model(tmp_path / "tiny.onnx"), "--json")
    (row,) = json.loads(result.stdout)
    assert (row["set"], row["protocol"]["name"]) == ("synthetic", "synthetic")
    assert list(row["figures"]) == ["boundary_f1", "flying_pixels", "delta1_outliers", "abs_rel"]


def test_they_stand_beside_sets_in_folders(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "rooms", name="rooms")
    asked = ("--benchmark", "corpus", "--root", root, "--baseline", "plane", "--limit", 1, "--json")
    rows = json.loads(command(*asked).stdout)
    assert [row["set"] for row in rows] == ["synthetic", "rooms"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "red"}, "no option 'colour'; there are: count, size, seed, worlds"),
        ({"size": "large"}, "expected whole numbers, and a size such as 1024x1365"),
        ({"count": "many"}, "expected whole numbers"),
        ({"worlds": "moons"}, "worlds .*moons.*: expected some of"),
    ],
)
def test_a_wrong_option_is_answered(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_drawn(options)


def test_edges_are_asked_for_by_name_and_only_where_inverse_depth_is_aligned() -> None:
    assert check_metrics(PROTOCOLS["indoor"], EDGES) == EDGES
    with pytest.raises(ConfigError, match="no metric for nyu_marigold is called 'flying_pixels'"):
        check_metrics(PROTOCOLS["nyu_marigold"], EDGES[3:])


def test_a_set_in_a_folder_needs_its_folder() -> None:
    with pytest.raises(ConfigError, match="nyu is a set in a folder; name the folder"):
        open_benchmark("nyu", None)
