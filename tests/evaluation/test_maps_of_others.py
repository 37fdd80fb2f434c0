"""Maps that other programs wrote, as they write them, through ``midas evaluate --prediction-dir``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.corpus_miniature import write_miniature
from typer.testing import CliRunner, Result

import midas
from midas.cli import app
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import PairSample
from midas.errors import DatasetError
from midas.evaluation.candidates import FolderCandidate
from midas.evaluation.evaluator import EvaluationResult, score_all
from midas.evaluation.predictions import Prediction
from midas.evaluation.protocols import PROTOCOLS
from midas.evaluation.runs import open_benchmark, run

Write = Callable[[Path, np.ndarray], object]
METRIC_RULES = "indoor"
DEPTH_RULES = "nyu_depth_space"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_miniature(tmp_path_factory.mktemp("miniature") / "set", frames=1)


def depths(root: Path) -> dict[str, np.ndarray]:
    """Depth in metres by scene and frame; NaN where it is unknown."""
    samples = CorpusDataset(root)
    with np.errstate(divide="ignore"):
        return {
            sample.name.partition("/")[2]: np.where(sample.mask, 1 / sample.disparity, np.nan).astype(np.float32)
            for sample in (samples[index] for index in range(len(samples)))
        }


def write(root: Path, folder: Path, suffix: str, how: Write) -> Path:
    for name, depth in depths(root).items():
        path = folder / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        how(path, depth)
    return folder


def measured(root: Path, folder: Path, kind: str | None = "depth", rules: str = METRIC_RULES) -> EvaluationResult:
    return run(FolderCandidate(folder, kind=kind), open_benchmark("corpus", root, protocol=rules))


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def filled(depth: np.ndarray, value: float = 3.0) -> np.ndarray:
    return np.where(np.isfinite(depth), depth, np.float32(value))


def unit(depth: np.ndarray) -> np.ndarray:
    known = depth[np.isfinite(depth)]
    return np.clip((filled(depth) - known.min()) / np.ptp(known), 0, 1).astype(np.float32)


@pytest.mark.parametrize("nothing", [np.nan, 0, -1, np.inf])
def test_pixels_without_a_truth_are_not_judged(root: Path, tmp_path: Path, nothing: float) -> None:
    write(root, tmp_path, ".npy", lambda path, depth: np.save(path, filled(depth, nothing)))
    assert measured(root, tmp_path).abs_rel == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("nothing", [np.nan, 0])
def test_holes_don_t_spread_when_a_map_of_another_size_is_resized(root: Path, tmp_path: Path, nothing: float) -> None:
    def halved(path: Path, depth: np.ndarray) -> None:
        np.save(path, filled(depth, nothing)[::2, ::2])

    whole = write(root, tmp_path / "whole", ".npy", lambda path, depth: np.save(path, filled(depth, 6)[::2, ::2]))
    holes = write(root, tmp_path / "holes", ".npy", halved)
    assert measured(root, holes).abs_rel == pytest.approx(measured(root, whole).abs_rel, rel=1e-3)


@pytest.mark.parametrize(("nothing", "why"), [(np.nan, "depth above 0"), (0, "nyu_marigold")])
def test_a_pixel_that_is_judged_needs_a_value(root: Path, tmp_path: Path, nothing: float, why: str) -> None:
    def with_hole(path: Path, depth: np.ndarray) -> None:
        depth = filled(depth)
        depth[20:22, 30:33] = nothing
        np.save(path, depth)

    write(root, tmp_path, ".npy", with_hole)
    with pytest.raises(DatasetError, match=rf"miniature/a/000: at 6 of \d+ pixels to be judged, .*{why}"):
        measured(root, tmp_path)


@pytest.mark.parametrize("suffix", [".npy", ".png"])
def test_depth_from_0_to_1_is_right_by_rules_that_align_in_depth(root: Path, tmp_path: Path, suffix: str) -> None:
    def marigold(path: Path, depth: np.ndarray) -> None:
        if path.suffix == ".npy":
            np.save(path, unit(depth))
        else:
            cv2.imwrite(str(path), (unit(depth) * 65535).astype(np.uint16))

    write(root, tmp_path, suffix, marigold)
    result = measured(root, tmp_path, rules=DEPTH_RULES)
    assert result.mean("abs_rel") == pytest.approx(0, abs=1e-4)
    assert result.opposed == 0


def test_depth_up_to_a_shift_has_no_inverse(root: Path, tmp_path: Path) -> None:
    def save(path: Path, depth: np.ndarray) -> None:
        midas.DepthMap(filled(depth), kind="affine_invariant").save(path)

    write(root, tmp_path, ".exr", save)
    with pytest.raises(DatasetError, match="rules that align in depth"):
        measured(root, tmp_path, kind=None)
    assert measured(root, tmp_path, kind=None, rules=DEPTH_RULES).abs_rel == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("suffix", "how", "tolerance"),
    [
        (".npy", lambda path, depth: np.save(path, depth[None]), 1e-5),
        (".npy", lambda path, depth: np.save(path, depth[None, None]), 1e-5),
        (".npy", lambda path, depth: np.save(path, depth[..., None]), 1e-5),
        (".npy", lambda path, depth: np.save(path, depth.astype(np.float16)), 1e-3),
        (".npy", lambda path, depth: np.save(path, depth.astype(np.float64)), 1e-5),
        (".npy", lambda path, depth: np.save(path, np.rint(depth * 1000).astype(np.int32)), 1e-3),
        (".npz", lambda path, depth: np.savez_compressed(path, depth=depth), 1e-5),
        (".tiff", lambda path, depth: cv2.imwrite(str(path), np.repeat(depth[..., None], 3, 2)), 1e-5),
        (".tiff", lambda path, depth: cv2.imwrite(str(path), depth), 1e-5),
        (".png", lambda path, depth: cv2.imwrite(str(path), np.rint(depth * 5000).astype(np.uint16)), 1e-3),
    ],
)
def test_a_map_is_read_in_whichever_shape_and_type(
    root: Path, tmp_path: Path, suffix: str, how: Write, tolerance: float
) -> None:
    write(root, tmp_path, suffix, lambda path, depth: how(path, filled(depth)))
    assert measured(root, tmp_path).abs_rel == pytest.approx(0, abs=tolerance)


@pytest.mark.parametrize("channels", [3, 4])
def test_grey_in_three_channels_is_grey(root: Path, tmp_path: Path, channels: int) -> None:
    def grey(path: Path, depth: np.ndarray) -> None:
        codes = np.rint(255 * 1.5 / filled(depth)).astype(np.uint8)[..., None].repeat(channels, 2)
        codes[..., 3:] = 255
        cv2.imwrite(str(path), codes)

    write(root, tmp_path, ".png", grey)
    assert measured(root, tmp_path, kind="disparity").abs_rel == pytest.approx(0, abs=0.01)


def _exr(path: Path, depth: np.ndarray, names: str, kind: type, compression: str) -> None:
    import OpenEXR

    header = {"compression": getattr(OpenEXR, compression), "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {name: np.ascontiguousarray(depth.astype(kind)) for name in names.split()}).write(str(path))


@pytest.mark.parametrize("names", ["Y", "Z", "V", "R G B", "R G B A", "depth", "ViewLayer.Depth.Z"])
@pytest.mark.parametrize(
    ("kind", "compression", "tolerance"),
    [
        (np.float32, "ZIP_COMPRESSION", 1e-5),
        (np.float16, "ZIP_COMPRESSION", 1e-3),
        (np.float16, "PIZ_COMPRESSION", 1e-3),
    ],
)
def test_exr_is_read_as_opencv_blender_and_moge_write_it(
    root: Path, tmp_path: Path, names: str, kind: type, compression: str, tolerance: float
) -> None:
    write(root, tmp_path, ".exr", lambda path, depth: _exr(path, filled(depth), names, kind, compression))
    assert measured(root, tmp_path).abs_rel == pytest.approx(0, abs=tolerance)


@pytest.mark.parametrize(("said", "held"), [(None, "depth"), ("disparity", "depth"), ("depth", "disparity")])
def test_values_that_run_against_the_truth_are_spoken_of(
    root: Path, tmp_path: Path, said: str | None, held: str
) -> None:
    write(root, tmp_path, ".npy", lambda p, depth: np.save(p, filled(depth) if held == "depth" else 1 / filled(depth)))
    options = [] if said is None else ["--prediction-kind", said]
    result = evaluate("--root", root, "--prediction-dir", tmp_path, *options)
    assert result.exit_code == 0
    assert f"in 2 of 2 pictures: they were taken for {said or 'disparity'}" in result.stderr
    assert f"if they are {held}, say --prediction-kind {held}" in result.stderr
    right = evaluate("--root", root, "--prediction-dir", tmp_path, "--prediction-kind", held, "--json")
    assert right.stderr == ""
    assert json.loads(right.stdout)[0]["figures"]["abs_rel"]["mean"] < 1e-5


def test_a_file_that_says_its_kind_needs_no_option_and_brooks_no_other(root: Path, tmp_path: Path) -> None:
    write(root, tmp_path, ".pfm", lambda path, depth: midas.DepthMap(filled(depth), kind="metric").save(path))
    assert measured(root, tmp_path, kind=None).abs_rel == pytest.approx(0, abs=1e-5)
    assert measured(root, tmp_path, kind="depth").abs_rel == pytest.approx(0, abs=1e-5)
    with pytest.raises(DatasetError, match="says that its values are of kind 'metric': expected disparity"):
        measured(root, tmp_path, kind="disparity")


def test_pairs_of_points_ask_for_the_order_of_depths_alone() -> None:
    depth = np.linspace(0, 1, 20, dtype=np.float32)[:, None].repeat(10, 1)
    depth[10:12] = np.nan
    first, second = np.array([[0, 0], [15, 3]]), np.array([[19, 5], [2, 2]])
    sample = PairSample(np.zeros((20, 10, 3), np.uint8), first, second, np.array([1, -1], np.int8), "diw/a/1")

    class Depth:
        name = "depth"

        def prepare(self, sample: PairSample) -> PairSample:
            return sample

        def run(self, prepared: PairSample) -> Prediction:
            return Prediction(depth, "scale_invariant")

    ((_, result),) = score_all(Depth(), [sample], PROTOCOLS["diw"])
    assert result is not None
    assert result.figures == (0.0,)
