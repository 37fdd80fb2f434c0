"""What the server counts, of one process and of several."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.serving.conftest import Client, picture

from midas.errors import ConfigError
from midas.serving.limits import Limits
from midas.serving.metrics import PROCESSES_FOLDER, Metrics, forget_the_dead


def test_the_counters_tell_of_requests_rejections_and_stages(served: Client) -> None:
    client = served()
    client.post("/v1/depth?format=npy", content=picture())
    client.post("/v1/depth", content=b"no picture")
    text = client.get("/metrics").text
    for line in (
        'midas_requests_total{format="npy",status="200"} 1.0',
        'midas_requests_total{format="png16",status="415"} 1.0',
        'midas_rejected_total{reason="unknown-type"} 1.0',
        'midas_stage_seconds_count{stage="infer"} 1.0',
        f"midas_pixels_total {float(64 * 96)}",
        'midas_model_info{model="tiny"} 1.0',
        "midas_queue_depth 0.0",
    ):
        assert line in text


def test_the_gauges_of_a_process_that_has_nothing_to_do_show_nothing(
    served: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[int, int]] = []
    monkeypatch.setattr(Metrics, "show_queue", lambda _, waiting, running: shown.append((waiting, running)))
    client = served(Limits(decodes=1))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda seed: client.post("/v1/depth", content=picture(seed=seed)), range(6)))
    client.post("/v1/depth", content=b"no picture")
    assert (len(shown), shown[-1]) == (14, (0, 0))


COUNTS = """import sys
from midas.serving.metrics import Metrics
metrics = Metrics()
metrics.show_queue(3, 2)
metrics.show_model("tiny")
metrics.count(200, "npy")
print("counted", flush=True)
for line in sys.stdin:
    print(metrics.text().decode(), end="", flush=True)
    break
"""


def counting(folder: Path) -> subprocess.Popen[str]:
    """A process that has counted, and tells of it when it is sent a line."""
    environment = {**os.environ, PROCESSES_FOLDER: str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", COUNTS], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == "counted\n"
    return process


def test_the_gauges_of_a_process_that_died_are_taken_out_and_what_it_counted_stays(tmp_path: Path) -> None:
    dying, living = counting(tmp_path), counting(tmp_path)
    dying.kill()
    dying.communicate()
    text, _ = living.communicate("tell\n")
    for line in ("midas_queue_depth 3.0", "midas_in_flight 2.0", 'midas_model_info{model="tiny"} 1.0'):
        assert line in text.splitlines()
    assert 'midas_requests_total{format="npy",status="200"} 2.0' in text
    assert [path for path in tmp_path.glob("gauge_*") if path.stem.endswith(f"_{dying.pid}")] == []


def test_the_gauges_of_processes_that_live_stay_and_other_files_too(tmp_path: Path) -> None:
    kept = [tmp_path / name for name in (f"gauge_livesum_{os.getpid()}.db", "gauge_livesum_x.db", "counter_1.db")]
    for path in kept:
        path.touch()
    forget_the_dead(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_folder_to_count_in_that_there_is_not_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROCESSES_FOLDER, str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="expected an empty folder"):
        Metrics()
