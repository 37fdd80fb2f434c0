"""The size rule and the resampling are those of the published transforms."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midas.errors import ConfigError
from midas.pictures.preprocess import DECODING_MARGIN, MAX_ELONGATION, InputSpec, Preprocess

RULES = ("lower_bound", "upper_bound", "minimal")
SPECS = {"half": {}, "imagenet": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}}
FLAGS = {"cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}

sides = st.integers(1, 5000)
input_specs = st.builds(
    InputSpec,
    size=st.tuples(st.integers(32, 1024), st.integers(32, 1024)),
    resize=st.sampled_from(RULES),
    keep_aspect=st.booleans(),
    multiple=st.integers(1, 32),
    interpolation=st.sampled_from(sorted(FLAGS)),
    mean=st.tuples(*[st.floats(-1, 1)] * 3),
    std=st.tuples(*[st.floats(0.01, 1)] * 3),
)


@pytest.fixture(scope="session")
def parity(shared_dir: Path) -> dict[str, Any]:
    path = shared_dir / "parity" / "preprocess.npz"
    if not path.is_file():
        pytest.skip("no outputs of the published transforms beside this checkout")
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def make_image(shared_dir: Path) -> Any:
    sys.path.insert(0, str(shared_dir / "parity"))
    try:
        return pytest.importorskip("fill").make_image
    finally:
        sys.path.pop(0)


def official_chain(image: np.ndarray, spec: InputSpec) -> np.ndarray:
    """The slow, readable reference: everything in float64, all of the picture at once."""
    height, width = spec.network_size(image.shape[:2])
    resized = cv2.resize(image / 255.0, (width, height), interpolation=FLAGS[spec.interpolation])
    return np.transpose((resized - spec.mean) / spec.std, (2, 0, 1)).astype(np.float32)[None]


def random_image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_the_pixels_are_those_of_the_published_transforms(parity: dict[str, Any], make_image: Any) -> None:
    rows = json.loads(bytes(parity["meta_json"]))["rows"]
    for row in rows:
        spec = InputSpec(
            size=tuple(row["target"]),
            resize=row["method"],
            keep_aspect=row["keep"],
            multiple=row["multiple"],
            interpolation=row.get("interp", "cubic"),
            **SPECS[row["norm"]],
        )
        pixels = Preprocess(spec)(make_image(*row["size"], row["seed"]))[0]
        assert list(pixels.shape[1:]) == row["out_hw"], row["key"]
        sampled = pixels[:, :: row["step"], :: row["step"]]
        np.testing.assert_allclose(sampled, parity[row["key"]], rtol=0, atol=5e-6, err_msg=row["key"])


def test_the_sizes_are_those_of_the_published_transforms_but_for_long_strips(parity: dict[str, Any]) -> None:
    checked = 0
    for width, height, target, method, keep, new_width, new_height in parity["size_table"].tolist():
        longer = max(new_width, new_height)
        # At a side of 0 the published code fails, and of longer strips ours are squeezed.
        if new_width and new_height and longer <= MAX_ELONGATION * target:
            spec = InputSpec((target, target), RULES[method], keep_aspect=bool(keep))
            assert spec.network_size((height, width)) == (new_height, new_width), (height, width, spec)
            checked += 1
    assert checked > 3500


@pytest.fixture(params=["by OpenCV", "here"])
def resampled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Areas of pictures of any size are averaged in this of the two ways; cubic samples have one."""
    monkeypatch.setattr("midas.pictures.resampling._COPY_BYTES", {"by OpenCV": 2**40, "here": 0}[request.param])


@pytest.mark.usefixtures("resampled")
@pytest.mark.parametrize("interpolation", sorted(FLAGS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(height=st.integers(1, 90), width=st.integers(1, 90), target=st.tuples(*[st.integers(1, 60)] * 2))
def test_the_pixels_are_those_of_opencv_in_float64(
    interpolation: Any, height: int, width: int, target: tuple[int, int]
) -> None:
    spec = InputSpec(target, keep_aspect=False, multiple=1, interpolation=interpolation)
    image = random_image(height, width)
    np.testing.assert_allclose(Preprocess(spec)(image), official_chain(image, spec), rtol=0, atol=3e-6)


@pytest.mark.usefixtures("resampled")
@pytest.mark.parametrize("interpolation", sorted(FLAGS))
@pytest.mark.parametrize("size", [(1511, 2017), (3000, 31), (7, 4001), (324, 121)])
def test_large_and_long_pictures_agree_with_opencv_too(interpolation: Any, size: tuple[int, int]) -> None:
    spec = InputSpec((288, 256), keep_aspect=False, interpolation=interpolation)
    image = random_image(*size)
    np.testing.assert_allclose(Preprocess(spec)(image), official_chain(image, spec), rtol=0, atol=5e-6)


def test_a_picture_resampled_in_bands_has_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midas.pictures.resampling._COPY_BYTES", 0)
    image, spec = random_image(100, 120), InputSpec((64, 64), interpolation="area")
    whole = Preprocess(spec)(image)
    monkeypatch.setattr("midas.pictures.resampling._BAND_BYTES", 5 * 120 * 3 * 4)
    np.testing.assert_allclose(Preprocess(spec)(image), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "input_size"), [((480, 640), (384, 512)), ((97, 41), (896, 384)), ((1, 1), (384, 384))]
)
def test_a_picture_left_in_8_bits_is_sampled_as_opencv_does(size: tuple[int, int], input_size: tuple[int, int]) -> None:
    image = random_image(*size)
    spec = InputSpec((384, 384), "lower_bound", interpolation="opencv_linear", **SPECS["imagenet"])
    resized = cv2.resize(image, input_size[::-1], interpolation=cv2.INTER_LINEAR)
    expected = (resized / 255.0 - spec.mean) / spec.std
    np.testing.assert_allclose(Preprocess(spec)(image)[0], expected.transpose(2, 0, 1), atol=1e-6)


@given(height=st.integers(32, 5000), width=st.integers(32, 5000))
def test_the_larger_of_the_scales_is_zipdepth_s_rule(height: int, width: int) -> None:
    """Its shorter side becomes 384, and both are rounded to the nearest multiple."""
    scale = 384 / min(height, width)
    sides = tuple(max(32, round(side * scale / 32) * 32) for side in (height, width))
    spec = InputSpec((384, 384), "lower_bound")
    assert spec.network_size((height, width)) == tuple(min(side, 384 * MAX_ELONGATION) for side in sides)


def test_a_view_of_a_picture_gives_what_its_copy_gives() -> None:
    view = random_image(90, 120)[::-1, ::2]
    preprocess = Preprocess(InputSpec((32, 32)))
    np.testing.assert_array_equal(preprocess(view), preprocess(view.copy()))


def test_the_input_is_float32_and_contiguous() -> None:
    pixels = Preprocess(InputSpec((64, 96), keep_aspect=False))(random_image(50, 40))
    assert (pixels.shape, pixels.dtype, pixels.flags.c_contiguous) == ((1, 3, 64, 96), np.float32, True)


@pytest.mark.parametrize("interpolation", sorted(FLAGS))
def test_a_plain_colour_stays_the_same_colour(interpolation: Any) -> None:
    image = np.full((77, 301, 3), (255, 51, 0), np.uint8)
    pixels = Preprocess(InputSpec((64, 64), interpolation=interpolation))(image)
    np.testing.assert_allclose(pixels, np.broadcast_to([[[[1]], [[-0.6]], [[-1]]]], pixels.shape), atol=1e-6)


@given(spec=input_specs, height=sides, width=sides)
def test_every_side_is_a_positive_multiple_within_the_limit(spec: InputSpec, height: int, width: int) -> None:
    for side, target in zip(spec.network_size((height, width)), spec.size, strict=True):
        assert side % spec.multiple == 0
        assert spec.multiple <= side <= MAX_ELONGATION * target


@given(spec=input_specs, height=sides, width=sides)
def test_an_upper_bound_is_never_exceeded(spec: InputSpec, height: int, width: int) -> None:
    sizes = dataclasses.replace(spec, resize="upper_bound").network_size((height, width))
    assert all(side <= target for side, target in zip(sizes, spec.size, strict=True))


@given(spec=input_specs, height=sides, width=sides)
def test_a_lower_bound_is_never_undercut(spec: InputSpec, height: int, width: int) -> None:
    sizes = dataclasses.replace(spec, resize="lower_bound").network_size((height, width))
    assert all(side >= target for side, target in zip(sizes, spec.size, strict=True))


@given(height=st.integers(640, 5000), width=st.integers(640, 5000), rule=st.sampled_from(RULES))
def test_a_kept_aspect_is_off_by_less_than_a_multiple_on_each_side(height: int, width: int, rule: Any) -> None:
    new_height, new_width = InputSpec((384, 384), rule).network_size((height, width))
    assert (new_height - 32) * width <= (new_width + 32) * height
    assert (new_width - 32) * height <= (new_height + 32) * width


@given(height=sides, width=sides, rule=st.sampled_from(RULES))
def test_a_free_aspect_meets_its_target(height: int, width: int, rule: Any) -> None:
    spec = InputSpec((224, 352), rule, keep_aspect=False)
    assert spec.network_size((height, width)) == (224, 352)


@pytest.mark.parametrize(
    ("rule", "size", "expected"),
    [
        ("lower_bound", (100, 20000), (256, 256 * MAX_ELONGATION)),
        ("lower_bound", (20000, 100), (256 * MAX_ELONGATION, 256)),
        ("upper_bound", (100, 20000), (32, 256)),
        ("upper_bound", (20000, 100), (256, 32)),
        ("minimal", (100, 20000), (32, 256)),
        ("minimal", (250, 100000), (256, 256 * MAX_ELONGATION)),
    ],
)
def test_a_very_long_picture_is_squeezed(rule: Any, size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert InputSpec((256, 256), rule).network_size(size) == expected


@pytest.mark.parametrize("interpolation", sorted(FLAGS))
def test_a_line_of_pixels_is_a_picture(interpolation: Any) -> None:
    preprocess = Preprocess(InputSpec((32, 32), "lower_bound", interpolation=interpolation))
    assert preprocess(random_image(1, 3000)).shape == (1, 3, 32, 32 * MAX_ELONGATION)
    assert preprocess(random_image(1, 1)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("size", "size_px", "expected"),
    [
        ((256, 256), 512, (512, 512)),
        ((256, 256), 500, (512, 512)),
        ((384, 768), 192, (192, 384)),
        ((768, 384), 100, (192, 96)),
        ((256, 256), 1, (32, 32)),
    ],
)
def test_another_size_keeps_the_shape_of_the_target(
    size: tuple[int, int], size_px: int, expected: tuple[int, int]
) -> None:
    spec = InputSpec(size, interpolation="area")
    assert spec.with_size(size_px) == dataclasses.replace(spec, size=expected)


@pytest.mark.parametrize("size_px", [0, -32])
def test_another_size_is_positive(size_px: int) -> None:
    with pytest.raises(ConfigError, match="whole number of pixels"):
        InputSpec((256, 256)).with_size(size_px)


@given(spec=input_specs)
def test_metadata_give_the_same_input_back(spec: InputSpec) -> None:
    assert InputSpec.from_metadata(spec.to_metadata()) == spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "rgb"}, "colour"),
        ({"mean": None}, "mean"),
        ({"mean": [0.5, 0.5]}, "mean"),
        ({"std": [0.5, 0.5, 0]}, "std"),
        ({"std": [0.5, 0.5, float("nan")]}, "std"),
        ({"size": [256.0, 256]}, "size"),
        ({"size": [256, 16]}, "size"),
        ({"size": 256}, "size"),
        ({"multiple": 0}, "multiple"),
        ({"multiple": True}, "multiple"),
        ({"resize": "nearest"}, "resize"),
        ({"resize": ["minimal"]}, "resize"),
        ({"interpolation": "linear"}, "interpolation"),
        ({"keep_aspect": 1}, "keep_aspect"),
        ({"restore": "linear"}, "restore"),
    ],
)
def test_metadata_with_an_unknown_key_or_a_wrong_value_are_refused(change: dict[str, Any], message: str) -> None:
    values = json.loads(InputSpec((256, 256)).to_metadata()) | change
    with pytest.raises(ConfigError, match=message):
        InputSpec.from_metadata(json.dumps(values))


@pytest.mark.parametrize(
    "name", [field.name for field in dataclasses.fields(InputSpec) if field.name not in ("fixed", "restore")]
)
def test_metadata_without_a_key_are_refused(name: str) -> None:
    values = json.loads(InputSpec((256, 256)).to_metadata())
    del values[name]
    with pytest.raises(ConfigError, match=name):
        InputSpec.from_metadata(json.dumps(values))


@pytest.mark.parametrize("names", [["restore"], ["fixed", "restore"]])
def test_metadata_of_earlier_versions_say_nothing_of_what_came_later(names: list[str]) -> None:
    values = json.loads(InputSpec((256, 256)).to_metadata())
    for name in names:
        del values[name]
    assert InputSpec.from_metadata(json.dumps(values)) == InputSpec((256, 256))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_metadata_that_are_no_json_object_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="input description"):
        InputSpec.from_metadata(text)


@given(height=st.integers(1, 5000), width=st.integers(1, 5000), target=st.integers(1, 400))
def test_a_smaller_version_of_a_picture_is_never_smaller_than_the_network_s_input(
    height: int, width: int, target: int
) -> None:
    spec = InputSpec((target, target), multiple=1, interpolation="area", resize="lower_bound")
    needed, own = spec.decoding_size((height, width)), spec.network_size((height, width))
    assert needed == (DECODING_MARGIN * own[0], DECODING_MARGIN * own[1])
    assert dataclasses.replace(spec, interpolation="cubic").decoding_size((height, width)) == (height, width)


def test_a_smaller_version_has_the_size_and_the_samples_of_the_whole_picture() -> None:
    spec = InputSpec((32, 32), interpolation="area", resize="lower_bound")
    small = random_image(128, 195)
    whole = small.repeat(3, axis=0).repeat(3, axis=1)
    assert spec.network_size(whole.shape[:2]) == (32, 64)
    np.testing.assert_allclose(Preprocess(spec)(small, whole.shape[:2]), Preprocess(spec)(whole), atol=1e-4)
