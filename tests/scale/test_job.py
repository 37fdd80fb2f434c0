"""A job's book-keeping: what is believed of what lies at a destination, and what each report counts for."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pyarrow.parquet as pq
import pytest
from tests.scale.small_pictures import outputs_of, write_pictures
from typer.testing import CliRunner

import midas
from midas.cli import app
from midas.cli.batch_reporter import SECONDS_BETWEEN_LINES, BatchReporter
from midas.errors import ConfigError, MidasError, TooManyFailuresError
from midas.scale import job as jobs
from midas.scale import worker as workers
from midas.scale.engine import Engine
from midas.scale.job import Manner, Plan, plan, work
from midas.scale.manifest import Job, read_job
from midas.scale.receipts import Failure, Receipt, read_receipt, read_receipts, write_receipt
from midas.scale.settings import Recipe, device_of
from midas.scale.share import Share
from midas.scale.status import read_status, status_of
from midas.scale.worker import ShardReport, ShardWorker
from midas.storage.addresses import Place

HERE = Engine("local", workers=1)
FOURS = Manner(shard_size=4)


def planned(folder: Path, tiny: Path, count: int = 8, manner: Manner = FOURS, **options: Any) -> Plan:
    write_pictures(folder / "in", count)
    return plan([str(folder / "in")], Place.of(folder / "out"), Recipe(model=str(tiny), **options), manner)


def receipt_of(planned_job: Plan, shard: int = 0) -> Receipt:
    return Receipt(planned_job.job.id, shard, planned_job.job.count(shard), {})


@pytest.mark.parametrize(
    "change",
    [
        {"job": "0" * 32},
        {"shard": 1},
        {"pictures": 3},
        {"outputs": ["000/000000.png"]},
        {"outputs": {"000/000000.png": "large"}},
        {"failures": [{"source": "a.jpg"}]},
        {"failures": [{"source": "a.jpg", "place": "a", "error": "damaged"}] * 5},
        {"stages": None},
        {"finished": "today"},
    ],
)
def test_a_receipt_that_is_not_of_this_shard_of_this_job_is_none(
    tmp_path: Path, tiny: Path, change: dict[str, Any]
) -> None:
    there = planned(tmp_path, tiny)
    write_receipt(there.destination, receipt_of(there))
    assert read_receipt(there.destination, there.job, 0) == receipt_of(there)
    path = tmp_path / "out" / "_midas" / "receipts" / "000000.json"
    path.write_text(json.dumps(asdict(receipt_of(there)) | change))
    assert read_receipt(there.destination, there.job, 0) is None
    assert read_status(there.destination).done == 0


def test_files_that_are_no_receipts_count_for_nothing(tmp_path: Path, tiny: Path) -> None:
    there = planned(tmp_path, tiny)
    write_receipt(there.destination, receipt_of(there))
    folder = tmp_path / "out" / "_midas" / "receipts"
    for name in ("0.json", "000000.json.bak", "000009.json", "².json", "notes.txt"):
        (folder / name).write_bytes((folder / "000000.json").read_bytes())
    assert [receipt.shard for receipt in read_receipts(there.destination, there.job)] == [0]


@pytest.mark.parametrize(
    "change", [{"version": 0}, {"pictures": 0}, {"shard_size": "4"}, {"recipe": None}, {"recipe": {"formats": 3}}, None]
)
def test_what_describes_no_job_is_refused_with_a_way_out(
    tmp_path: Path, tiny: Path, change: dict[str, Any] | None
) -> None:
    planned(tmp_path, tiny)
    path = tmp_path / "out" / "_midas" / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change) if change else "[" + path.read_text()[:40])
    for ask in (read_status, read_job):
        with pytest.raises(ConfigError, match="choose another destination"):
            ask(Place.of(tmp_path / "out"))


def test_a_folder_whose_job_is_still_being_planned_and_a_file_hold_none(tmp_path: Path) -> None:
    (tmp_path / "begun" / "_midas" / "manifest").mkdir(parents=True)
    (tmp_path / "file").touch()
    for name in ("begun", "file", "nothing"):
        with pytest.raises(ConfigError, match="holds no job; expected the DEST"):
            read_status(Place.of(tmp_path / name))


def test_of_two_jobs_that_are_begun_at_one_place_at_once_one_is_refused(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = jobs.list_sources

    def slow(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(jobs, "list_sources", real)
        planned(tmp_path, tiny, strict=True)  # somebody else's, meanwhile
        return real(*arguments, **options)

    monkeypatch.setattr(jobs, "list_sources", slow)
    with pytest.raises(ConfigError, match="at the same time"):
        planned(tmp_path, tiny)
    there = read_job(Place.of(tmp_path / "out"))
    assert there is not None
    assert there.recipe.strict


def test_of_two_runs_at_once_the_second_does_nothing_again(tmp_path: Path, tiny: Path) -> None:
    one, other = planned(tmp_path, tiny), planned(tmp_path, tiny)
    assert set(one.left) == set(other.left) == {0, 1}
    work(one, HERE)
    before = outputs_of(tmp_path / "out")
    summary = work(other, HERE)
    assert (summary.worked, summary.status.done, summary.is_complete) == (0, 8, True)
    assert outputs_of(tmp_path / "out") == before


def test_a_status_tells_the_rate_and_the_time_left_while_somebody_is_at_work(tmp_path: Path, tiny: Path) -> None:
    there = planned(tmp_path, tiny, 12)
    failure = Failure("a.jpg", "a", "damaged")
    receipts = [
        replace(receipt_of(there), finished=1000.0, seconds=2.0, stages={"decode": 1.0}),
        replace(receipt_of(there, 1), finished=1002.0, seconds=2.0, stages={"decode": 0.5}, failures=(failure,)),
    ]
    status = status_of(there.job, receipts, now=1003.0)
    assert (status.done, status.failed, status.left, status.per_second, status.left_s) == (7, 1, 4, 2.0, 2.0)
    assert status.stages == {"decode": 1.5}
    assert str(status) == "7 of 12 done, 4 left, 1 failed, 2.0 pictures/s, 2 s to go (2 of 3 shards)"
    assert "stopped" in str(status_of(there.job, receipts, now=1100.0))
    nothing = status_of(there.job, [])
    assert (nothing.per_second, nothing.left_s, nothing.active) == (0.0, None, False)


@pytest.mark.parametrize(
    ("share", "model", "expected", "pictures_at_once"),
    [
        (Share(device="cuda"), "midas_nano_256", {"device": "cuda", "precision": "bfloat16"}, 32),
        (Share(cores=3), "midas_nano_256", {"device": "cpu", "precision": "auto", "threads": 3}, 1),
        (Share(cores=3), "tiny", {"device": "cpu", "precision": "auto", "threads": 3}, 1),
        (Share(device="cuda"), "tiny", {"device": "cpu", "precision": "auto", "threads": None}, 1),
    ],
)
def test_a_worker_takes_batches_and_precision_by_what_it_has(
    tiny: Path,
    monkeypatch: pytest.MonkeyPatch,
    share: Share,
    model: str,
    expected: dict[str, Any],
    pictures_at_once: int,
) -> None:
    asked: dict[str, Any] = {}
    ready = midas.load(tiny)
    monkeypatch.setattr(workers, "load", lambda name, **how: asked.update(how) or ready)
    recipe = Recipe(model=str(tiny) if model == "tiny" else model)
    _, batch = workers.ready_predictor(Job("0" * 32, recipe, 100, 10), share)
    assert batch == pictures_at_once
    assert asked | expected == asked


@pytest.mark.parametrize("share", [Share(), Share(device="cuda")])
def test_another_file_of_the_model_than_where_the_job_began_is_refused_on_cards_too(
    monkeypatch: pytest.MonkeyPatch, share: Share
) -> None:
    monkeypatch.setattr(workers, "model_digest", lambda *_, **__: 64 * "b")
    job = Job("0" * 32, Recipe(model="own.pt", model_sha256=64 * "a"), 100, 10)
    with pytest.raises(ConfigError, match="expected the same everywhere"):
        workers.ready_predictor(job, share)


def test_a_worker_does_no_other_job_than_that_it_was_made_for(tmp_path: Path, tiny: Path) -> None:
    there = planned(tmp_path, tiny)
    with pytest.raises(ConfigError, match="holds another job by now"):
        ShardWorker(there.destination.address, "0" * 32, share=Share())
    with pytest.raises(ConfigError, match="holds no job by now"):
        ShardWorker(str(tmp_path / "elsewhere"), there.job.id, share=Share())


def test_a_model_is_named_by_its_whole_path_wherever_the_command_is_given(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.parent)
    first = planned(tmp_path, Path(tiny.name))
    monkeypatch.chdir(tmp_path)
    assert first.job.recipe.model == str(tiny)
    assert planned(tmp_path, tiny).job.id == first.job.id


def reported(monkeypatch: pytest.MonkeyPatch, reports: list[ShardReport]) -> None:
    """Workers say this, whatever they are asked."""

    def spread(*_: Any, **__: Any) -> Iterator[ShardReport]:
        yield from reports

    monkeypatch.setattr(jobs, "spread", spread)


def test_a_shard_that_two_kinds_of_workers_report_counts_once(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = planned(tmp_path, tiny)
    reported(
        monkeypatch,
        [ShardReport(0, error="503"), ShardReport(0, 4, 1), ShardReport(1, failed=1), ShardReport(1, 4, 1)],
    )
    shown: list[ShardReport] = []
    summary = work(there, HERE, Manner(max_errors=2), shown.append)
    assert [(report.shard, report.error) for report in shown] == [(0, "503"), (0, None), (1, None)]
    assert summary.unfinished == {}


def test_failures_of_shards_that_were_finished_by_others_count_too(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported(monkeypatch, [ShardReport(0, failed=2), ShardReport(1, 4, 1)])
    with pytest.raises(TooManyFailuresError, match=r"3 pictures failed, more than --max-errors 2; errors\.parquet"):
        work(planned(tmp_path, tiny), HERE, Manner(max_errors=2))


def test_a_run_that_ends_for_its_failures_lists_them(tmp_path: Path, tiny: Path) -> None:
    for number in range(3):
        (tmp_path / "in" / "000").mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "000" / f"bad{number}.jpg").write_bytes(b"no picture")
    there = planned(tmp_path, tiny)
    with pytest.raises(TooManyFailuresError):
        work(there, HERE, Manner(max_errors=0))
    rows = pq.read_table(tmp_path / "out" / "errors.parquet").to_pylist()
    assert len(rows) >= 1
    assert all("is not a picture" in row["error"] for row in rows)
    assert json.loads((tmp_path / "out" / "_midas" / "summary.json").read_text())["failed"] == len(rows)


def test_a_shard_whose_failures_are_tried_again_is_tried_once_whoever_comes_to_it(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "in" / "000").mkdir(parents=True)
    (tmp_path / "in" / "000" / "bad.jpg").write_bytes(b"no picture")
    work(planned(tmp_path, tiny, 3), HERE)
    retry = planned(tmp_path, tiny, 3, replace(FOURS, retry_failed=True))
    assert retry.again == {0: read_receipt(retry.destination, retry.job, 0).finished}  # type: ignore[union-attr]
    one, other = (
        ShardWorker(retry.destination.address, retry.job.id, again=retry.again, share=Share()) for _ in range(2)
    )
    assert (one(0).pictures, one(0).pictures) == (4, 0)
    assert other(0) == ShardReport(0, failed=1)


def test_what_killed_workers_left_is_removed_from_every_folder_of_the_outputs(tmp_path: Path, tiny: Path) -> None:
    left = [tmp_path / "out" / folder / f".midas-{12 * 'a'}.tmp" for folder in ("", "000", "_midas/receipts")]
    there = planned(tmp_path, tiny)
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    work(there, HERE)
    assert not any(path.exists() for path in left)
    assert len(outputs_of(tmp_path / "out")) == 8


@pytest.mark.parametrize(
    ("options", "device"),
    [
        ({}, "auto"),
        ({"model": "own.onnx"}, "cpu"),
        ({"model": "own.pt"}, "auto"),
        ({"backend": "openvino"}, "cpu"),
        ({"backend": "torch", "model": "own.pt"}, "auto"),
        ({"backend": "onnxruntime", "device": "cuda"}, "cuda"),
        ({"device": "cpu"}, "cpu"),
    ],
)
def test_only_what_runs_by_pytorch_takes_a_card_that_nobody_named(options: dict[str, str], device: str) -> None:
    assert device_of(Recipe(**options)) == device  # type: ignore[arg-type]


def test_away_from_a_terminal_a_line_a_minute_says_how_far_it_is(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter([0.0, 1.0, SECONDS_BETWEEN_LINES, *[SECONDS_BETWEEN_LINES] * 9])
    with BatchReporter(planned(tmp_path, tiny, 40), quiet=False, clock=lambda: next(times)) as reporter:
        reporter.show(ShardReport(0, 4))
        reporter.show(ShardReport(1, 4, 1))
    assert capsys.readouterr().err == "midas: 8 of 40, 1 failed, 0.1 pictures/s, 4 min to go\n"


def test_on_a_terminal_a_bar_counts_pictures_and_failures(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with BatchReporter(planned(tmp_path, tiny), quiet=False) as reporter:
        reporter.show(ShardReport(0, 4, 1))
    assert "depth maps, 1 failed" in terminal.getvalue()
    assert "4/8" in terminal.getvalue()


def test_a_quiet_run_names_only_shards_that_are_tried_again(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with BatchReporter(planned(tmp_path, tiny), quiet=True, clock=iter(range(0, 900, 90)).__next__) as reporter:
        reporter.show(ShardReport(0, error="the store refuses"))
        reporter.show(ShardReport(0, 4))
    assert capsys.readouterr().err == "midas: shard 0 is tried again: the store refuses\n"


def test_metrics_count_pictures_shards_and_stages_where_prometheus_asks(tmp_path: Path, tiny: Path) -> None:
    pytest.importorskip("prometheus_client")
    from midas.scale.metrics import Metrics

    there = planned(tmp_path, tiny, 12)
    with Metrics(there, 0) as metrics:
        metrics.count(ShardReport(0, error="503"))
        metrics.count(ShardReport(0, 4, 1, stages={"decode": 1.5}))
        metrics.count(ShardReport(1, failed=2))
        with urlopen(f"http://127.0.0.1:{metrics.port}/metrics") as answer:
            said = answer.read().decode()
        with pytest.raises(ConfigError, match="choose another one"):
            Metrics(there, metrics.port)
    for line in (
        'midas_batch_pictures_total{outcome="done"} 3.0',
        'midas_batch_pictures_total{outcome="failed"} 1.0',
        'midas_batch_shards_total{outcome="tried again"} 1.0',
        'midas_batch_shards_total{outcome="done"} 1.0',
        'midas_batch_shards_total{outcome="done before"} 1.0',
        'midas_batch_stage_seconds_total{stage="decode"} 1.5',
        "midas_batch_job_pictures 12.0",
        "midas_batch_job_pictures_left 4.0",
    ):
        assert line in said


def test_options_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    for arguments, word in (
        (["--status", str(tmp_path), "photos"], "leave out sources"),
        (["photos", "-o", "maps", "--engine", "local", "--gpu-share", "0.5"], "--engine ray"),
        (["photos", "-o", "maps", "--engine", "local", "--address", "auto"], "--engine ray"),
        (["photos", "-o", "maps", "--pack", "parquet", "--format", "npy"], "16-bit PNG"),
    ):
        found = CliRunner().invoke(app, ["batch", *arguments])
        assert found.exit_code == 2
        assert word in found.stderr


def test_a_manifest_that_is_gone_or_half_there_is_named_and_no_picture_fails(tmp_path: Path, tiny: Path) -> None:
    there = planned(tmp_path, tiny)
    (part,) = (tmp_path / "out" / "_midas" / "manifest").glob("*/*.parquet")
    part.write_bytes(part.read_bytes()[:-20])
    summary = work(there, HERE)
    assert (summary.status.failed, summary.status.left) == (0, 8)
    assert all("begin the job anew" in why for why in summary.unfinished.values())


def test_nothing_is_planned_that_cannot_be_done(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(MidasError, match="no model file"):
        planned(tmp_path, tmp_path / "none.onnx")
    with pytest.raises(ConfigError, match="no pictures"):
        plan([str(tmp_path / "empty*")], Place.of(tmp_path / "out"), Recipe(model=str(tiny)))
    assert not (tmp_path / "out").exists()
