"""load and Predictor: which models there are, and that a prediction is its three steps and nothing else."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.tiny_model import INPUT, write_tiny_model

import midas
from midas.arrays import Array
from midas.assets import asset_path
from midas.backends import open_backend
from midas.errors import ConfigError, ImageError, MidasError, ModelError
from midas.models.zoo import MODELS
from midas.predictor import Predictor
from midas.preprocess import InputSpec, Preprocess
from midas.resize import resize_map

SIZES = [(70, 90), (300, 64), (64, 64), (33, 129), (120, 50)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return midas.load(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


@pytest.fixture(scope="module")
def logarithm(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return midas.load(write_tiny_model(tmp_path_factory.mktemp("model") / "logarithm.onnx", logarithm=True))


def picture(size: tuple[int, int], seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def grey(level: int) -> Array:
    return np.full((64, 64, 3), level, np.uint8)


def assert_predicted(maps: list[midas.DepthMap], predictor: Predictor, images: list[Array]) -> None:
    for depth_map, image in zip(maps, images, strict=True):
        assert np.array_equal(depth_map.values, predictor(image).values)


def midas_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("midas-")]


# ── load ────────────────────────────────────────────────────────────────────


def test_the_listed_models_are_those_of_the_table() -> None:
    assert midas.list_models() == list(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_built_in_model_file_says_of_itself_what_the_table_says(name: str) -> None:
    metadata = open_backend(asset_path(f"{name}.onnx")).metadata
    assert metadata["midas.name"] == name
    assert InputSpec.from_metadata(metadata["midas.input"]) == MODELS[name].input


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_the_table_predicts_at_the_size_of_the_picture(name: str) -> None:
    predictor = midas.load(name)
    depth_map = predictor(picture((45, 81)))
    assert (predictor.name, predictor.spec) == (name, MODELS[name])
    assert depth_map.size == (45, 81)
    assert depth_map.model == name


def test_a_model_file_brings_its_own_name_and_input(tiny: Predictor) -> None:
    assert (tiny.name, tiny.input, tiny.spec) == ("tiny", INPUT, None)


def test_a_model_file_without_a_name_is_called_after_the_file(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "mine.onnx", metadata={"midas.input": INPUT.to_metadata()})
    assert midas.load(str(path)).name == "mine"


def test_a_model_file_that_does_not_describe_its_input_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "bare.onnx", metadata={})
    with pytest.raises(ModelError, match=r"midas\.input"):
        midas.load(path)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ModelError, match="midas_nano_256"):
        midas.load("midas_nono_256")


@pytest.mark.parametrize("name", ["missing.onnx", "folder/missing", "folder"])
def test_a_path_without_a_file_is_said_so(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match="no model file"):
        midas.load(tmp_path / name)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_weights_for_training_lead_to_the_lab(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"midas-depth\[lab\].*midas export"):
        midas.load(tmp_path / f"best{suffix}")


@pytest.mark.parametrize(
    "choice",
    [{"backend": "torch"}, {"backend": "tpu"}, {"device": "cuda"}, {"precision": "float16"}, {"threads": 0}],
    ids=lambda choice: "=".join(map(str, *choice.items())),
)
def test_what_no_backend_has_is_refused(choice: dict[str, str | int]) -> None:
    with pytest.raises(ModelError, match=str(*choice.values())):
        midas.load(**choice)


def test_the_choices_that_there_are_give_the_same_values(tiny: Predictor, tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx")
    chosen = midas.load(path, backend="onnxruntime", device="cpu", precision="float32", threads=1)
    assert np.array_equal(chosen(picture((70, 90))).values, tiny(picture((70, 90))).values)


def test_a_size_sets_the_shorter_side_of_the_input(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx")
    assert midas.load(path, size=128).prepare(picture((100, 200))).pixels.shape == (1, 3, 128, 256)
    with pytest.raises(ConfigError):
        midas.load(path, size=0)


# ── one picture ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", SIZES)
def test_a_prediction_is_preprocessing_then_the_network_then_resizing(size: tuple[int, int], tiny: Predictor) -> None:
    image = picture(size)
    disparity = Preprocess(INPUT)(image)[0].mean(axis=0)
    np.testing.assert_allclose(tiny(image).values, resize_map(disparity, size), atol=1e-5)


def test_the_brighter_side_is_the_nearer_one_for_a_network_that_says_so(tiny: Predictor) -> None:
    values = tiny(np.concatenate([grey(30), grey(220)], axis=1)).values
    assert values[:, :40].max() < values[:, -40:].min()


def test_every_kind_of_source_gives_the_same_map(tiny: Predictor, tmp_path: Path) -> None:
    image = picture((70, 90))
    path = tmp_path / "photo.png"
    Image.fromarray(image).save(path)
    sources = [path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), Image.fromarray(image), image]
    maps = [tiny(source) for source in sources]
    assert all(np.array_equal(depth_map.values, maps[0].values) for depth_map in maps)
    assert [depth_map.source for depth_map in maps] == ["photo.png", "photo.png", None, None, None, None]
    assert {depth_map.model for depth_map in maps} == {"tiny"}


def test_the_interpolation_is_the_one_that_was_asked_for(tiny: Predictor) -> None:
    image = picture((130, 130))
    nearest = tiny(image, interpolation="nearest").values
    assert set(np.unique(nearest)) <= set(np.unique(tiny.backend(tiny.prepare(image).pixels)))


def test_a_picture_beyond_the_limit_is_refused(tiny: Predictor, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "large.png")
    with pytest.raises(ImageError, match="1200"):
        tiny(tmp_path / "large.png", max_pixels=1199)


def test_a_picture_is_kept_only_where_that_is_asked(tiny: Predictor) -> None:
    image = picture((70, 90))
    assert tiny.prepare(image).image is None
    assert np.array_equal(tiny.prepare(image, keep_image=True).image, image)


def test_numbers_that_are_not_finite_are_an_error(logarithm: Predictor) -> None:
    assert logarithm(grey(255)).size == (64, 64)
    with pytest.raises(ModelError, match="not finite"):
        logarithm(grey(10))


def test_threads_may_share_a_predictor(tiny: Predictor) -> None:
    images = [picture(size, seed) for seed, size in enumerate(SIZES * 4)]
    with ThreadPoolExecutor(4) as executor:
        maps = list(executor.map(tiny, images))
    assert_predicted(maps, tiny, images)


# ── many pictures ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_stream_gives_what_calls_give_in_order(workers: int, tiny: Predictor) -> None:
    images = [picture(size, seed) for seed, size in enumerate(SIZES)]
    maps = list(tiny.stream(images, workers=workers))
    assert [depth_map.size for depth_map in maps] == SIZES
    assert_predicted(maps, tiny, images)


def test_a_stream_raises_in_the_turn_of_the_picture_that_failed(tiny: Predictor) -> None:
    stream = tiny.stream([picture((64, 64)), b"no picture", picture((64, 64))])
    next(stream)
    with pytest.raises(ImageError):
        next(stream)
    assert midas_threads() == []


def test_a_stream_goes_on_where_errors_are_taken(logarithm: Predictor) -> None:
    errors: list[tuple[object, type[MidasError]]] = []
    dark, sources = grey(10), [grey(255), b"no picture", grey(200)]
    maps = list(logarithm.stream([*sources, dark], on_error=lambda source, error: errors.append((source, type(error)))))
    assert len(maps) == 2
    assert errors[0] == (b"no picture", ImageError)
    assert errors[1][0] is dark
    assert errors[1][1] is ModelError


def test_a_stream_reads_only_a_few_pictures_ahead(tiny: Predictor) -> None:
    drawn = 0

    def endless() -> Iterator[Array]:
        nonlocal drawn
        for drawn in count(1):
            yield grey(drawn % 256)

    stream = tiny.stream(endless(), workers=3)
    for taken in range(1, 21):
        next(stream)
        assert drawn <= taken + 3
    stream.close()


def test_a_stream_that_is_closed_leaves_no_threads(tiny: Predictor) -> None:
    stream = tiny.stream(grey(level) for level in count())
    next(stream)
    assert midas_threads()
    stream.close()
    assert midas_threads() == []


def test_a_stream_needs_a_worker(tiny: Predictor) -> None:
    with pytest.raises(ConfigError, match="workers is 0"):
        next(tiny.stream([], workers=0))
