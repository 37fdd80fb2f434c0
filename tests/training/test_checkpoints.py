"""A checkpoint that is damaged, foreign or hostile is refused in one line that names it; a full disk is said so."""

from __future__ import annotations

import io
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.corpus_miniature import write_miniature

from midas.errors import MidasError, OutputError, TrainingError
from midas.training import state as state_module
from midas.training.config import TrainingConfig, parse_config
from midas.training.state import CHECKPOINT, load_checkpoint, save_checkpoint
from midas.training.trainer import Trainer


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('executed')",)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TrainingConfig:
    root = tmp_path_factory.mktemp("data")
    write_miniature(root / "miniature")
    return parse_config(
        {
            "model": {"encoder": "mobilenetv3_small_050", "features": 8},
            "data": {"root": str(root), "sets": [{"name": "miniature"}], "sizes": [[64, 96]]},
            "optimizer": {"decoder_rate": 1e-3, "encoder_rate": 1e-3},
            "run": {"epochs": 1, "pictures_per_epoch": 4, "batch_size": 4, "workers": 0, "precision": "float32"},
        }
    )


@pytest.fixture(scope="module")
def finished(config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    Trainer(config, folder).run()
    return folder


def changed(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda state: state | values


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no mapping": lambda state: [1, 2, 3],
    "no keys": lambda state: {},
    "other settings": changed(config="other"),
    "a network of another shape": changed(network={"weight": torch.zeros(3)}),
    "no network": changed(network=None),
    "an average of numbers": changed(average={"weight": 1.0}),
    "an optimiser without groups": changed(optimizer={"state": {}, "param_groups": []}),
    "a schedule that is a list": changed(schedule=[1]),
    "a short state of the generator": changed(rng=torch.zeros(3, dtype=torch.uint8)),
    "a state of the generator of floats": changed(rng=torch.zeros(5056)),
    "a position of other fields": changed(position={"epoch": 0, "elsewhere": 1}),
    "a position without numbers": changed(position={"epoch": "one", "sums": None}),
    "kept epochs in a list": changed(kept=[1, 2]),
    "a sparse tensor": changed(average={"weight": torch.eye(3).to_sparse()}),
    "a tensor without content": changed(network={"weight": torch.zeros(3, device="meta")}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_checkpoint_that_isnt_of_this_run_is_refused(
    change: str, config: TrainingConfig, finished: Path, tmp_path: Path
) -> None:
    state = torch.load(finished / CHECKPOINT, weights_only=True)
    torch.save(CHANGES[change](state), tmp_path / CHECKPOINT)
    with pytest.raises(TrainingError, match=f"{tmp_path}.*;") as caught:
        Trainer(config, tmp_path).resume()
    assert "\n" not in str(caught.value)


def damaged() -> list[Any]:
    def zipped(content: bytes) -> bytes:
        with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
            archive.writestr("archive/data.pkl", content)
        return file.getvalue()

    return [
        pytest.param(lambda whole: b"", id="empty"),
        pytest.param(lambda whole: whole[: len(whole) // 2], id="half"),
        pytest.param(lambda whole: b"PK\x03\x04" + bytes(100), id="no archive"),
        pytest.param(lambda whole: zipped(pickle.dumps(Hostile())), id="hostile"),
        pytest.param(lambda whole: pickle.dumps(Hostile()), id="hostile, bare"),
        pytest.param(lambda whole: zipped(b"\x80\x02" + b"(" * 100_000), id="nested"),
        pytest.param(lambda whole: b"<html>not found</html>", id="web page"),
    ]


@pytest.mark.parametrize("damage", damaged())
def test_a_damaged_checkpoint_is_refused_without_the_advice_of_others(
    damage: Callable[[bytes], bytes], finished: Path, tmp_path: Path
) -> None:
    (tmp_path / CHECKPOINT).write_bytes(damage((finished / CHECKPOINT).read_bytes()))
    with pytest.raises(TrainingError, match=CHECKPOINT) as caught:
        load_checkpoint(tmp_path, config="")
    assert "\n" not in str(caught.value)
    assert not {"weights_only", "re-run", "trust"} & set(str(caught.value).split())


def test_bytes_changed_at_random_give_errors_of_ours_or_none(
    config: TrainingConfig, finished: Path, tmp_path: Path
) -> None:
    whole = (finished / CHECKPOINT).read_bytes()
    rng = np.random.default_rng(0)
    trainer = Trainer(config, tmp_path)
    for _ in range(60):
        content = bytearray(whole)
        # The pickle stands first and the table of contents last; between them are numbers, of which any is as good.
        for place in rng.choice([*range(6000), *range(len(whole) - 6000, len(whole))], 8):
            content[place] = rng.integers(256)
        (tmp_path / CHECKPOINT).write_bytes(content)
        try:
            trainer.resume()
        except MidasError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_a_folder_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to resume"):
        load_checkpoint(tmp_path, config="")


def test_a_disk_that_is_full_is_an_error_of_the_output_and_the_old_checkpoint_stays(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(content: object, file: Any) -> None:
        try:
            raise OSError(28, "No space left on device")
        except OSError:
            raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598")  # noqa: B904

    shutil.copy(finished / CHECKPOINT, tmp_path)
    monkeypatch.setattr(state_module.torch, "save", full)
    with pytest.raises(OutputError, match=r"checkpoint\.pt can't be written: No space left on device"):
        save_checkpoint(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]
    assert (tmp_path / CHECKPOINT).read_bytes() == (finished / CHECKPOINT).read_bytes()
