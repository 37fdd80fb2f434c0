"""The commands that run long: how each is started, and what must be whole of what it leaves behind."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.campaign.rendering import write_stand_in
from tests.campaign.runs import write_pictures, write_training
from tests.corpus_miniature import write_miniature
from tests.video.clips import ramp, times_of, write_clip

from midas.maps.depth_map import DepthMap
from midas.video import read_values


@dataclass(frozen=True)
class LongCommand:
    """A command that may be stopped at any time, or meet a full disk.

    Attributes:
        name: of the command.
        prepare: writes what it needs into a folder, and gives its arguments; its output goes to ``out`` there.
        check: raises an exception for a file among its output that isn't whole.
        again: what is added to the arguments when it goes on after it was stopped.
        room: kilobytes of a disk that is too small for its output; 0 for one that is full.
        progress: what lines on standard error that tell how far it is look like.
    """

    name: str
    prepare: Callable[[Path], list[str]]
    check: Callable[[Path], None]
    again: Sequence[str] = ()
    room: int = 200
    progress: str = "(?!)"

    def nameless(self, said: str) -> list[str]:
        """Lines on standard error that are neither a message of ours nor progress."""
        lines = [line for line in said.splitlines() if line.strip()]
        return [line for line in lines if not re.match(rf"midas: |{self.progress}", line)]

    def line(self, folder: Path, *, again: bool = False) -> list[str]:
        """The command line; what it needs is written if it isn't there."""
        return [sys.executable, "-m", "midas", *self.prepare(folder), *(self.again if again else ())]


def whole_outputs(command: LongCommand, out: Path) -> str:
    """What isn't whole among a command's output; empty if all is."""
    try:
        if out.exists():
            command.check(out)
    except Exception as error:  # noqa: BLE001
        return repr(error)[:300]
    return ""


def leftovers(out: Path) -> list[str]:
    """Temporary files, of whatever library, anywhere below a folder."""
    return [str(path) for path in out.rglob("*") if path.name.endswith(".tmp") or path.name.startswith(".tmp")]


def _prepare_predict(folder: Path) -> list[str]:
    if not (folder / "pictures").exists():
        write_pictures(folder / "pictures", 40)
    formats = "npy,png16,exr,tiff"
    return ["predict", str(folder / "pictures"), "-o", str(folder / "out"), "--format", formats, "--threads", "1", "-q"]


def _check_maps(out: Path) -> None:
    for path in out.iterdir():
        if not path.name.startswith("."):
            assert DepthMap.load(path).size == (200, 300), path


def _prepare_batch(folder: Path) -> list[str]:
    predict = _prepare_predict(folder)
    formats = predict[predict.index("--format") + 1]
    where = ["--engine", "local", "--workers", "1", "--shard-size", "4", "-q"]
    return ["batch", predict[1], "-o", str(folder / "out"), "--format", formats, "--map-size", "full", *where]


def _check_batch(out: Path) -> None:
    for path in out.iterdir():
        if not path.name.startswith((".", "_midas", "errors.parquet")):
            assert DepthMap.load(path).size == (200, 300), path
    for path in (out / "_midas" / "receipts").glob("[0-9]*"):
        json.loads(path.read_text(encoding="utf-8"))


def _prepare_train(folder: Path) -> list[str]:
    return ["train", str(write_training(folder, epochs=3)), "-o", str(folder / "out")]


def _check_train(out: Path) -> None:
    from midas.models.weights import read_weights
    from midas.training.state import CHECKPOINT, load_checkpoint

    for path in out.glob("*.safetensors"):
        assert read_weights(path)
    if (out / CHECKPOINT).exists():
        import torch

        state = torch.load(out / CHECKPOINT, weights_only=True)
        assert load_checkpoint(out, config=state["config"])
    if (out / "log.csv").exists():
        lines = (out / "log.csv").read_text(encoding="utf-8")
        assert all(len(row) == len(rows[0]) for rows in [list(csv.reader(lines.splitlines()))] for row in rows), lines


def _prepare_pack(folder: Path) -> list[str]:
    if not (folder / "set").exists():
        write_miniature(folder / "set", frames=60)
    options = ["--samples-per-shard", "20", "--jobs", "1", "--overwrite"]
    return ["data", "pack", "--reader", "corpus", "--root", str(folder / "set"), "-o", str(folder / "out"), *options]


def _check_shards(out: Path) -> None:
    from midas.datasets.shards import INDEX_NAME, verify

    if (out / INDEX_NAME).exists():
        assert verify(out).count


def _prepare_evaluate(folder: Path) -> list[str]:
    if not (folder / "set").exists():
        write_miniature(folder / "set", frames=60)
    files = ["--csv", str(folder / "out" / "scores.csv"), "-o", str(folder / "out" / "table.md")]
    return ["evaluate", "--root", str(folder / "set"), "--backend", "onnxruntime", *files]


def _check_scores(out: Path) -> None:
    path = out / "scores.csv"
    if path.exists() and path.stat().st_size:
        complete = path.read_text(encoding="utf-8").rpartition("\n")[0]  # --resume cuts off a last line that isn't
        rows = list(csv.reader(complete.splitlines()))
        assert all(len(row) == len(rows[0]) for row in rows)
    if (out / "table.md").exists():
        assert (out / "table.md").read_text(encoding="utf-8").rstrip().endswith("|")


def _prepare_export(folder: Path) -> list[str]:
    (folder / "out").mkdir(exist_ok=True)
    return ["export", "-o", str(folder / "out" / "nano.onnx")]


def _check_onnx(out: Path) -> None:
    import onnx

    for path in out.glob("*.onnx"):
        onnx.checker.check_model(str(path))


def _prepare_bench(folder: Path) -> list[str]:
    (folder / "out").mkdir(exist_ok=True)
    effort = ["--runs", "3", "--warmup", "0", "--seconds", "0.2", "--no-peak", "--no-reference", "--threads", "1"]
    return ["bench", "--backend", "onnxruntime", "--json", str(folder / "out" / "run.json"), "--overwrite", *effort]


def _prepare_render(folder: Path) -> list[str]:
    return ["data", "render", "-o", str(folder / "out"), "--count", "24", *write_stand_in(folder)]


def _check_rendered(out: Path) -> None:
    from midas.datasets.readers.corpus import CorpusDataset

    for path in out.glob("*/dataset.json"):
        if any(path.parent.glob("*/*.jpg")):
            pictures = CorpusDataset(path.parent)
            assert all(pictures[index].mask.any() for index in range(len(pictures)))


def _check_json(out: Path) -> None:
    for path in out.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))


def _prepare_video(folder: Path) -> list[str]:
    clip = folder / "clip.mkv"
    if not clip.exists():
        write_clip(clip, (ramp(number, (200, 300)) for number in range(200)))
    formats = "color,values,frames"
    return ["video", str(clip), "-o", str(folder / "out"), "--format", formats, "--backend", "onnxruntime", "-q"]


def _check_films(out: Path) -> None:
    for path in out.glob("*_color.mp4"):
        assert len(times_of(path)) == 200
    for path in out.glob("*_values.mkv"):
        assert sum(1 for _ in read_values(path)) == 200
    for path in out.glob("*_frames"):
        rows = (path / "times.csv").read_text(encoding="utf-8").splitlines()
        assert len(rows) == len(list(path.glob("*.png"))) + 1 == 201


# Every command that runs long enough to be stopped; a new one is listed here.
COMMANDS = (
    LongCommand("predict", _prepare_predict, _check_maps),
    LongCommand("batch", _prepare_batch, _check_batch),
    LongCommand("video", _prepare_video, _check_films),
    LongCommand(
        "train", _prepare_train, _check_train, again=("--resume",), progress=r"epoch \d+/\d+: |best validation figure "
    ),
    LongCommand("data pack", _prepare_pack, _check_shards),
    LongCommand("data render", _prepare_render, _check_rendered, room=40, progress=r"\d+ (of \d+ )?pictures"),
    LongCommand("evaluate", _prepare_evaluate, _check_scores, again=("--resume", "--overwrite"), room=1),
    LongCommand("export", _prepare_export, _check_onnx, again=("--overwrite",)),
    LongCommand("bench", _prepare_bench, _check_json, room=0),
)
