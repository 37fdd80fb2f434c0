"""load and Predictor: which models there are, and that a prediction is its three steps and nothing else."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.tiny_model import INPUT, TinyGraph, write_tiny_model

import midas
from midas.arrays import Array, Float32
from midas.assets import asset_path
from midas.backends import Backend, open_backend
from midas.errors import ConfigError, ImageError, MidasError, ModelError, UnknownFormatError, WeightsError
from midas.maps.resize import resize_map
from midas.models.zoo import MODELS
from midas.pictures.preprocess import InputSpec, Preprocess
from midas.predictor import Predictor

BUILT_IN = [name for name in MODELS if asset_path(f"{name}.onnx").is_file()]
RELEASED_ONNX = [("midas_v21_small_256", "model-small.onnx", 256), ("midas_v21_384", "model-f6b98070.onnx", 384)]
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


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_model_file_says_of_itself_what_the_table_says(name: str) -> None:
    metadata = open_backend(asset_path(f"{name}.onnx")).metadata
    assert metadata["midas.name"] == name
    assert InputSpec.from_metadata(metadata["midas.input"]) == MODELS[name].input


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_model_predicts_at_the_size_of_the_picture(name: str) -> None:
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


def test_weights_beside_the_path_of_a_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tiny\.onnx is a file, as is best\.pt; expected a model's name"):
        midas.load(tmp_path / "tiny.onnx", weights="best.pt")


def test_weights_that_are_not_there_are_said_so() -> None:
    with pytest.raises(ModelError, match=r"no model file missing\.onnx"):
        midas.load("midas_nano_256", weights="missing.onnx")


def test_an_onnx_file_may_replace_the_weights_of_a_named_model(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "mine.onnx", metadata={})
    predictor = midas.load("midas_nano_256", weights=path)
    spec = MODELS["midas_nano_256"]
    assert (predictor.name, predictor.spec, predictor.input) == (spec.name, spec, spec.input)
    bright, dark = predictor(grey(220)).values.mean(), predictor(grey(30)).values.mean()
    assert bright > dark


def test_a_file_that_says_it_is_another_model_than_the_named_one_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "mine.onnx", metadata={"midas.name": "midas_nano_256"})
    with pytest.raises(ModelError, match="says that it is midas_nano_256; expected a file of dpt_large_384"):
        midas.load("dpt_large_384", weights=path)


def test_a_file_knows_better_than_its_name_what_it_is(tmp_path: Path) -> None:
    predictor = midas.load(write_tiny_model(tmp_path / "model-small.onnx"))
    assert (predictor.name, predictor.input, predictor.spec) == ("model-small", INPUT, None)


def test_two_files_of_one_model_have_two_names_and_a_run_lends_its_own(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    names = [midas.load(write_tiny_model(tmp_path / path)).name for path in ("one.onnx", "two.onnx", "shelf/best.onnx")]
    assert names == ["one", "two", "shelf-best"]


@pytest.mark.parametrize(("name", "file_name", "side_px"), RELEASED_ONNX)
def test_a_released_onnx_file_is_known_by_its_name(name: str, file_name: str, side_px: int, tmp_path: Path) -> None:
    released = TinyGraph(metadata={}, input_name="0", output_name="797", shape=(1, side_px, side_px))
    predictor = midas.load(released.write(tmp_path / file_name))
    image = picture((45, 81))
    assert (predictor.name, predictor.spec, predictor.input.fixed) == (name, MODELS[name], True)
    assert predictor.prepare(image).pixels.shape == (1, 3, side_px, side_px)
    assert predictor(grey(255)).values == pytest.approx(1, abs=1e-6)  # the network normalises by itself
    assert predictor(image).size == (45, 81)
    with pytest.raises(ConfigError, match=f"expected {side_px}"):
        midas.load(tmp_path / file_name, size=128)


def test_weights_of_the_lab_run_on_torch_and_agree_with_the_onnx_file(tmp_path: Path) -> None:
    image = picture((70, 90))
    expected = midas.load("midas_nano_256", precision="float32")(image).values
    path = asset_path("midas_nano_256.safetensors")
    chosen = midas.load("midas_nano_256", weights=path, precision="float32")
    assert (type(chosen.backend).__name__, chosen.spec) == ("TorchBackend", MODELS["midas_nano_256"])
    np.testing.assert_allclose(chosen(image).values, expected, atol=1e-4)
    by_name = midas.load("midas_nano_256", backend="torch", device="cpu", precision="float32")
    assert np.array_equal(by_name(image).values, chosen(image).values)


def test_weights_under_another_name_are_known_by_what_they_hold(tmp_path: Path) -> None:
    path = Path(shutil.copy(asset_path("midas_nano_256.safetensors"), tmp_path / "best.safetensors"))
    assert midas.load(path, device="cpu").spec == MODELS["midas_nano_256"]


def test_weights_that_fit_no_model_are_refused(tmp_path: Path) -> None:
    (tmp_path / "best.safetensors").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match=r"best\.safetensors"):
        midas.load(tmp_path / "best.safetensors")


def test_a_precision_that_only_torch_has_chooses_torch() -> None:
    assert type(midas.load("midas_nano_256", precision="float16").backend).__name__ == "TorchBackend"


@pytest.mark.parametrize(
    "choice",
    [
        {"backend": "tpu"},
        {"device": "tpu"},
        {"precision": "float8"},
        {"threads": 0},
        {"threads": -1, "backend": "torch"},
    ],
    ids=str,
)
def test_what_no_backend_has_is_refused(choice: dict[str, str | int]) -> None:
    with pytest.raises(ModelError, match=str(next(iter(choice.values())))):
        midas.load(**choice)


@pytest.mark.parametrize("choice", [{"device": "cuda"}, {"precision": "bfloat16"}], ids=str)
def test_what_onnx_runtime_lacks_is_refused_and_torch_named(choice: dict[str, str]) -> None:
    with pytest.raises(ModelError, match=r"Backend 'torch' of midas-depth\[lab\]"):
        midas.load("midas_nano_256", backend="onnxruntime", **choice)


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


def test_a_file_says_how_its_maps_grow_to_the_size_of_the_picture(tmp_path: Path) -> None:
    metadata = {"midas.input": replace(INPUT, restore="aligned_linear").to_metadata()}
    predictor = midas.load(write_tiny_model(tmp_path / "tiny.onnx", metadata=metadata))
    image = picture((130, 190))
    disparity = predictor.backend(predictor.prepare(image).pixels)[0]
    for asked in (None, "aligned_linear", "cubic"):
        expected = resize_map(disparity, (130, 190), asked or "aligned_linear")
        assert np.array_equal(predictor(image, interpolation=asked).values, expected)


@pytest.mark.parametrize("size", [(300, 260), (520, 700), (60, 64)])
def test_a_guided_map_is_the_same_by_every_way_and_looks_at_the_picture_s_own_pixels(
    tiny: Predictor, tmp_path: Path, size: tuple[int, int]
) -> None:
    image = picture(size)
    Image.fromarray(image).save(tmp_path / "photo.png")
    called = tiny(image, interpolation="guided").values
    disparity = tiny.backend(tiny.prepare(image).pixels)[0]
    np.testing.assert_array_equal(called, resize_map(disparity, size, "guided", image))
    own = tiny.growing_by("guided")
    assert tiny.input.restore == "cubic"
    (streamed,) = own.stream([tmp_path / "photo.png"])
    (batched,) = own.infer_batch([own.prepare(image)])
    for depth_map in (own(image), streamed, batched, own(image, full_decode=True)):
        np.testing.assert_array_equal(depth_map.values, called)


def test_a_map_is_guided_by_no_more_of_the_picture_than_four_times_its_own_size(tiny: Predictor) -> None:
    guide = tiny.prepare(picture((1000, 1500)), interpolation="guided").guide
    assert guide is not None
    assert guide.shape == (256, 384, 3)
    assert tiny.prepare(picture((1000, 1500))).guide is None


def test_without_the_picture_a_guided_map_is_refused_and_the_model_s_own_way_is_cubic(tiny: Predictor) -> None:
    own, image = tiny.growing_by("guided"), picture((300, 400))
    unguided = own.prepare(image, interpolation="cubic")
    np.testing.assert_array_equal(own.infer(unguided).values, tiny(image).values)
    with pytest.raises(ConfigError, match="needs the picture"):
        own.infer(unguided, interpolation="guided")


def test_tiles_grow_along_the_picture_s_edges_too(tiny: Predictor) -> None:
    image, tiled = picture((600, 800)), tiny.tiled(2)
    found = tiled(image, interpolation="guided")
    assert found.size == (600, 800)
    assert not np.array_equal(found.values, tiled(image).values)


def test_a_picture_beyond_the_limit_is_refused(tiny: Predictor, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "large.png")
    with pytest.raises(ImageError, match="1200"):
        tiny(tmp_path / "large.png", max_pixels=1199)


def test_a_picture_is_kept_only_where_that_is_asked(tiny: Predictor) -> None:
    image = picture((70, 90))
    assert tiny.prepare(image).image is None
    assert np.array_equal(tiny.prepare(image, keep_image=True).image, image)


def smooth_jpeg(path: Path, orientation: int) -> Path:
    """A photograph sixteen times as large as the tiny network's input, lying on its side or not."""
    rows, columns = np.mgrid[0:1024, 0:1530]
    pixels = np.stack([rows / 4, columns / 6, 128 + 90 * np.sin(rows / 90 + columns / 70)], axis=2)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels.astype(np.uint8)).save(path, quality=95, exif=exif)
    return path


@pytest.mark.parametrize(("orientation", "size"), [(1, (1024, 1530)), (6, (1530, 1024))])
def test_a_large_jpeg_decoded_small_gives_the_map_of_the_whole_one_at_its_size(
    tiny: Predictor, tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    path = smooth_jpeg(tmp_path / "photo.jpg", orientation)
    reduced, whole = tiny(path), tiny(path, full_decode=True)
    assert reduced.size == whole.size == size
    assert np.abs(reduced.values - whole.values).mean() < 0.002 * np.ptp(whole.values)
    assert not np.array_equal(reduced.values, whole.values)
    assert tiny.prepare(path, keep_image=True).image.shape == (*size, 3)
    (streamed,) = tiny.stream([path], full_decode=True)
    assert np.array_equal(streamed.values, whole.values)


def test_without_antialiasing_every_jpeg_is_decoded_whole(tiny: Predictor, tmp_path: Path) -> None:
    path = smooth_jpeg(tmp_path / "photo.jpg", 1)
    predictor = Predictor("tiny", replace(INPUT, interpolation="cubic"), tiny.backend)
    assert np.array_equal(predictor(path).values, predictor(path, full_decode=True).values)


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


def test_one_picture_is_a_stream_of_one(tiny: Predictor, tmp_path: Path) -> None:
    image = picture((48, 64))
    Image.fromarray(image).save(tmp_path / "one.png")
    for source in (tmp_path / "one.png", str(tmp_path / "one.png"), image, Image.fromarray(image)):
        assert_predicted(list(tiny.stream(source)), tiny, [image])


def test_a_predictor_is_one_line_that_says_what_it_is(tiny: Predictor) -> None:
    assert repr(tiny) == "Predictor(tiny, OnnxRuntimeBackend, 64x64, affine_invariant_inverse)"
    assert repr(tiny.tiled(2)) == "Predictor(tiny, OnnxRuntimeBackend, 64x64, affine_invariant_inverse, tile 2)"


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
    assert errors[0] == (b"no picture", UnknownFormatError)
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


@pytest.mark.parametrize("setting", ["workers", "batch"])
def test_a_stream_needs_a_worker_and_a_place_in_its_batch(setting: str, tiny: Predictor) -> None:
    with pytest.raises(ConfigError, match=f"{setting} is 0"):
        next(tiny.stream([], **{setting: 0}))


# ── several pictures at once ────────────────────────────────────────────────


class Counted:
    """A backend that notes the size of each batch and how many pictures were drawn before."""

    def __init__(self, backend: Backend) -> None:
        self.metadata = backend.metadata
        self.batches: list[int] = []
        self._backend = backend

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        self.batches.append(len(pixels))
        return self._backend(pixels)


def test_neighbours_of_one_input_size_go_through_the_network_together(tiny: Predictor) -> None:
    counted = Counted(tiny.backend)
    images = [
        picture(size, seed) for seed, size in enumerate([(64, 64)] * 5 + [(70, 90)] * 2 + [(71, 91)] + [(64, 64)])
    ]
    maps = list(Predictor("tiny", INPUT, counted).stream(images, batch=4))
    assert counted.batches == [4, 1, 3, 1]
    assert_predicted(maps, tiny, images)


def test_a_batch_without_its_failed_pictures_goes_on(logarithm: Predictor) -> None:
    failed: list[object] = []
    sources = [grey(255), grey(10), grey(254), b"no picture", grey(253), grey(252)]
    maps = list(logarithm.stream(sources, batch=8, on_error=lambda source, error: failed.append(source)))
    assert_predicted(maps, logarithm, [sources[index] for index in (0, 2, 4, 5)])
    assert failed[0] is sources[1]
    assert failed[1:] == [b"no picture"]


def test_a_batch_raises_in_the_turn_of_the_picture_that_failed(logarithm: Predictor) -> None:
    stream = logarithm.stream([grey(255), grey(254), grey(10), grey(253)], batch=4)
    assert [next(stream).size, next(stream).size] == [(64, 64)] * 2
    with pytest.raises(ModelError, match="not finite"):
        next(stream)
    assert midas_threads() == []


def test_batches_hold_only_a_few_pictures(tiny: Predictor) -> None:
    drawn = 0

    def endless() -> Iterator[Array]:
        nonlocal drawn
        for drawn in count(1):
            yield grey(drawn % 256)

    with closing(tiny.stream(endless(), workers=2, batch=3)) as stream:
        for taken in range(1, 21):
            next(stream)
            assert drawn <= taken + 2 + 2 * 3 - 1


def test_a_batch_of_several_input_sizes_is_refused(tiny: Predictor) -> None:
    with pytest.raises(ConfigError, match="expected one shape"):
        tiny.infer_batch([tiny.prepare(picture((64, 64))), tiny.prepare(picture((64, 200)))])
