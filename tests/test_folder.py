"""Picture files in, depth map files out: reports, failures, what is left out, what is replaced."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image
from tests.tiny_model import write_tiny_model

import midas
from midas.arrays import Array, Float32
from midas.errors import ImageError, MidasError, ModelError, OutputError
from midas.folder import PictureReport, Settings, predict_bytes, predict_files
from midas.maps.depth_map import DepthMap
from midas.maps.formats import FORMATS, output_path
from midas.maps.names import PictureJob
from midas.predictor import Predictor

RELATIVE_FORMATS = [name for name in FORMATS if name != "png-mm"]  # which is for metres


@pytest.fixture(scope="module")
def logarithm(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return midas.load(write_tiny_model(tmp_path_factory.mktemp("model") / "logarithm.onnx", logarithm=True))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "photo.png", (64, 96))


def write_picture(path: Path, size: tuple[int, int], darkest: int = 140) -> Path:
    pixels = np.random.default_rng(0).integers(darkest, darkest + 100, (*size, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def job(source: Path, *formats: str) -> PictureJob:
    outputs = {name: output_path(source.parent / "depth", source.stem, name) for name in formats or ("png16",)}
    return PictureJob(source, outputs)


def run(predictor: Predictor, *jobs: PictureJob, **settings: bool | int) -> list[PictureReport]:
    return list(predict_files(predictor, jobs, Settings(**settings)))


def test_every_format_is_written_and_the_report_says_what_is_in_it(logarithm: Predictor, photo: Path) -> None:
    work = job(photo, *RELATIVE_FORMATS)
    (report,) = run(logarithm, work)
    values = DepthMap.load(work.outputs["npy"]).values
    assert report.outputs == tuple(work.outputs.values())
    assert all(path.is_file() for path in report.outputs)
    assert report.size == values.shape == (64, 96)
    assert report.value_range == (values.min(), values.max())
    assert report.milliseconds > 0
    assert report.error is None
    assert not report.skipped


def test_one_failure_does_not_stop_the_others_and_the_order_stays(logarithm: Predictor, tmp_path: Path) -> None:
    dark = write_picture(tmp_path / "dark.png", (64, 64), darkest=0)
    good = [write_picture(tmp_path / f"{index}.png", (40 + 30 * index, 80)) for index in range(4)]
    blocked = write_picture(tmp_path / "blocked.png", (64, 64))
    (tmp_path / "file").touch()
    unwritable = PictureJob(blocked, {"png16": tmp_path / "file" / "blocked.png"})
    jobs = [
        job(good[0]),
        job(dark),
        job(good[1]),
        unwritable,
        job(tmp_path / "missing.png"),
        job(good[2]),
        job(good[3]),
    ]
    reports = run(logarithm, *jobs)
    assert [report.source for report in reports] == [each.source for each in jobs]
    kinds = [type(report.error) for report in reports if report.error]
    assert kinds == [ModelError, OutputError, ImageError]
    assert [report.size for report in reports if report.size] == [(40, 80), (70, 80), (100, 80), (130, 80)]


def test_batches_change_neither_the_order_nor_the_failures_nor_the_values(logarithm: Predictor, tmp_path: Path) -> None:
    sizes = [(64, 64), (64, 64), (70, 70), (64, 130), (64, 130), (64, 64)]
    good = [write_picture(tmp_path / f"{index}.png", size) for index, size in enumerate(sizes)]
    dark = write_picture(tmp_path / "dark.png", (64, 64), darkest=0)
    sources = [*good[:2], dark, good[2], tmp_path / "missing.png", *good[3:]]
    reports = run(logarithm, *(job(source, "npy") for source in sources), batch=4)
    assert [report.source for report in reports] == sources
    assert {report.source.name: type(report.error) for report in reports if report.error} == {
        "dark.png": ModelError,
        "missing.png": ImageError,
    }
    for source in good:
        values = np.load(tmp_path / "depth" / f"{source.stem}.npy")
        np.testing.assert_allclose(values, logarithm(source).values, atol=1e-5)


def test_a_picture_whose_files_are_there_is_left_out(logarithm: Predictor, photo: Path) -> None:
    work = job(photo)
    work.outputs["png16"].parent.mkdir()
    work.outputs["png16"].write_bytes(b"mine")
    (report,) = run(logarithm, work)
    assert report.skipped
    assert work.outputs["png16"].read_bytes() == b"mine"


def test_only_the_missing_formats_are_written(logarithm: Predictor, photo: Path) -> None:
    work = job(photo, "png16", "npy")
    work.outputs["png16"].parent.mkdir()
    work.outputs["png16"].write_bytes(b"mine")
    (report,) = run(logarithm, work)
    assert not report.skipped
    assert work.outputs["png16"].read_bytes() == b"mine"
    assert work.outputs["npy"].is_file()


def test_existing_files_are_replaced_where_that_is_asked(logarithm: Predictor, photo: Path) -> None:
    work = job(photo)
    work.outputs["png16"].parent.mkdir()
    work.outputs["png16"].write_bytes(b"mine")
    (report,) = run(logarithm, work, overwrite=True)
    assert not report.skipped
    assert DepthMap.load(work.outputs["png16"]).size == (64, 96)


def test_a_run_that_is_stopped_leaves_whole_files_only(logarithm: Predictor, tmp_path: Path) -> None:
    jobs = [job(write_picture(tmp_path / f"{index}.png", (200, 300))) for index in range(12)]
    drawn: list[PictureJob] = []

    def counted() -> Iterator[PictureJob]:
        for each in jobs:
            drawn.append(each)
            yield each

    with closing(predict_files(logarithm, counted())) as reports:
        next(reports)
    written = sorted((tmp_path / "depth").iterdir())
    assert 1 <= len(written) <= len(drawn) < len(jobs)
    assert all(DepthMap.load(path).size == (200, 300) for path in written)


@pytest.mark.parametrize(
    ("where", "error", "kind"),
    [
        ("midas.predictor.read_reduced", RuntimeError("odd"), ImageError),
        ("midas.folder.DepthMap.save", MemoryError(), OutputError),
    ],
)
def test_whatever_one_picture_raises_the_others_are_done(
    where: str,
    error: Exception,
    kind: type[MidasError],
    logarithm: Predictor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = [write_picture(tmp_path / f"{name}.png", (64, 80)) for name in ("first", "bad", "last")]
    module, _, name = where.rpartition(".")
    original = pkgutil.resolve_name(where)

    def fail(*arguments: object, **options: object) -> object:
        if any(isinstance(each, Path) and each.stem == "bad" for each in arguments):
            raise error
        return original(*arguments, **options)

    monkeypatch.setattr(pkgutil.resolve_name(module), name, fail)
    reports = run(logarithm, *map(job, sources))
    assert [type(report.error) for report in reports] == [type(None), kind, type(None)]
    assert "bad.png" in str(reports[1].error)
    assert reports[1].error is not None
    assert reports[1].error.__cause__ is error


def test_a_name_that_is_too_long_for_a_file_is_an_error_of_its_picture(logarithm: Predictor, tmp_path: Path) -> None:
    long = write_picture(tmp_path / f"{'n' * 246}.png", (64, 64))
    good = write_picture(tmp_path / "good.png", (64, 64))
    reports = run(logarithm, job(long, "side-by-side"), job(good, "side-by-side"))
    assert [type(report.error) for report in reports] == [OutputError, type(None)]


def test_a_folder_under_the_name_of_an_output_is_no_finished_output(logarithm: Predictor, photo: Path) -> None:
    work = job(photo)
    work.outputs["png16"].mkdir(parents=True)
    (report,) = run(logarithm, work)
    assert isinstance(report.error, OutputError)
    assert not report.skipped


def test_a_batch_that_fails_is_tried_picture_by_picture(logarithm: Predictor, tmp_path: Path) -> None:
    class Small:
        """A back end with memory for one picture."""

        metadata: ClassVar[dict[str, str]] = {}

        def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
            if len(pixels) > 1:
                raise MemoryError
            return logarithm.backend(pixels)

    predictor = Predictor("small", logarithm.input, Small())
    jobs = [job(write_picture(tmp_path / f"{index}.png", (64, 64))) for index in range(3)]
    assert [report.error for report in run(predictor, *jobs, batch=3)] == [None] * 3


def test_a_file_that_another_run_has_written_meanwhile_is_left_as_it_is(
    logarithm: Predictor, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = job(photo)

    def meanwhile(self: Predictor, *arguments: Any, **options: Any) -> Any:
        work.outputs["png16"].parent.mkdir()
        work.outputs["png16"].write_bytes(b"theirs")
        return infer_batch(self, *arguments, **options)

    infer_batch = Predictor.infer_batch
    monkeypatch.setattr(Predictor, "infer_batch", meanwhile)
    (report,) = run(logarithm, work)
    assert report.skipped
    assert work.outputs["png16"].read_bytes() == b"theirs"
    assert [path.name for path in photo.parent.joinpath("depth").iterdir()] == ["photo.png"]


@pytest.mark.parametrize("format_name", RELATIVE_FORMATS)
def test_bytes_are_those_of_the_file(format_name: str, logarithm: Predictor, photo: Path) -> None:
    map_bytes = predict_bytes(logarithm, photo.read_bytes(), format_name)
    path = photo.with_name(f"map{FORMATS[format_name].suffix}")
    image = np.asarray(Image.open(photo))
    logarithm(photo.read_bytes()).save(path, format_name, image=image)
    if format_name != "npz":  # an archive holds the time of its writing
        assert map_bytes == path.read_bytes()
