"""The official table as data."""

from __future__ import annotations

from midas.evaluation.protocols import FAMILIES, PROTOCOLS
from midas.evaluation.published import (
    BENCHMARKS,
    PUBLISHED,
    SMALL_BENCHMARKS,
    SMALL_NETWORKS,
    published_markdown,
    small_networks_markdown,
)
from midas.models.zoo import MODELS


def test_every_column_has_a_protocol() -> None:
    assert set(BENCHMARKS) <= set(PROTOCOLS)
    assert set(SMALL_BENCHMARKS) <= set(FAMILIES["marigold_inverse"])
    assert all(len(row.figures) == len(SMALL_BENCHMARKS) for row in SMALL_NETWORKS)


def test_every_official_network_has_a_row() -> None:
    named = {row.model for row in PUBLISHED}
    assert {name for name in MODELS if name.startswith(("dpt_", "midas_v21"))} <= named


def test_networks_that_saw_kitti_and_nyu_are_marked() -> None:
    lines = published_markdown().splitlines()
    (beit,) = (line for line in lines if "`dpt_beit_base_384`" in line)
    assert "26.60*" in beit
    assert "3.91*" in beit
    (large,) = (line for line in lines if "`dpt_large_384`" in line)
    assert "*" not in large


def test_small_networks_that_were_trained_anew_are_marked() -> None:
    lines = small_networks_markdown().splitlines()
    assert "| FastDepth† | 4 M | 10.3 / 89.8 | 16.8 / 74.3 |" in "\n".join(lines)
    assert any(line.startswith("| ZipDepth | 6.1 M |") for line in lines)
