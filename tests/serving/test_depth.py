"""``POST /v1/depth``: what is answered, in which form, and that the bytes are those of the command."""

from __future__ import annotations

import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.serving.conftest import Client, picture

import midas
from midas.alignment import align_from_range
from midas.cli import main
from midas.geometry import Camera
from midas.maps.aligned_depth import AlignedDepth
from midas.maps.depth_map import DepthMap
from midas.maps.formats import FORMATS, read_map
from midas.pictures.lens import read_lens
from midas.pictures.reading import read_image
from midas.serving.answers import ANSWERS
from midas.serving.work import _json_of

every_format = pytest.mark.parametrize("name", FORMATS)


@every_format
def test_the_answer_has_the_bytes_that_midas_predict_writes(
    name: str,
    client: TestClient,
    tiny: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    data = picture()
    options = {"format": name, "colormap": "turbo"} | ({"near": "1", "far": "5"} if name == "png-mm" else {})
    answer = client.post("/v1/depth", params=options, content=data)
    arguments = ["midas", "predict", "-", "--model", str(tiny)]
    arguments += [text for option, value in options.items() for text in (f"--{option}", value)]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    with pytest.raises(SystemExit):
        main()
    assert (answer.status_code, answer.headers["content-type"]) == (200, ANSWERS[name].media_type)
    assert answer.content == capfdbinary.readouterr().out


def test_the_built_in_model_gives_what_it_gives_without_a_server(examples_dir: Path) -> None:
    from midas.serving.app import create_app

    data = (examples_dir / "cat.jpg").read_bytes()
    app = create_app()
    app.state.service.shelf.load()
    with TestClient(app) as client:
        answer = client.post("/v1/depth?format=npy", content=data)
    expected = midas.load(backend="quick")(data)
    assert np.array_equal(np.load(io.BytesIO(answer.content)), expected.values)


def test_a_server_may_have_all_maps_grow_in_another_way(served: Client, tiny: Path) -> None:
    data = picture((300, 400))
    answer = served(interpolation="guided").post("/v1/depth?format=npy", content=data)
    expected = midas.load(tiny)(data, interpolation="guided").values
    assert np.array_equal(np.load(io.BytesIO(answer.content)), expected)
    assert not np.array_equal(expected, midas.load(tiny)(data).values)


def test_a_form_with_a_file_gives_what_the_file_alone_gives(client: TestClient) -> None:
    data = picture()
    form = client.post("/v1/depth", files={"file": ("photo.jpg", data)})
    assert form.content == client.post("/v1/depth", content=data).content


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "image/png"),
        ("*/*", "image/png"),
        ("image/*;q=0.5, application/x-npy", "application/x-npy"),
        ("text/html, application/json;q=0.1", "application/json"),
        ("image/x-exr", "image/x-exr"),
        ("image/webp, image/tiff;q=0.4, image/*;q=0.2", "image/tiff"),
        ("image/tiff, image/png", "image/tiff"),
        ("image/png;q=0.1, */*;q=0.2, image/tiff;q=0.5", "image/tiff"),
        ("image/png;q=0, image/*", "image/x-portable-floatmap"),
        ("*/*;q=0, application/x-npz", "application/x-npz"),
    ],
)
def test_accept_chooses_the_form(accept: str | None, media_type: str, client: TestClient) -> None:
    del client.headers["accept"]
    answer = client.post("/v1/depth", headers={"accept": accept} if accept else {}, content=picture())
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["vary"] == "Accept"


def test_the_headers_say_what_the_codes_stand_for(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/v1/depth", content=picture())
    headers = answer.headers
    (tmp_path / "map.png").write_bytes(answer.content)
    values, metadata = read_map(tmp_path / "map.png")
    assert (headers["x-midas-model"], headers["x-midas-kind"], headers["x-midas-size"]) == (
        metadata["model"],
        metadata["kind"],
        "96x64",
    )
    assert values.min() == np.float32(headers["x-midas-offset"])
    assert values.max() == pytest.approx(float(headers["x-midas-offset"]) + 65535 * float(headers["x-midas-scale"]))
    stages = [part.partition(";")[0] for part in headers["server-timing"].split(", ")]
    assert stages == ["queue", "decode", "infer", "encode"]


def test_json_holds_the_statistics_of_the_map(client: TestClient, tiny: Path) -> None:
    data = picture()
    found = client.post("/v1/depth?format=json", content=data).json()
    values = midas.load(tiny)(data).values
    assert (found["model"], found["kind"], found["unit"]) == ("tiny", "affine_invariant_inverse", None)
    assert (found["size"], found["min"], found["max"]) == ([64, 96], float(values.min()), float(values.max()))
    assert found["percentiles"]["50"] == pytest.approx(np.median(values), rel=1e-5)


def test_a_picture_that_lacks_its_last_rows_is_mapped_and_nothing_is_remembered_of_it(client: TestClient) -> None:
    whole = picture((480, 640))
    with warnings.catch_warnings(record=True) as shown:
        for cut in range(200, 800, 100):
            assert client.post("/v1/depth?format=json", content=whole[:-cut]).status_code == 200
    assert shown == []


def test_the_statistics_are_of_what_has_a_distance_and_are_json_whatever_is_asked_for(client: TestClient) -> None:
    far = client.post("/v1/depth?format=json&near=1.5", content=picture()).json()  # the farthest is infinitely far
    assert far["infinite"] >= 1
    assert far["min"] == pytest.approx(1.5, rel=1e-5)
    assert 1.5 <= far["percentiles"]["1"] <= far["percentiles"]["50"] < far["max"]
    for near in ("1e-320", "1e-300", "1e-45", "1e-10", "999999"):
        answer = client.post(f"/v1/depth?format=json&near={near}", content=picture())
        assert answer.status_code in (200, 422)
        json.loads(answer.content, parse_constant=pytest.fail)  # NaN and Infinity are no JSON


def test_a_map_without_any_distance_has_statistics_too() -> None:
    nowhere = AlignedDepth(np.full((2, 3), np.inf, np.float32), scale=1.0, shift=0.0)
    found = json.loads(_json_of(nowhere, (2, 3)))
    assert (found["infinite"], found["min"], found["percentiles"]["50"]) == (6, None, None)


def test_size_and_tile_are_those_of_the_predictor(client: TestClient, tiny: Path) -> None:
    data = picture((200, 300), "PNG")
    for query, predictor in (
        ("size=96", midas.load(tiny, size=96)),
        ("tile=2", midas.load(tiny).tiled(2)),
        ("tile=2&size=96", midas.load(tiny).tiled(2, size=96)),
    ):
        answer = client.post(f"/v1/depth?format=npy&{query}", content=data)
        assert np.array_equal(np.load(io.BytesIO(answer.content)), predictor(data).values)


@pytest.mark.parametrize(
    ("asked", "size"), [("full", (100, 150)), ("half", (50, 75)), ("net", (64, 96)), ("30x40", (40, 30))]
)
def test_the_map_is_as_large_as_asked_for(asked: str, size: tuple[int, int], client: TestClient) -> None:
    answer = client.post("/v1/depth", params={"format": "npy", "map-size": asked}, content=picture((100, 150)))
    assert np.load(io.BytesIO(answer.content)).shape == size


def test_known_distances_make_the_values_metres(client: TestClient, tiny: Path, tmp_path: Path) -> None:
    data = picture()
    query = {"format": "npz", "known": ["10,90,1", "10,5,4"]}
    answer = client.post("/v1/depth", params=query, content=data)
    (tmp_path / "map.npz").write_bytes(answer.content)
    found = DepthMap.load(tmp_path / "map.npz")
    assert (found.kind, answer.headers["x-midas-kind"]) == ("metric", "metric")
    assert (found.values[10, 90], found.values[10, 5]) == pytest.approx((1, 4), rel=1e-5)


def test_known_points_are_those_of_the_picture_in_a_map_of_any_size(client: TestClient) -> None:
    query = {"format": "npy", "known": ["20,90,1", "20,5,4"], "map-size": "half"}
    values = np.load(io.BytesIO(client.post("/v1/depth", params=query, content=picture()).content))
    assert (values[10, 45], values[10, 2]) == pytest.approx((1, 4), rel=1e-5)


def test_a_near_and_a_far_give_what_aligning_to_a_range_gives(client: TestClient, tiny: Path, tmp_path: Path) -> None:
    data = picture()
    answer = client.post("/v1/depth?format=exr&near=1&far=5", content=data)
    depth_map = midas.load(tiny)(data)
    alignment = align_from_range(depth_map.values, 1.0, 5.0)
    depth_map.aligned(alignment.scale, alignment.shift).save(tmp_path / "expected.exr")
    assert answer.content == (tmp_path / "expected.exr").read_bytes()


def test_without_a_far_the_farthest_pixel_is_infinitely_far(client: TestClient) -> None:
    found = client.post("/v1/depth?format=json&near=1", content=picture()).json()
    assert (found["unit"], found["infinite"] >= 1) == ("metre", True)
    json.dumps(found, allow_nan=False)


def test_a_scene_is_that_of_the_map_with_the_lens_of_the_file(client: TestClient, tiny: Path) -> None:
    if "glb" not in ANSWERS:
        pytest.skip("fast-simplification is not installed")
    data = picture()
    image = read_image(data)
    depth_map = midas.load(tiny)(data)
    answer = client.post("/v1/depth", headers={"accept": "model/gltf-binary"}, content=data)
    assert answer.content == depth_map.mesh(Camera.of_lens(read_lens(data)), image).to_glb()
    narrow = client.post("/v1/depth?format=glb&fov=30", content=data)
    assert narrow.content == depth_map.mesh(Camera.from_fov(30.0, (64, 96)), image).to_glb()
    metres = client.post("/v1/depth?format=glb&near=1&far=5", content=data)
    assert (metres.status_code, metres.headers["x-midas-kind"]) == (200, "metric")


def test_models_are_listed_with_their_terms(served: Client, tiny: Path) -> None:
    found = served().get("/v1/models").json()
    assert [each["name"] for each in found["models"]] == ["tiny"]
    assert {each["name"] for each in found["formats"]} == set(ANSWERS)
    assert found["version"] == midas.__version__
