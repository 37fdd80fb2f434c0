"""The rules of the table of small networks: written out step by step they give the same figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature
from tests.tiny_model import write_tiny_model
from typer.testing import CliRunner

from midas.cli import app
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import Sample
from midas.errors import ConfigError, UnsuitableProtocolError
from midas.evaluation.crops import find_crop
from midas.evaluation.evaluator import evaluate
from midas.evaluation.protocols import FAMILIES, PROTOCOLS, Protocol, find_protocol
from midas.evaluation.runs import open_benchmark

FAMILY = tuple(dict.fromkeys(FAMILIES["marigold_inverse"].values()))


def cut_off(sample: Sample) -> np.ndarray:
    """A prediction with errors, whose far end a ReLU has cut off."""
    noise = np.random.default_rng(len(sample.name)).normal(0, 0.03, sample.disparity.shape)
    return np.maximum(2 * sample.disparity + noise - 0.4, 0).astype(np.float32)


def written_out(sample: Sample, protocol: Protocol) -> tuple[float, float]:
    """AbsRel and share within 1.25, in double precision, in the order of the authors' program."""
    assert protocol.cap_m is not None
    depth = np.divide(1, sample.disparity, out=np.zeros(sample.mask.shape), where=sample.mask, dtype=np.float64)
    valid = (depth > protocol.minimum_m) & (depth < protocol.cap_m) & find_crop(protocol.crop).mask(depth.shape)
    prediction = cut_off(sample).astype(np.float64)
    fitted = valid & (prediction > 0)
    design = np.stack([prediction[fitted], np.ones(np.count_nonzero(fitted))], axis=1)
    scale, shift = np.linalg.lstsq(design, 1 / depth[fitted], rcond=None)[0]
    disparity = np.maximum(scale * prediction + shift, 1e-3)
    predicted, true = np.clip(1 / disparity, protocol.minimum_m, protocol.cap_m)[valid], depth[valid]
    return (
        float(np.mean(np.abs(predicted - true) / true)),
        100 * float(np.mean(np.maximum(predicted / true, true / predicted) < 1.25)),
    )


@pytest.mark.parametrize("name", FAMILY)
def test_figures_equal_those_of_the_rules_written_out(name: str, tmp_path: Path) -> None:
    samples = list(CorpusDataset(write_miniature(tmp_path / "set")).samples())
    result = evaluate(cut_off, samples, PROTOCOLS[name])
    expected = np.mean([written_out(sample, PROTOCOLS[name]) for sample in samples], axis=0)
    assert result.abs_rel == pytest.approx(expected[0], rel=1e-5)
    assert result.mean("delta1_accuracy") == pytest.approx(expected[1], abs=0.02)
    assert expected[0] > 0.01


def test_ranges_are_those_of_the_table() -> None:
    ranges = {name: (PROTOCOLS[name].minimum_m, PROTOCOLS[name].cap_m) for name in FAMILY}
    assert ranges == {
        "nyu_marigold_inverse": (1e-3, 10),
        "kitti_marigold_inverse": (1e-3, 80),
        "eth3d_marigold_inverse": (1e-5, 60),
        "scannet_marigold_inverse": (1e-3, 10),
        "diode_marigold_inverse": (0.6, 80),
        "indoor_marigold_inverse": (1e-3, 10),
    }


@pytest.mark.parametrize(
    ("domain", "benchmark", "expected", "crop"),
    [
        ("indoor", "corpus", "indoor_marigold_inverse", "none"),
        ("driving", "corpus", "kitti_marigold_inverse", "kitti_benchmark_eigen"),
        ("indoor", "nyu", "nyu_marigold_inverse", "nyu_eigen"),
    ],
)
def test_the_set_s_benchmark_or_its_domain_decides(
    domain: str, benchmark: str, expected: str, crop: str, tmp_path: Path
) -> None:
    root = write_miniature(tmp_path / "set", domain=domain)
    opened = open_benchmark(benchmark, root, protocol="marigold_inverse")
    assert (opened.protocol.name, opened.protocol.crop) == (expected, crop)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"domain": "object"}, r"has rules for nyu \(nyu_marigold_inverse, cap 10 m\).*; none for object"),
        ({"domain": "indoor", "depth_kind": "disparity"}, "miniature is not in metres"),
        ({"domain": "driving", "depth_kind": "disparity", "shift_known": False}, "unknown shift"),
    ],
)
def test_a_set_that_it_has_no_rules_for_is_refused(facts: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UnsuitableProtocolError, match=message):
        open_benchmark("corpus", write_miniature(tmp_path / "set", **facts), protocol="marigold_inverse")


def test_of_a_whole_corpus_the_sets_that_it_suits_are_measured(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    write_miniature(corpus / "rooms", name="rooms", split="eval")
    write_miniature(corpus / "things", name="things", split="eval", domain="object")
    tiny = write_tiny_model(tmp_path / "tiny.onnx")
    asked = ["evaluate", "--corpus", str(corpus), "--protocol", "marigold_inverse", "--model", str(tiny), "--json"]
    result = CliRunner().invoke(app, asked)
    assert [row["set"] for row in json.loads(result.stdout)] == ["rooms"]
    assert "things is left out: marigold_inverse has rules for" in result.stderr


@pytest.mark.parametrize("find", [lambda: find_protocol("marigold_inverse"), lambda: find_protocol("marigold_invers")])
def test_its_name_alone_says_which_rules_there_are(find: Callable[[], Protocol]) -> None:
    with pytest.raises(ConfigError, match=r"none for no set at all|did you mean 'marigold_inverse'"):
        find()
