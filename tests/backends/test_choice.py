"""Which file of a model is run, and by what: for every row of the table, with the lab and without it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from midas.backends import choice, exactness
from midas.backends.choice import (
    FEW_PICTURES,
    Choice,
    choose_for_file,
    choose_for_name,
    for_pictures,
    threads_for_films,
)
from midas.backends.exactness import FACTS, LARGEST_DIFFERENCE, Bfloat16, is_exact
from midas.errors import MissingExtraError, ModelError
from midas.models.specs import Format, ModelSpec
from midas.models.weight_files import FoundWeights
from midas.models.zoo import DEFAULT_MODEL, MODELS

OTHERS = [name for name in MODELS if name != DEFAULT_MODEL]
WITH_ONNX = [name for name in OTHERS if MODELS[name].weights.file("onnx")]
WITHOUT_ONNX = [name for name in OTHERS if name not in WITH_ONNX]


@pytest.fixture(autouse=True)
def everything_is_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every published file is where it is looked for."""

    def find(spec: ModelSpec, *formats: Format, offline: bool | None = None) -> FoundWeights:
        file = spec.weights.file(*formats)
        assert file is not None
        return FoundWeights(Path(file.name), file)

    monkeypatch.setattr(choice, "find_weights", find)
    monkeypatch.setattr(choice, "warn_of_licence", lambda spec: None)


Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Says what this machine has, and whether its bfloat16 would be exact enough."""

    def install(*, openvino: bool, bfloat16: bool, exact: bool = True) -> None:
        monkeypatch.setattr(choice, "openvino_is_installed", lambda: openvino)
        monkeypatch.setattr(choice, "bfloat16_is_faster", lambda: bfloat16)
        monkeypatch.setattr(choice, "is_exact", lambda model: exact)

    return install


@pytest.fixture
def no_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)


def empty_file(path: Path) -> Path:
    path.touch()
    return path


def test_the_default_model_runs_on_onnx_runtime_even_where_torch_is_installed(machine: Machine) -> None:
    machine(openvino=False, bfloat16=False)
    spec = MODELS[DEFAULT_MODEL]
    assert choose_for_name(DEFAULT_MODEL) == Choice(Path(f"{DEFAULT_MODEL}.onnx"), "onnxruntime", spec, spec.input)


@pytest.mark.parametrize("openvino", [True, False])
@pytest.mark.parametrize("bfloat16", [True, False])
@pytest.mark.parametrize("exact", [True, False])
def test_openvino_is_taken_where_it_is_there_fast_and_exact_enough(
    openvino: bool, bfloat16: bool, exact: bool, machine: Machine, tmp_path: Path
) -> None:
    machine(openvino=openvino, bfloat16=bfloat16, exact=exact)
    expected = "openvino" if openvino and bfloat16 and exact else "onnxruntime"
    assert choose_for_name(DEFAULT_MODEL).backend == expected
    assert choose_for_file(empty_file(tmp_path / f"{DEFAULT_MODEL}.onnx")).backend == expected
    assert choose_for_name(DEFAULT_MODEL, backend="quick").backend == "onnxruntime"
    assert choose_for_name(DEFAULT_MODEL, precision="float32").backend == "onnxruntime"


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        ("cuda", "auto", "torch"),
        ("auto", "float16", "torch"),
        ("cpu", "bfloat16", "openvino"),
        ("cuda", "bfloat16", "torch"),
        ("cpu", "float32", "onnxruntime"),
    ],
)
def test_a_device_or_precision_that_was_asked_for_decides(
    device: str, precision: str, expected: str, machine: Machine
) -> None:
    machine(openvino=True, bfloat16=True)
    assert choose_for_name(DEFAULT_MODEL, device=device, precision=precision).backend == expected


def test_a_few_pictures_want_the_backend_that_starts_sooner() -> None:
    assert [for_pictures("auto", count) for count in (1, FEW_PICTURES, FEW_PICTURES + 1)] == ["quick", "quick", "auto"]
    assert for_pictures("openvino", 1) == "openvino"


def test_bfloat16_is_unasked_only_where_trained_weights_kept_within_the_bound() -> None:
    facts = {"a": Bfloat16(None, "", ""), "b": Bfloat16(1.1 * LARGEST_DIFFERENCE, "", ""), "c": Bfloat16(0.001, "", "")}
    with patch.dict(FACTS, facts):
        assert [is_exact(name) for name in ("a", "b", "c", "unknown", None)] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("vendor", "flags", "has", "is_faster"),
    [
        ("AuthenticAMD", "flags\t\t: fpu avx512_bf16", True, True),
        ("GenuineIntel", "flags\t\t: fpu avx512_bf16 amx_bf16 amx_tile", True, True),
        ("GenuineIntel", "flags\t\t: fpu avx512_bf16", True, False),  # the host hides the matrix units
        ("AuthenticAMD", "flags\t\t: fpu avx512f", False, False),
        ("", "Features\t: bf16", False, False),
    ],
)
def test_whether_a_processor_is_faster_in_bfloat16_is_read_from_what_linux_says(
    vendor: str, flags: str, has: bool, is_faster: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = f"processor\t: 0\nvendor_id\t: {vendor}\n{flags}\n"
    (tmp_path / "cpuinfo").write_text(f"{first}\nprocessor\t: 1\nflags\t\t: other\n", encoding="ascii")
    monkeypatch.setattr(exactness, "_CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(exactness.platform, "system", lambda: "Linux")
    monkeypatch.setattr(exactness, "_cpu_info", exactness._cpu_info.__wrapped__)
    assert exactness.cpu_has_bfloat16() is has
    assert exactness.bfloat16_is_faster() is is_faster


def test_a_file_of_openvino_runs_on_openvino_alone(tmp_path: Path) -> None:
    path = empty_file(tmp_path / "mine.xml")
    assert choose_for_file(path).backend == "openvino"
    with pytest.raises(ModelError, match=r"backend 'onnxruntime' doesn't run .*mine\.xml, 'openvino' does"):
        choose_for_file(path, backend="onnxruntime")


@pytest.mark.parametrize("name", OTHERS)
def test_a_model_that_is_not_part_of_the_package_runs_on_torch(name: str) -> None:
    chosen = choose_for_name(name)
    assert (chosen.backend, chosen.spec, chosen.input) == ("torch", MODELS[name], MODELS[name].input)
    assert chosen.path.suffix in {".pt", ".pth", ".safetensors"}


@pytest.mark.usefixtures("no_lab")
@pytest.mark.parametrize("name", WITH_ONNX)
def test_without_the_lab_a_published_onnx_file_is_run_by_its_own_rule(name: str) -> None:
    chosen = choose_for_name(name)
    assert (chosen.backend, chosen.path.suffix) == ("onnxruntime", ".onnx")
    assert chosen.input is not None
    assert (chosen.input.fixed, chosen.input.mean) == (True, (0.0, 0.0, 0.0))


@pytest.mark.usefixtures("no_lab")
@pytest.mark.parametrize("name", WITHOUT_ONNX)
def test_without_the_lab_a_model_that_needs_it_says_so(name: str) -> None:
    with pytest.raises(MissingExtraError, match=rf"{name} needs .*midas-depth\[lab\]"):
        choose_for_name(name)


@pytest.mark.usefixtures("no_lab")
def test_without_the_lab_neither_torch_nor_its_files_can_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="backend 'torch'"):
        choose_for_name(DEFAULT_MODEL, backend="torch")
    with pytest.raises(MissingExtraError, match=r"best\.pt"):
        choose_for_file(empty_file(tmp_path / "best.pt"))


@pytest.mark.parametrize("name", WITHOUT_ONNX)
def test_a_backend_without_a_file_says_which_files_there_are(name: str) -> None:
    with pytest.raises(ModelError, match=rf"{name}: {MODELS[name].weights.files[0].name}.*midas export"):
        choose_for_name(name, backend="onnxruntime")


@pytest.mark.parametrize(
    ("file_name", "backend", "fits"),
    [
        ("a.onnx", "torch", "'onnxruntime' or 'openvino'"),
        ("a.pt", "onnxruntime", "'torch' or 'torch-compile'"),
    ],
)
def test_a_file_of_another_backend_says_which(file_name: str, backend: str, fits: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"backend '{backend}' doesn't run .*{file_name}, {fits} does"):
        choose_for_file(empty_file(tmp_path / file_name), backend=backend)


@pytest.mark.parametrize("suffix", choice.WEIGHTS_SUFFIXES)
def test_weights_under_a_given_name_run_on_torch(suffix: str, tmp_path: Path) -> None:
    path, spec = empty_file(tmp_path / f"file{suffix}"), MODELS["dpt_large_384"]
    assert choose_for_file(path, name=spec.name) == Choice(path, "torch", spec, spec.input)


def test_an_unknown_onnx_file_is_left_to_describe_itself(tmp_path: Path) -> None:
    path = empty_file(tmp_path / "mine.onnx")
    assert choose_for_file(path) == Choice(path, "onnxruntime", None, None)


def test_a_released_onnx_file_under_the_name_of_another_model_is_refused(tmp_path: Path) -> None:
    path = empty_file(tmp_path / "model-small.onnx")
    with pytest.raises(ModelError, match="of midas_v21_small_256; expected one of dpt_large_384"):
        choose_for_file(path, name="dpt_large_384")


@pytest.mark.usefixtures("no_lab")
def test_a_precision_that_there_is_nowhere_is_refused_before_any_library_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no precision is called 'int3'; there are: auto, float32, bfloat16, float16"):
        choose_for_name(DEFAULT_MODEL, precision="int3")
    with pytest.raises(ModelError, match="no precision is called 'int3'"):
        choose_for_file(empty_file(tmp_path / "a.pt"), precision="int3")


@pytest.mark.parametrize(
    ("backend", "asked", "cores", "threads"),
    [("openvino", None, 2, 1), ("openvino", None, 1, None), ("openvino", None, 16, None), ("openvino", 2, 2, 2),
     ("auto", None, 2, None)],
)  # fmt: skip
def test_a_films_network_leaves_a_core_of_few_to_the_other_stages(
    backend: str, asked: int | None, cores: int, threads: int | None
) -> None:
    assert threads_for_films(backend, asked, cores) == threads
