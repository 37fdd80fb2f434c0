"""``midas predict`` as its users meet it: files, exit statuses, what is said and where."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.tiny_model import write_tiny_model

import midas
from midas.assets import asset_path
from midas.cli import main
from midas.errors import LicenceWarning
from midas.maps.depth_map import DepthMap
from midas.predictor import Predictor

SIZE = (64, 96)


@dataclass(frozen=True)
class Finished:
    """What a command left behind: exit status, standard output, standard error."""

    status: int
    out: bytes
    err: str

    def lines(self) -> list[dict[str, Any]]:
        """Standard output, read as lines of JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


Predict = Callable[..., Finished]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx", logarithm=True)


@pytest.fixture
def predict(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Predict:
    """Runs the command in this process, in an empty folder, with the tiny model."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: bytes = b"") -> Finished:
        monkeypatch.setattr(sys, "argv", ["midas", "predict", "--model", str(tiny), *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as exit_info:
            main()
        out, err = capfdbinary.readouterr()
        return Finished(int(exit_info.value.code or 0), out, err.decode())

    return run


def write_picture(path: str, darkest: int = 180, size: tuple[int, int] = SIZE) -> bytes:
    """A picture that the tiny model takes, unless it is darker than middle grey."""
    pixels = np.random.default_rng(0).integers(darkest, darkest + 40, (*size, 3), np.uint8)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return Path(path).read_bytes()


def files(folder: str = "depth") -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


# ── what is written ─────────────────────────────────────────────────────────


def test_a_picture_gives_a_16_bit_png_in_the_folder_depth_and_no_words(predict: Predict) -> None:
    write_picture("a/photo.jpg")
    assert predict("a/photo.jpg") == Finished(0, b"", "")
    assert files() == ["photo.png"]
    with Image.open("depth/photo.png") as image:
        assert image.mode == "I;16"


def test_formats_are_named_with_commas_or_one_by_one(predict: Predict) -> None:
    write_picture("photo.png")
    assert predict("photo.png", "--format", "png16,color, npy", "--format", "pfm", "-o", "maps").status == 0
    assert files("maps") == ["photo.npy", "photo.pfm", "photo.png", "photo_color.png"]


def test_folders_are_mirrored_and_no_two_pictures_share_a_file(predict: Predict) -> None:
    for name in ("photos/1.jpg", "photos/1.png", "photos/b/1.jpg", "photos/b/2.jpg"):
        write_picture(name)
    assert predict("photos", "-r").status == 0
    assert files() == ["1.jpg.png", "1.png.png", "b/1.png", "b/2.png"]


def test_a_pattern_in_quotes_is_expanded(predict: Predict) -> None:
    write_picture("photos/1.jpg")
    write_picture("photos/2.png")
    assert predict("photos/*.jpg").status == 0
    assert files() == ["1.png"]


def test_the_options_of_the_map_reach_it(predict: Predict) -> None:
    write_picture("photo.png", size=(130, 130))
    options = ["--size", "128", "--interpolation", "nearest", "--colormap", "grey", "--format", "npy,color"]
    assert predict("photo.png", *options, "--threads", "1", "--backend", "onnxruntime").status == 0
    assert len(np.unique(np.load("depth/photo.npy"))) <= 128 * 128
    red, green, _ = np.moveaxis(np.asarray(Image.open("depth/photo_color.png")), 2, 0)
    assert np.array_equal(red, green)


def test_batches_give_what_single_pictures_give(predict: Predict) -> None:
    for index in range(3):
        write_picture(f"photos/{index}.png", size=(70 + index, 80))
    assert predict("photos", "--format", "npy", "--batch", "2") == Finished(0, b"", "")
    assert predict("photos", "--format", "npy", "-o", "single") == Finished(0, b"", "")
    for name in files():
        np.testing.assert_allclose(np.load(Path("depth", name)), np.load(Path("single", name)), atol=1e-5)


@pytest.mark.parametrize(("options", "size"), [([], None), (["--size", "128", "--batch", "4"], 128)], ids=["", "size"])
def test_tiles_are_those_of_the_tiled_predictor(
    options: list[str], size: int | None, tiny: Path, predict: Predict
) -> None:
    write_picture("photo.png", size=(200, 300))
    finished = predict("photo.png", "--format", "npy", "--tile", "3", *options, "--json")
    tiled = midas.load(tiny).tiled(3, size=size)
    np.testing.assert_allclose(np.load("depth/photo.npy"), tiled("photo.png").values, atol=1e-5)
    assert not np.allclose(np.load("depth/photo.npy"), midas.load(tiny)("photo.png").values, atol=1e-3)
    (line,) = finished.lines()
    assert (line["size"], line["tiles"]) == ([200, 300], 4 if size else 16)


def test_a_picture_too_small_for_tiles_is_predicted_in_one_piece(predict: Predict) -> None:
    write_picture("photo.png")
    (tiled,) = predict("photo.png", "--format", "npy", "--tile", "8", "--json").lines()
    predict("photo.png", "--format", "npy", "-o", "plain")
    assert "tiles" not in tiled
    assert np.array_equal(np.load("depth/photo.npy"), np.load("plain/photo.npy"))


@pytest.mark.parametrize("number", ["0", "9", "1.5"])
def test_a_number_of_tiles_out_of_range_is_wrong_usage(number: str, predict: Predict) -> None:
    write_picture("photo.png")
    finished = predict("photo.png", "--tile", number)
    assert finished.status == 2
    assert "--tile" in finished.err
    assert not Path("depth").exists()


def test_tiles_work_in_a_filter(tiny: Path, predict: Predict) -> None:
    data = write_picture("photo.png", size=(200, 300))
    values = np.load(io.BytesIO(predict("-", "--format", "npy", "--tile", "2", stdin=data).out))
    np.testing.assert_allclose(values, midas.load(tiny).tiled(2)(data).values, atol=1e-5)


def test_existing_files_stay_are_counted_and_can_be_replaced(predict: Predict) -> None:
    write_picture("1.png")
    write_picture("2.png")
    Path("depth").mkdir()
    Path("depth/1.png").write_bytes(b"mine")
    first = predict("1.png", "2.png")
    assert first.status == 0
    assert "1 done" in first.err
    assert "1 there already (--overwrite replaces them)" in first.err
    assert Path("depth/1.png").read_bytes() == b"mine"
    assert predict("1.png", "2.png", "--overwrite") == Finished(0, b"", "")
    assert DepthMap.load("depth/1.png").size == SIZE


# ── standard input and output ───────────────────────────────────────────────


@pytest.mark.parametrize("format_name", ["png16", "npy", "side-by-side"])
def test_a_picture_from_standard_input_gives_one_file_on_standard_output(format_name: str, predict: Predict) -> None:
    picture = write_picture("photo.png")
    finished = predict("-", "--format", format_name, stdin=picture)
    assert (finished.status, finished.err) == (0, "")
    assert predict("photo.png", "--format", format_name).status == 0
    assert finished.out.startswith((b"\x89PNG", b"\x93NUMPY"))
    assert len(finished.out) == pytest.approx(Path("depth", files()[0]).stat().st_size, abs=100)  # but for the name


def test_standard_input_that_is_no_picture_leaves_standard_output_empty(predict: Predict) -> None:
    finished = predict("-", stdin=b"")
    assert (finished.status, finished.out) == (1, b"")
    assert re.fullmatch(r"midas: error: .*empty.*\n", finished.err)


@pytest.mark.parametrize("arguments", [["photo.png"], ["--format", "npy,pfm"], ["-o", "depth"], ["--json"]])
def test_standard_input_stands_alone(arguments: list[str], predict: Predict) -> None:
    assert predict("-", *arguments).status == 2


# ── JSON ────────────────────────────────────────────────────────────────────


def test_json_gives_one_line_per_picture_in_order(predict: Predict) -> None:
    write_picture("1.png")
    write_picture("2.png", size=(200, 100))
    write_picture("3.png", darkest=0)
    Path("depth").mkdir()
    Path("depth/1.png").touch()
    finished = predict("1.png", "2.png", "3.png", "4.png", "--json")
    skipped, done, dark, missing = finished.lines()
    assert finished.status == 1
    assert skipped == {"input": "1.png", "outputs": [os.path.join("depth", "1.png")], "skipped": True}  # noqa: PTH118
    values = DepthMap.load("depth/2.png").values
    assert (done["input"], done["size"]) == ("2.png", [200, 100])
    assert done["min"] == pytest.approx(values.min(), abs=1e-3)
    assert done["max"] == pytest.approx(values.max(), abs=1e-3)
    assert done["milliseconds"] > 0
    assert "not finite" in dark["error"]
    assert "does not exist" in missing["error"]


# ── errors and exit statuses ────────────────────────────────────────────────


def test_each_failed_picture_is_named_and_the_others_are_written(predict: Predict) -> None:
    write_picture("good.png")
    write_picture("dark.png", darkest=0)
    Path("broken.jpg").write_bytes(write_picture("whole.jpg")[:300])
    finished = predict("missing.png", "dark.png", "broken.jpg", "good.png", "none*.png")
    assert (finished.status, finished.out, files()) == (1, b"", ["good.png"])
    errors = [line for line in finished.err.splitlines() if line.startswith("midas: error: ")]
    assert [sum(name in line for line in errors) for name in ("missing", "dark", "broken", "none*")] == [1, 1, 1, 1]
    assert finished.err.splitlines()[-1] == "midas: 1 done, in depth; 4 failed"
    assert "Traceback" not in finished.err


def test_a_picture_over_the_limit_fails(predict: Predict) -> None:
    write_picture("photo.png")
    assert predict("photo.png", "--max-megapixels", "0.006").status == 1
    assert predict("photo.png", "--max-megapixels", "0.007").status == 0


@pytest.mark.filterwarnings("default")
def test_a_picture_without_its_end_is_a_warning_and_an_error_where_one_is_strict(predict: Predict) -> None:
    whole = write_picture("cut.jpg", size=(480, 640))
    Path("cut.jpg").write_bytes(whole[:-20])
    finished = predict("cut.jpg")
    assert finished.status == 0
    assert re.fullmatch(r"midas: warning: cut\.jpg ends too early: 9[89](\.\d)? % of .*\n", finished.err)
    strict = predict("cut.jpg", "--strict", "--overwrite")
    assert (strict.status, Path("depth/cut.png").is_file()) == (1, True)
    assert strict.err.startswith("midas: error: cut.jpg is damaged or incomplete")


def test_what_a_folder_search_can_t_read_is_named_and_counted(
    predict: Predict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midas.pictures.formats._SUPPORTED", ["JPEG", "PNG"])
    write_picture("in/good.png")
    Path("in/phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    Path("in/loop").mkdir()
    Path("in/loop/up").symlink_to(Path.cwd())
    finished = predict("in", "-r")
    assert (finished.status, Path("depth/good.png").is_file()) == (1, True)
    errors = sorted(line for line in finished.err.splitlines() if line.startswith("midas: error: "))
    assert "leads back" in errors[0]
    assert "pip install pillow-heif" in errors[1]
    assert "2 failed" in finished.err


@pytest.mark.filterwarnings("default")
def test_a_damaged_file_is_one_line_with_its_name(predict: Predict) -> None:
    write_picture("scan.tif")
    data = Path("scan.tif").read_bytes()
    Path("scan.tif").write_bytes(data[:-90])
    finished = predict("scan.tif", "--quiet")
    assert finished.status == 1
    (line,) = finished.err.splitlines()
    assert line.startswith("midas: error: scan.tif ")


def test_nothing_to_do_is_wrong_usage(predict: Predict) -> None:
    Path("empty").mkdir()
    finished = predict("empty", "*.jpg")
    assert finished.status == 2
    assert "empty holds no pictures" in finished.err
    assert "*.jpg matches no pictures" in finished.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "PATH"),
        (["photo.png", "--format", "pgm"], "png16"),
        (["photo.png", "--colormap", "rainbow"], "inferno"),
        (["photo.png", "--interpolation", "area"], "cubic"),
        (["photo.png", "--size", "0"], "--size"),
        (["photo.png", "--model", "midas_nono"], "midas_nano_256"),
        (["photo.png", "--model", "missing.onnx"], "missing.onnx"),
        (["photo.png", "--backend", "tpu"], "onnxruntime"),
        (["photo.png", "--device", "tpu"], "auto, cpu"),
        (["photo.png", "--precision", "int8"], "float32"),
        (["photo.png", "--batch", "0"], "--batch"),
        (["photo.png", "--weights", "mine.pt"], "expected a model's name"),
        (["photo.png", "--model", "dpt_large_384", "--weights", "mine.pt"], "mine.pt"),
        (["photo.png", "--model", "dpt_large_384", "--backend", "onnxruntime"], "midas export"),
        (["depth"], "another output folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_says_what_would_be_right(arguments: list[str], said: str, predict: Predict) -> None:
    write_picture("photo.png")
    Path("depth").mkdir()
    finished = predict(*arguments)
    assert (finished.status, finished.out, files()) == (2, b"", [])
    assert said in finished.err
    assert "Traceback" not in finished.err


def test_debug_shows_the_traceback(predict: Predict) -> None:
    finished = predict("missing.png", "--debug")
    assert finished.status == 1
    assert "Traceback" in finished.err
    assert "Traceback" in predict("missing.png", "--debug", "--model", "missing.onnx").err


def test_quiet_leaves_only_the_errors(predict: Predict) -> None:
    write_picture("1.png")
    finished = predict("1.png", "missing.png", "-q")
    assert finished.err.count("\n") == 1
    assert "missing.png" in finished.err


# ── the lab ─────────────────────────────────────────────────────────────────


def test_a_checkpoint_of_a_named_model_predicts_on_torch(predict: Predict) -> None:
    write_picture("photo.png")
    checkpoint = str(asset_path("midas_nano_256.safetensors"))
    options = ["--device", "cpu", "--precision", "bfloat16", "--backend", "torch", "--offline", "--format", "npy"]
    assert predict("photo.png", "--model", "midas_nano_256", "--weights", checkpoint, *options) == Finished(0, b"", "")
    assert predict("photo.png", "--model", "midas_nano_256", "--format", "npy", "-o", "onnx") == Finished(0, b"", "")
    on_torch, on_onnx_runtime = (np.load(f"{folder}/photo.npy") for folder in ("depth", "onnx"))
    # Relative, since disparity has no unit: the scale of the values changes with every set of weights.
    np.testing.assert_allclose(on_torch, on_onnx_runtime, rtol=0.1)
    assert not np.array_equal(on_torch, on_onnx_runtime)


def test_weights_that_would_have_to_be_downloaded_are_an_error_offline(
    predict: Predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_picture("photo.png")
    monkeypatch.setenv("MIDAS_CACHE", str(tmp_path / "cache"))
    finished = predict("photo.png", "--model", "dpt_swin2_tiny_256", "--offline")
    assert (finished.status, finished.out, finished.err.count("\n")) == (1, b"", 1)
    assert finished.err.startswith("midas: error: the weights of dpt_swin2_tiny_256 are not in the cache")


def test_a_warning_is_one_line_and_quiet_leaves_it_out(predict: Predict, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_with_a_warning(model: str, **_: object) -> Predictor:
        warnings.warn("the weights are\nnot for sale", LicenceWarning, stacklevel=1)
        return midas.load(model)

    write_picture("photo.png")
    monkeypatch.setattr("midas.cli.predict.load", load_with_a_warning)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert predict("photo.png").err == "midas: warning: the weights are not for sale\n"
        assert predict("photo.png", "--overwrite", "--quiet").err == ""


# ── a process of its own ────────────────────────────────────────────────────

COMMAND = [sys.executable, "-m", "midas"]


def test_a_process_predicts_without_torch_and_without_the_progress_bar(examples_dir: Path, tmp_path: Path) -> None:
    photograph = sorted(examples_dir.glob("*.jpg"))[0]
    command = [sys.executable, "-X", "importtime", "-m", "midas", "predict", str(photograph), "-o", str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(re.findall(r"\|\s*(\w+)(?:\.[\w.]+)?$", finished.stderr, re.MULTILINE))
    assert {"onnxruntime", "cv2", "PIL"} <= imported
    assert not imported & {"torch", "timm", "onnx", "safetensors", "rich"}
    assert DepthMap.load(tmp_path / f"{photograph.stem}.png").model == midas.list_models()[0]


def hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_control_c_ends_a_run_cleanly(tiny: Path, tmp_path: Path) -> None:
    write_picture(str(tmp_path / "photos" / "000.jpg"), size=(1000, 1500))
    for index in range(1, 100):
        shutil.copy(tmp_path / "photos" / "000.jpg", tmp_path / "photos" / f"{index:03d}.jpg")
    command = [*COMMAND, "predict", "photos", "--model", str(tiny), "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # Tests that a shell started in the background ignore SIGINT, and what they start would ignore it too.
    with subprocess.Popen(command, cwd=tmp_path, preexec_fn=hear_interrupts, **pipes) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error.decode()) == (130, "midas: stopped\n")
    written = sorted((tmp_path / "depth").iterdir())
    assert 1 <= len(written) < 100
    assert all(DepthMap.load(path).values.size for path in written)


def test_a_reader_that_goes_away_ends_a_run_quietly(tiny: Path, tmp_path: Path) -> None:
    for index in range(30):
        write_picture(str(tmp_path / "photos" / f"{index:03d}.png"))
    command = [*COMMAND, "predict", "photos", "--model", str(tiny), "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        error = process.stderr.read()
    assert (process.returncode, error) == (141, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_a_terminal_sees_a_bar_and_a_summary(tiny: Path, tmp_path: Path) -> None:
    import pty

    for index in range(3):
        write_picture(str(tmp_path / "photos" / f"{index}.png"))
    controller, terminal = pty.openpty()
    command = [*COMMAND, "predict", "photos", "--model", str(tiny)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=terminal, env=environment)
    out, _ = process.communicate(timeout=60)
    os.close(terminal)
    seen = b""
    with suppress(OSError):  # how Linux says that the other end is closed
        while part := os.read(controller, 4096):
            seen += part
    os.close(controller)
    assert (process.returncode, out) == (0, b"")
    assert b"3/3" in seen
    assert b"midas: 3 done, in depth" in seen
