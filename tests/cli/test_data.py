"""``midas data``: its sub-commands from end to end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.corpus_miniature import write_miniature
from tests.stereo_views import ramp, views

from midas.cli import main
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.readers.shards import ShardDataset

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs ``midas data`` in this process: exit status, standard output, standard error."""

    def run_midas(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["midas", "data", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_info:
            main()
        return int(exit_info.value.code or 0), *capfd.readouterr()

    return run_midas


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_miniature(tmp_path / "miniature")


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    """Folders ``left`` and ``right`` with a pair to keep, a flat one and one that isn't level."""
    pairs = {"deep": views(ramp(-4, 18)), "flat": views(ramp(3, 9)), "tilted": views(ramp(2, 22))}
    for name, (left, right) in pairs.items():
        shown = np.roll(right, 5, axis=0) if name == "tilted" else right
        for side, view in (("left", left), ("right", shown)):
            (tmp_path / side).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / side / f"{name}.png"), view[..., ::-1])
    return tmp_path


# ── inspect ─────────────────────────────────────────────────────────────────


def test_inspect_draws_a_sheet_and_prints_figures(run: Run, corpus: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    status, out, err = run("inspect", "--reader", "corpus", "--root", corpus, "-o", sheet, "--count", 4)
    assert (status, err) == (0, "")
    assert "pictures         6, of which 6 were looked at" in out.splitlines()
    assert cv2.imread(str(sheet)).shape[1] > 900
    assert run("inspect", "--reader", "corpus", "--root", corpus, "-o", sheet)[0] == 1


def test_inspect_gives_figures_as_json(run: Run, corpus: Path) -> None:
    status, out, _ = run("inspect", "--reader", "corpus", "--root", corpus, "--json", "--look-at", 3, "--count", 1)
    facts = json.loads(out)
    assert (status, facts["name"], facts["pictures"], facts["looked_at"]) == (0, "miniature", 6, 3)
    assert (facts["quantity"], facts["sizes"]) == ("depth_m", [[72, 96, 3]])
    assert 1.4 < facts["percentiles"]["5"] < facts["percentiles"]["95"] < 6.1


def test_inspect_names_what_cannot_be_read_and_goes_on(run: Run, corpus: Path) -> None:
    (corpus / "a" / "001.png").unlink()
    status, out, err = run("inspect", "--reader", "corpus", "--root", corpus)
    assert status == 1
    assert "unreadable       1" in out.splitlines()
    assert err.startswith("midas: error: miniature[1]: ")


@pytest.mark.parametrize("more", [["--reader", "nobody"], ["--option", "scenes"], ["--option", "colour=red"]])
def test_an_unknown_set_or_option_is_wrong_usage(more: list[str], run: Run, corpus: Path) -> None:
    status, out, err = run("inspect", "--reader", "corpus", "--root", corpus, *more)
    assert (status, out) == (2, "")
    assert err.startswith("midas: error: ")


# ── stereo ──────────────────────────────────────────────────────────────────


def test_stereo_keeps_good_frames_and_counts_the_reasons_of_the_others(run: Run, stereo: Path) -> None:
    status, out, err = run("stereo", stereo / "left", stereo / "right", "-o", stereo / "set", "--scene", "street")
    assert (status, out.splitlines()[0]) == (0, "1 of 3 frames kept")
    flat, vertical = sorted(out.splitlines()[1:])
    assert flat.startswith("small range of disparity: 1 (")
    assert flat.endswith(" px; at least 10 px)")
    assert vertical.startswith("vertical disparity: 1 (above 2 px on ")
    assert vertical.endswith(" of the pixels; at most 10%)")
    assert err == f"{stereo / 'set' / 'report_street.json'}\n"
    assert [sample.name for sample in CorpusDataset(stereo / "set").samples()] == ["set/street/deep"]


def test_stereo_writes_a_lone_map_of_one_pair(run: Run, stereo: Path) -> None:
    views_of_one = (stereo / "left" / "deep.png", stereo / "right" / "deep.png")
    status, out, _ = run("stereo", *views_of_one, "-o", stereo / "map.png", "--json", "--search", "-8", "24")
    assert (status, json.loads(out)) == (0, {"kept": 1, "frames": 1, "reasons": {}})
    assert cv2.imread(str(stereo / "map.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16


def test_stereo_splits_pictures_side_by_side(run: Run, stereo: Path) -> None:
    halves = [cv2.imread(str(stereo / side / "deep.png")) for side in ("left", "right")]
    (stereo / "both").mkdir()
    cv2.imwrite(str(stereo / "both" / "deep.png"), np.concatenate(halves, axis=1))
    assert run("stereo", "--side-by-side", stereo / "both", "-o", stereo / "set")[0] == 0
    assert CorpusDataset(stereo / "set")[0].name == "set/both/deep"


def test_stereo_of_rejected_frames_alone_fails(run: Run, stereo: Path) -> None:
    views_of_one = (stereo / "left" / "flat.png", stereo / "right" / "flat.png")
    status, out, _ = run("stereo", *views_of_one, "-o", stereo / "map.png")
    measured = out.split("(")[1].split()[0]
    assert 0 <= float(measured) < 10
    assert (status, out) == (1, f"0 of 1 frames kept\nsmall range of disparity: 1 ({measured} px; at least 10 px)\n")
    assert not (stereo / "map.png").exists()


def test_stereo_names_a_view_that_cannot_be_read_and_goes_on(run: Run, stereo: Path) -> None:
    (stereo / "right" / "flat.png").write_bytes(b"torn")
    status, out, err = run("stereo", stereo / "left", stereo / "right", "-o", stereo / "set")
    assert (status, out.splitlines()[0]) == (1, "1 of 2 frames kept")
    assert "flat.png" in err


def test_stereo_wants_two_views_or_one_path_side_by_side(run: Run, stereo: Path) -> None:
    folder = stereo / "left"
    for paths in ([folder], [folder, folder, "--side-by-side", folder], []):
        assert run("stereo", *paths, "-o", stereo / "set")[0] == 2
    assert run("stereo", folder, stereo / "right", "-o", stereo / "map.png")[0] == 2


# ── pack ────────────────────────────────────────────────────────────────────


def test_pack_writes_shards_that_read_back(run: Run, corpus: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    status, out, err = run("pack", "--reader", "corpus", "--root", corpus, "-o", shards, "--samples-per-shard", 4)
    assert (status, err) == (0, "")
    assert out.startswith(f"{shards}: 6 samples in 2 shards, ")
    np.testing.assert_array_equal(ShardDataset(shards)[5].image, CorpusDataset(corpus)[5].image)
    assert run("pack", "--reader", "corpus", "--root", corpus, "-o", shards)[0] == 1


def test_pack_leaves_out_what_cannot_be_read_and_says_so(run: Run, corpus: Path, tmp_path: Path) -> None:
    (corpus / "a" / "001.png").unlink()
    status, out, err = run("pack", "--reader", "corpus", "--root", corpus, "-o", tmp_path / "shards", "--json")
    assert (status, json.loads(out)["samples"]) == (1, 5)
    assert err.startswith("midas: error: miniature[1]: ")
