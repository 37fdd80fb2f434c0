"""Pictures that go through the network together: on a card, which gains from it, and not on a processor."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.serving.conftest import Client, picture

import midas
from midas.arrays import Array, Float32
from midas.backends.protocol import device_of
from midas.errors import MidasError, ModelError
from midas.maps.depth_map import DepthMap
from midas.predictor import Predictor
from midas.serving import shelf
from midas.serving.app import create_app
from midas.serving.batching import CARD_BATCH, Batches
from midas.serving.limits import Limits, ServeOptions
from midas.tiling.prepared import Prepared


@dataclass
class Counting:
    """A back end whose disparity is the mean of the channels, and that notes how many pictures came at once."""

    sizes: list[int] = field(default_factory=list)
    fails: bool = False
    device: str = "cpu"

    @property
    def metadata(self) -> Mapping[str, str]:
        return {}

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        self.sizes.append(len(pixels))
        if self.fails:
            raise ModelError("it never works")
        return pixels.mean(axis=1)


def outcomes_of(batches: Batches, predictor: Predictor, count: int) -> list[object]:
    inputs = [predictor.prepare(picture(seed=seed)) for seed in range(count)]
    start = threading.Barrier(count)

    def ask(number: int) -> object:
        start.wait()
        try:
            return batches.infer(predictor, inputs[number])
        except MidasError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


@pytest.mark.parametrize(("most", "sizes"), [(4, [4]), (8, [4]), (1, [1, 1, 1, 1])])
def test_pictures_that_come_together_go_through_the_network_together(most: int, sizes: list[int], tiny: Path) -> None:
    backend = Counting()
    predictor = Predictor("counting", midas.load(tiny).input, backend)
    found = outcomes_of(Batches(most, 0.5), predictor, 4)
    assert backend.sizes == sizes
    for seed, each in enumerate(found):
        assert np.array_equal(each.values, predictor(picture(seed=seed)).values)  # type: ignore[attr-defined]


def test_a_server_that_collects_batches_gives_the_bytes_of_one_that_does_not(
    served: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    together = Predictor.infer_batch

    def counted(predictor: Predictor, batch: list[Prepared], **options: int) -> list[DepthMap | MidasError]:
        sizes.append(len(batch))
        return together(predictor, batch, **options)

    alone = [served().post("/v1/depth?format=npy", content=picture(seed=seed)).content for seed in range(8)]
    monkeypatch.setattr(Predictor, "infer_batch", counted)
    client = served(batch=4, batch_wait_s=0.3)
    sizes.clear()  # of trying the model out
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda seed: client.post("/v1/depth?format=npy", content=picture(seed=seed)).content, range(8))
        )
    assert answers == alone
    assert sum(sizes) == 8
    assert max(sizes) == 4


def test_a_batch_that_fails_fails_for_each_of_its_pictures(tiny: Path) -> None:
    predictor = Predictor("failing", midas.load(tiny).input, Counting(fails=True))
    found = outcomes_of(Batches(3, 0.5), predictor, 3)
    assert all(isinstance(each, ModelError) for each in found)


@dataclass
class Session:
    """As much of a session of ONNX Runtime as says what it runs on."""

    providers: list[str]

    def get_providers(self) -> list[str]:
        return self.providers

    def get_modelmeta(self) -> SimpleNamespace:
        return SimpleNamespace(custom_metadata_map={})


def sizes_by_default(device: str, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many of eight pictures that come together go through a network on that device at once, by default."""
    backend = Counting(device=device)
    predictor = Predictor("counting", midas.load(tiny).input, backend)
    monkeypatch.setattr(shelf, "load", lambda *_, **__: predictor)
    options = ServeOptions(models=("counting",), batch_wait_s=0.5, limits=Limits(decodes=2, queue_s=30.0))
    assert options.device == "auto"
    app = create_app(options)
    app.state.service.shelf.load()
    backend.sizes.clear()  # of trying the model out
    with TestClient(app) as client, ThreadPoolExecutor(CARD_BATCH) as pool:
        answers = pool.map(lambda seed: client.post("/v1/depth", content=picture(seed=seed)), range(CARD_BATCH))
        assert {answer.status_code for answer in answers} == {200}
    return backend.sizes


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps", "directml", "gpu"])
def test_what_auto_finds_to_be_a_card_collects_batches(
    device: str, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = sizes_by_default(device, tiny, monkeypatch)
    assert sum(sizes) == CARD_BATCH
    assert max(sizes) > 2  # more than --decodes lets come on a processor


def test_what_auto_finds_to_be_a_processor_collects_none(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sizes_by_default("cpu", tiny, monkeypatch) == [1] * CARD_BATCH


def test_the_start_says_what_the_models_run_on(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = midas.load(tiny).input
    backends = {"one": Counting(device="cuda:1"), "two": Counting()}
    monkeypatch.setattr(shelf, "load", lambda name, **_: Predictor(name, rule, backends[name]))
    app = create_app(ServeOptions(models=("one", "two")))
    app.state.service.shelf.load()
    assert app.state.service.runs_on() == "on cuda:1, up to 8 pictures at once and on cpu"


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino", "torch"])
def test_every_back_end_says_what_it_runs_on(backend: str) -> None:
    pytest.importorskip(backend)
    found = midas.load(backend=backend, device="cpu", offline=True).backend
    assert device_of(found) == "cpu"


def test_onnx_runtime_says_which_provider_it_could_load(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = midas.load(tiny, backend="onnxruntime").backend
    for providers, device in (
        (["CUDAExecutionProvider", "CPUExecutionProvider"], "cuda"),
        (["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"], "tensorrt"),
        (["CPUExecutionProvider"], "cpu"),  # of cuda whose libraries aren't there
    ):
        monkeypatch.setattr(found, "_session", Session(providers))
        assert device_of(found) == device
