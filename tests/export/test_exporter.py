"""Every format gives the network's numbers back; what can't be had, or departs too far, leaves no file."""

from __future__ import annotations

import dataclasses
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import midas
from midas.errors import ConfigError, MissingExtraError, ModelError, OutputError
from midas.export import verify
from midas.export.exporter import SUFFIXES, ExportOptions, Format, export_network, input_rule
from midas.export.onnx import open_onnx
from midas.export.openvino import open_openvino
from midas.export.torch_files import open_torch_export, open_torchscript
from midas.export.verify import BOUNDS, Bound, Difference, Precision, check
from midas.models import create_model
from midas.models.network import DepthNetwork
from midas.models.padding import constant_padding
from midas.models.zoo import MODELS, find_model

SPEC = find_model("midas_nano_256")
DYNAMIC = ("midas_v21_small_256", "midas_v21_384", "dpt_hybrid_384", "dpt_beit_base_384", "depth_anything_v2_vits")
OPENERS = {
    "onnx": open_onnx,
    "openvino": open_openvino,
    "torchscript": open_torchscript,
    "torch-export": open_torch_export,
}


def deterministic(name: str) -> DepthNetwork:
    """A network whose untrained weights are large enough for its output to be more than its last bias."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = create_model(name, weights=None)
        for key, parameter in network.named_parameters():
            if parameter.ndim > 1 and key.endswith("weight"):
                torch.nn.init.kaiming_normal_(parameter, nonlinearity="linear").data.mul_(0.8)
    return network


@pytest.fixture(scope="module")
def network() -> DepthNetwork:
    # Trained, since integers that were calibrated on a map of random weights say nothing.
    return create_model("midas_nano_256")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory, examples_dir: Path) -> Path:
    """Two pictures: comparing on more takes longer and shows no more here."""
    folder = tmp_path_factory.mktemp("photographs")
    for name in ("cat.jpg", "astronaut.jpg"):
        (folder / name).symlink_to(examples_dir / name)
    return folder


@pytest.mark.parametrize(
    ("form", "precision"),
    [
        ("onnx", "fp32"),
        ("onnx", "fp16"),
        ("onnx", "bf16"),
        ("onnx", "int8"),
        ("openvino", "fp32"),
        ("openvino", "fp16"),
        ("openvino", "bf16"),
        ("openvino", "int8"),
        ("torchscript", "fp32"),
        ("torchscript", "bf16"),
        ("torch-export", "fp32"),
    ],
)
def test_a_file_read_back_gives_the_network_s_numbers(
    form: Format, precision: Precision, network: DepthNetwork, photographs: Path, tmp_path: Path
) -> None:
    if form == "openvino":
        pytest.importorskip("openvino")
        if precision == "int8":
            pytest.importorskip("nncf")
    path = tmp_path / f"nano{SUFFIXES[form]}"
    options = ExportOptions(form, precision, pictures=photographs, calibration=photographs)
    exported = export_network(network, SPEC, path, options)
    assert [file.exists() for file in exported.paths] == [True] * len(exported.paths)
    side = 128 if form != "torch-export" else 256
    photograph = Image.open(photographs / "cat.jpg").convert("RGB").resize((side, side))
    pixels = np.asarray(photograph, np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels)).numpy()
    departure = np.abs(OPENERS[form](path)(pixels) - expected) / np.ptp(expected)
    assert float(departure.mean()) < BOUNDS[precision].mean


@pytest.mark.slow
@pytest.mark.parametrize("name", ["midas_nano_256", *DYNAMIC])
def test_a_file_of_torch_export_takes_all_sizes_where_it_is_asked_to(
    name: str, photographs: Path, tmp_path: Path
) -> None:
    made = deterministic(name)
    options = ExportOptions("torch-export", dynamic=True, pictures=photographs)
    export_network(made, MODELS[name], tmp_path / "a.pt2", options)
    run, step = open_torch_export(tmp_path / "a.pt2"), made.input_spec.multiple
    for shape in ((1, 3, 5 * step, 3 * step), (3, 3, 4 * step, 4 * step)):
        pixels = np.random.default_rng(0).standard_normal(shape, np.float32)
        with torch.inference_mode():
            expected = made(torch.from_numpy(pixels)).numpy()
        np.testing.assert_allclose(run(pixels), expected, atol=1e-4 * np.ptp(expected))


def test_constant_padding_gives_the_numbers_of_timm_s(tmp_path: Path) -> None:
    # Both kinds of padded convolution, and a padded maximum.
    for name in ("midas_v21_small_256", "dpt_hybrid_384"):
        made = deterministic(name)
        pixels = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            expected = made(pixels)
            with constant_padding():
                assert torch.equal(made(pixels), expected)
            assert torch.equal(made(pixels), expected)


def test_threads_that_pad_by_constants_leave_timm_as_it_was() -> None:
    from timm.layers.std_conv import pad_same

    def pad(_: int) -> None:
        for _ in range(200):
            with constant_padding():
                pass

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(pad, range(8)))
    assert vars(sys.modules["timm.layers.std_conv"])["pad_same"] is pad_same
    assert pad_same.__module__.startswith("timm.")


def test_half_precision_halves_the_file(network: DepthNetwork, photographs: Path, tmp_path: Path) -> None:
    sizes = {}
    for precision in ("fp32", "fp16", "bf16"):
        options = ExportOptions("onnx", precision, pictures=photographs)
        sizes[precision] = (
            export_network(network, SPEC, tmp_path / f"{precision}.onnx", options).paths[0].stat().st_size
        )
    assert sizes["fp16"] < 0.55 * sizes["fp32"]
    assert sizes["bf16"] < 0.55 * sizes["fp32"]


def test_a_file_of_one_size_predicts_pictures_squeezed_to_it(
    network: DepthNetwork, photographs: Path, tmp_path: Path
) -> None:
    options = ExportOptions(size=(96, 160), pictures=photographs)
    export_network(network, SPEC, tmp_path / "one.onnx", options)
    predictor = midas.load(tmp_path / "one.onnx")
    assert predictor.input.network_size((480, 640)) == (96, 160)
    assert predictor(np.zeros((48, 64, 3), np.uint8)).values.shape == (48, 64)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_graph_with_pre_and_postprocessing_gives_what_the_predictor_gives(
    precision: Precision, network: DepthNetwork, photographs: Path, tmp_path: Path
) -> None:
    whole = ExportOptions("onnx", precision, pre_post=True, pictures=photographs, calibration=photographs)
    plain = dataclasses.replace(whole, pre_post=False)
    export_network(network, SPEC, tmp_path / "whole.onnx", whole)
    export_network(network, SPEC, tmp_path / "plain.onnx", plain)
    image = np.random.default_rng(0).integers(0, 256, (211, 307, 3), dtype=np.uint8)
    expected = midas.load(tmp_path / "plain.onnx")(image).values
    actual = open_onnx(tmp_path / "whole.onnx")(image)
    predictor = midas.load(tmp_path / "whole.onnx")
    np.testing.assert_array_equal(predictor(image).values, actual)
    # In integers a difference in the last bit of a pixel can become a whole step, so that only the mean is small.
    departure = np.abs(actual - expected) / np.ptp(expected)
    assert float(departure.mean()) < (1e-4 if precision == "fp32" else 5e-2)


@pytest.mark.parametrize(
    ("options", "name", "words"),
    [
        (ExportOptions("torchscript", "int8", calibration=Path()), "a.pt", "no int8"),
        (ExportOptions("torch-export", pre_post=True), "a.pt2", "no pre- and postprocessing"),
        (ExportOptions("onnx", "int8"), "a.onnx", "calibrate"),
        (ExportOptions("onnx", size=(256, 256), dynamic=True), "a.onnx", "not both"),
        (ExportOptions("onnx", size=(250, 256)), "a.onnx", "nearest is 256x256"),
        (ExportOptions("onnx"), "a.xml", "ends in .onnx"),
        (ExportOptions("onnx", pictures=Path("nowhere")), "a.onnx", "holds no picture"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: ExportOptions, name: str, words: str, network: DepthNetwork, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        export_network(network, SPEC, tmp_path / name, options)
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_one_size_has_no_dynamic_export() -> None:
    with pytest.raises(ConfigError, match="224x224 only"):
        input_rule(find_model("dpt_levit_224").input, ExportOptions(dynamic=True))


def test_a_missing_package_is_named_before_any_work(
    network: DepthNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midas.export.openvino.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"midas-depth\[openvino\]"):
        export_network(network, SPEC, tmp_path / "nano.xml", ExportOptions("openvino"))


@pytest.mark.parametrize("form", ["onnx", "torchscript"])
def test_a_file_that_departs_too_far_is_not_written(
    form: Format, network: DepthNetwork, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(verify.BOUNDS, "fp32", Bound(-1.0, -1.0))
    with pytest.raises(ModelError, match="not written"):
        export_network(network, SPEC, tmp_path / f"a{SUFFIXES[form]}", ExportOptions(form, pictures=photographs))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("figures", [(0.5, 0.0), (0.0, 0.5), (float("nan"), float("nan"))])
def test_the_bound_holds_for_the_largest_and_the_mean_and_for_what_is_no_number(figures: tuple[float, float]) -> None:
    with pytest.raises(ModelError, match="another precision"):
        check(Difference(*figures, sizes=((1, 1),), pictures=1), "fp32")


def test_weights_beside_an_openvino_graph_are_kept_too(network: DepthNetwork, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    (tmp_path / "a.bin").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"a\.bin exists already"):
        export_network(network, SPEC, tmp_path / "a.xml", ExportOptions("openvino"))
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.bin", b"mine")]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_network_can_be_exported_to_onnx(name: str, photographs: Path, tmp_path: Path) -> None:
    exported = export_network(
        deterministic(name), MODELS[name], tmp_path / "a.onnx", ExportOptions(pictures=photographs)
    )
    assert exported.difference.largest < BOUNDS["fp32"].largest


@pytest.mark.slow
@pytest.mark.parametrize("name", ["midas_v21_small_256", "dpt_levit_224", "hf_depth_anything_v2_small"])
def test_networks_of_other_input_rules_take_pictures_too(name: str, photographs: Path, tmp_path: Path) -> None:
    options = ExportOptions(pre_post=True, pictures=photographs)
    exported = export_network(deterministic(name), MODELS[name], tmp_path / "a.onnx", options)
    assert exported.difference.mean < exported.bound.mean
