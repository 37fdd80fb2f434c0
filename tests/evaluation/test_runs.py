"""One candidate on one benchmark: models, baselines, other programs' maps; stopping and going on; drawing the worst."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.corpus_miniature import write_miniature
from tests.tiny_model import INPUT, METADATA, write_tiny_model

import midas
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import PairSample, Sample
from midas.errors import DatasetError
from midas.evaluation import report
from midas.evaluation.candidates import FolderCandidate, FunctionCandidate, ModelCandidate, PlaneCandidate
from midas.evaluation.evaluator import EvaluationResult, score_all
from midas.evaluation.protocols import PROTOCOLS
from midas.evaluation.records import ScoreFile
from midas.evaluation.runs import Benchmark, open_benchmark, run
from midas.evaluation.sheet import write_worst

METRICS = PROTOCOLS["indoor"].metrics


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_miniature(tmp_path / "set")


@pytest.fixture
def benchmark_(root: Path) -> Benchmark:
    return open_benchmark("corpus", root)


def noisy(sample: Sample) -> np.ndarray:
    noise = np.random.default_rng(len(sample.name)).normal(0, 0.1, sample.disparity.shape)
    return (sample.disparity + noise).astype(np.float32)


def test_a_model_is_measured_as_it_predicts(benchmark_: Benchmark, tmp_path: Path) -> None:
    predictor = midas.load(write_tiny_model(tmp_path / "tiny.onnx"))
    result = run(ModelCandidate(predictor), benchmark_)
    by_hand = run(FunctionCandidate(lambda sample: predictor(sample.image).values), benchmark_)
    assert result.abs_rel == pytest.approx(by_hand.abs_rel)
    assert result.model == "tiny"


def test_a_model_whose_maps_grow_by_a_rule_of_their_own_is_measured_by_it(
    benchmark_: Benchmark, tmp_path: Path
) -> None:
    metadata = METADATA | {"midas.input": replace(INPUT, restore="aligned_linear").to_metadata()}
    predictor = midas.load(write_tiny_model(tmp_path / "tiny.onnx", metadata=metadata))
    sample, candidate = benchmark_.reader[0], ModelCandidate(predictor)
    measured = candidate.run(candidate.prepare(sample))
    np.testing.assert_array_equal(measured.values, predictor(sample.image).values)


def test_a_model_is_measured_in_tiles_as_it_predicts_in_tiles(tmp_path: Path) -> None:
    tiled = midas.load(write_tiny_model(tmp_path / "tiny.onnx")).tiled(2)
    picture = np.random.default_rng(0).integers(0, 256, (192, 288, 3), dtype=np.uint8)
    sample = Sample(picture, np.ones((192, 288), np.float32), np.ones((192, 288), np.bool_), "a", True, False)
    for rule in (None, "upper_bound"):
        candidate = ModelCandidate(tiled, resize=rule)
        values = candidate.run(candidate.prepare(sample)).values
        assert values.shape == (192, 288)
        if rule is None:
            np.testing.assert_array_equal(values, tiled(picture).values)
    assert candidate.name == "tiny, tile 2"


def test_a_protocol_s_resize_rule_holds_for_the_model(tmp_path: Path) -> None:
    candidate = ModelCandidate(midas.load(write_tiny_model(tmp_path / "tiny.onnx")), resize="upper_bound")
    sample = Sample(
        np.zeros((96, 192, 3), np.uint8), np.ones((96, 192), np.float32), np.ones((96, 192), np.bool_), "a", True, False
    )
    assert candidate.prepare(sample).pixels.shape == (1, 3, 32, 64)


def test_a_set_s_own_protocol_gives_way_to_a_named_one(root: Path) -> None:
    assert open_benchmark("corpus", root).protocol.name == "indoor"
    assert open_benchmark("corpus", root, protocol="nyu_median").protocol.alignment == "median"


def test_a_copy_of_a_benchmark_in_the_corpus_format_is_measured_by_the_benchmark_s_rules(root: Path) -> None:
    opened = open_benchmark("nyu", root)
    assert isinstance(opened.reader, CorpusDataset)
    assert opened.protocol is PROTOCOLS["nyu"]


def test_a_run_that_stopped_goes_on_with_what_is_missing(benchmark_: Benchmark, tmp_path: Path) -> None:
    asked: list[str] = []

    def predict(sample: Sample) -> np.ndarray:
        asked.append(sample.name)
        return noisy(sample)

    candidate = FunctionCandidate(predict)
    with ScoreFile(tmp_path / "scores.csv", METRICS) as file:
        run(candidate, benchmark_, limit=2, file=file)
    with ScoreFile(tmp_path / "scores.csv", METRICS, resume=True) as file:
        resumed = run(candidate, benchmark_, file=file)
    assert len(asked) == len(set(asked)) == len(benchmark_.reader) == 6
    assert resumed.values("abs_rel") == pytest.approx(run(candidate, benchmark_).values("abs_rel"))


def test_progress_tells_the_figures_so_far(benchmark_: Benchmark) -> None:
    seen: list[tuple[int, int, int]] = []
    run(
        FunctionCandidate(noisy),
        benchmark_,
        limit=3,
        show=lambda progress: seen.append((progress.done, progress.total, len(progress.scores))),
    )
    assert seen == [(1, 3, 1), (2, 3, 2), (3, 3, 3)]


@pytest.mark.parametrize("suffix", ["npy", "pfm", "exr", "tiff"])
@pytest.mark.parametrize("stem", ["{scene}/{frame}", "{scene}_{frame}"])
def test_maps_of_another_program_are_found_by_their_names(
    benchmark_: Benchmark, tmp_path: Path, suffix: str, stem: str
) -> None:
    for sample in (benchmark_.reader[index] for index in range(len(benchmark_.reader))):
        _, scene, frame = sample.name.split("/")
        path = tmp_path / "maps" / f"{stem.format(scene=scene, frame=frame)}.{suffix}"
        midas.DepthMap(noisy(sample), "rival").save(path)
    result = run(FolderCandidate(tmp_path / "maps"), benchmark_)
    assert result.abs_rel == pytest.approx(run(FunctionCandidate(noisy), benchmark_).abs_rel, rel=1e-4)


def test_maps_of_depth_are_inverted(benchmark_: Benchmark, tmp_path: Path) -> None:
    for sample in (benchmark_.reader[index] for index in range(len(benchmark_.reader))):
        path = tmp_path / "maps" / "/".join(sample.name.split("/")[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(f"{path}.npy", 1 / np.where(sample.mask, sample.disparity, 1).astype(np.float32))
    assert run(FolderCandidate(tmp_path / "maps", kind="depth"), benchmark_).abs_rel == pytest.approx(0, abs=1e-5)


def test_sixteen_bit_codes_of_another_program_are_taken_as_they_are(benchmark_: Benchmark, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    for sample in (benchmark_.reader[index] for index in range(len(benchmark_.reader))):
        codes = np.rint(sample.disparity * 60000).astype(np.uint16)
        Image.fromarray(codes).save(tmp_path / "maps" / f"{'_'.join(sample.name.split('/')[1:])}.png")
    assert run(FolderCandidate(tmp_path / "maps"), benchmark_).abs_rel == pytest.approx(0, abs=1e-3)


def test_a_missing_map_is_named_with_what_was_expected(benchmark_: Benchmark, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    with pytest.raises(DatasetError, match=r"no map of miniature/a/000; expected .*a/000\.npy or .*a_000\.npy"):
        run(FolderCandidate(tmp_path / "maps"), benchmark_)


def test_the_plane_beats_the_constant(benchmark_: Benchmark) -> None:
    plane, constant = (run(PlaneCandidate(tilted=tilted), benchmark_) for tilted in (True, False))
    assert plane.abs_rel < constant.abs_rel
    assert (plane.model, constant.model) == ("plane", "constant")


def test_pairs_of_points_are_measured_by_their_order() -> None:
    disparity = np.linspace(1, 0, 20, dtype=np.float32)[:, None].repeat(10, 1)
    first, second = np.array([[0, 0], [15, 3]]), np.array([[10, 5], [2, 2]])
    sample = PairSample(np.zeros((20, 10, 3), np.uint8), first, second, np.array([1, 1], np.int8), "diw/a/1")
    (result,) = [
        score for _, score in score_all(FunctionCandidate(lambda _: disparity), [sample], PROTOCOLS["diw"]) if score
    ]
    assert result.figures == (50.0,)  # of the two "first is nearer", the upper row is; the 15th isn't


def test_the_worst_pictures_are_drawn_beside_their_targets(benchmark_: Benchmark, tmp_path: Path) -> None:
    candidate = FunctionCandidate(noisy)
    result = run(candidate, benchmark_)
    path = write_worst(result, candidate, benchmark_, tmp_path / "worst", count=2)
    sheet = np.asarray(Image.open(path))
    assert sheet.shape[0] > 2 * 200
    assert sheet.shape[1] > 4 * 200
    saved = sorted(file.name for file in (tmp_path / "worst" / "function").glob("*.npy"))
    assert saved == sorted(f"{score.name.replace('/', '_')}.npy" for score in result.worst(2))


@pytest.fixture
def results(benchmark_: Benchmark) -> list[EvaluationResult]:
    return [run(FunctionCandidate(noisy, "rival_1"), benchmark_), run(PlaneCandidate(tilted=True), benchmark_)]


def test_markdown_has_the_protocol_and_an_interval_beside_every_figure(results: list[EvaluationResult]) -> None:
    head, _, first, _ = report.to_markdown(results).splitlines()
    assert "delta1_outliers, %" in head
    assert "| indoor, cap 10 m |" in first
    low, high = results[0].interval("abs_rel")
    assert f"{results[0].abs_rel:.4f} [{low:.4f}, {high:.4f}]" in first


def test_a_table_says_of_which_model_near_and_far_are_the_wrong_way_round(benchmark_: Benchmark) -> None:
    turned = FunctionCandidate(lambda sample: -noisy(sample), "turned")
    results = [run(FunctionCandidate(noisy, "upright"), benchmark_), run(turned, benchmark_)]
    lines = report.to_markdown(results).splitlines()
    count = len(results[1].scores)
    assert (
        lines[-1]
        == f"† near and far the wrong way round: turned on {results[1].dataset} in {count} of {count} pictures"
    )
    assert lines[2].startswith("| upright |")
    assert lines[3].startswith("| turned † |")
    assert report.to_latex(results).count("dagger") == 1


def test_json_has_all_rules_of_the_protocol(results: list[EvaluationResult]) -> None:
    rows = json.loads(report.to_json(results))
    assert rows[0]["protocol"]["alignment"] == "least_squares"
    assert rows[0]["figures"]["abs_rel"]["mean"] == pytest.approx(results[0].abs_rel)
    assert rows[1]["model"] == "plane"


def test_latex_escapes_what_it_must(results: list[EvaluationResult]) -> None:
    text = report.to_latex(results)
    assert r"rival\_1 & miniature & 6" in text
    assert r"delta1\_outliers, \%" in text
    assert text.startswith(r"\begin{tabular}{llrlrrrr}")


def test_reader_and_corpus_dataset_are_the_same_thing(root: Path) -> None:
    assert isinstance(open_benchmark("corpus", root).reader, CorpusDataset)
