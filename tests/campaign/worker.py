"""Tries damaged files one after the other, in a process that may die of them.

``python -m tests.campaign.worker KIND SEED FIRST COUNT FOLDER`` writes one line of JSON per file to standard output:
what it begins with, and then what became of it. What libraries write on their own is caught and counted.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from tests.campaign import seeds
from tests.campaign.mutations import mutate

from midas.errors import MidasError

Attempt = Callable[[Path], str]


def main(kind: str, seed: int, first: int, count: int, folder: Path) -> None:
    """Try ``count`` files from number ``first`` on."""
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    material, attempt = KINDS[kind](folder)
    names = sorted(material)
    with _heard() as heard:
        for number in range(first, first + count):
            rng = np.random.default_rng([seed, number])
            name = names[number % len(names)]
            suffix, whole = material[name]
            path = folder / f"{number}{suffix}"
            path.write_bytes(mutate(whole, rng, material[names[int(rng.integers(len(names)))]][1]))
            print(json.dumps({"begins": number, "name": name}), file=answers, flush=True)
            start = time.process_time()  # the machine may be busy; what waits for ever is found by who reads this
            outcome, foreign = _tried(attempt, path)
            answer = {
                "number": number,
                "name": name,
                "outcome": outcome,
                "foreign": foreign,
                "seconds": time.process_time() - start,
                "said": heard(),
                "left": _leftovers(folder),
            }
            print(json.dumps(answer), file=answers, flush=True)
            if not (foreign or answer["said"] or answer["seconds"] > 1):
                path.unlink()


def _tried(attempt: Attempt, path: Path) -> tuple[str, str]:
    try:
        return attempt(path), ""
    except MidasError as error:
        if "\n" in str(error) or str(path) not in str(error):
            return "refused", f"the message is no line that names the file: {error!r}"
        return "refused", ""
    except Exception as error:  # noqa: BLE001
        return "foreign", repr(error)[:300]


@contextmanager
def _heard() -> Iterator[Callable[[], str]]:
    """Catch both output descriptors; the function gives what was written since it was last called."""
    with tempfile.TemporaryFile() as file:
        saved = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(file.fileno(), number)

        def since() -> str:
            sys.stdout.flush()
            sys.stderr.flush()
            file.seek(0)
            text = file.read().decode(errors="replace")
            file.seek(0)
            file.truncate()
            return text

        try:
            yield since
        finally:
            for number, old in zip((1, 2), saved, strict=True):
                os.dup2(old, number)


def _leftovers(folder: Path) -> int:
    return sum(name.endswith(".tmp") for name in os.listdir(folder))  # noqa: PTH208


# ── what is tried ────────────────────────────────────────────────────────────


def _pictures(folder: Path) -> tuple[dict[str, tuple[str, bytes]], Attempt]:
    from tests.tiny_model import write_tiny_model

    import midas
    from midas.folder import predict_files
    from midas.maps.depth_map import DepthMap
    from midas.maps.names import PictureJob

    predictor = midas.load(write_tiny_model(folder / "tiny.onnx"))

    def attempt(path: Path) -> str:
        output = path.with_name(f"{path.stem}.npy")
        (report,) = predict_files(predictor, [PictureJob(path, {"npy": output})])
        if report.error is not None:
            assert not output.exists(), "half a file"
            raise report.error
        assert DepthMap.load(output).size == report.size, "half a file"
        output.unlink()
        return "maps"

    return seeds.pictures(), attempt


def _maps(folder: Path) -> tuple[dict[str, tuple[str, bytes]], Attempt]:
    from midas.maps.depth_map import DepthMap

    def attempt(path: Path) -> str:
        assert DepthMap.load(path).values.ndim == 2
        return "read"

    return seeds.maps(), attempt


def _models(folder: Path) -> tuple[dict[str, tuple[str, bytes]], Attempt]:
    import torch
    from tests.tiny_model import write_tiny_model

    import midas
    from midas.models import create_model
    from midas.models.weights import write_safetensors

    network = create_model(encoder="mobilenetv3_small_050", weights=None, features=8)
    state = {name: tensor.clone() for name, tensor in list(network.state_dict().items())[:40]}
    write_safetensors(state, folder / "a.safetensors", {"midas.name": "midas_nano_256"})
    torch.save(state, folder / "a.pt")
    torch.save({"state_dict": state, "epoch": 3}, folder / "b.pt", _use_new_zipfile_serialization=False)
    (folder / "c.pt").write_bytes(pickle.dumps({name: tensor.numpy() for name, tensor in state.items()}))
    sources = {
        "onnx": write_tiny_model(folder / "tiny.onnx"),
        "safetensors": folder / "a.safetensors",
        "pt": folder / "a.pt",
        "pt, old": folder / "b.pt",
        "pickle": folder / "c.pt",
    }
    picture = np.zeros((64, 64, 3), np.uint8)

    def attempt(path: Path) -> str:
        # OpenVINO and PyTorch are part of the process; a model that loads must run, or say why not.
        predictor = midas.load(path)
        try:
            predictor(picture)
        except MidasError:
            return "loaded, and refused to run"
        return "loaded"

    return {name: (path.suffix, path.read_bytes()) for name, path in sources.items()}, attempt


def _checkpoints(folder: Path) -> tuple[dict[str, tuple[str, bytes]], Attempt]:
    from tests.campaign.runs import tiny_training

    from midas.training.state import CHECKPOINT
    from midas.training.trainer import Trainer

    config = tiny_training(folder)
    Trainer(config, folder / "run").run()
    trainer = Trainer(config, folder / "again")
    (folder / "again").mkdir()

    def attempt(path: Path) -> str:
        place = folder / "again" / CHECKPOINT
        place.write_bytes(path.read_bytes())
        try:
            trainer.resume()
        except MidasError as error:
            raise type(error)(
                str(error).replace(str(place), str(path)).replace(str(place.parent), str(path))
            ) from error
        return "resumed"

    return {"checkpoint": (".pt", (folder / "run" / CHECKPOINT).read_bytes())}, attempt


def _sets(folder: Path) -> tuple[dict[str, tuple[str, bytes]], Attempt]:
    from tests.corpus_miniature import write_miniature

    from midas.datasets.reader import read_sample
    from midas.datasets.readers.corpus import CorpusDataset

    root = write_miniature(folder / "set", scenes=("a",), frames=1)
    files = {"picture": "a/000.jpg", "map": "a/000.png", "facts": "dataset.json"}
    whole = {name: (root / place).read_bytes() for name, place in files.items()}

    def attempt(path: Path) -> str:
        name = path.suffix[1:]
        place = root / files[name]
        place.write_bytes(path.read_bytes())
        try:
            read_sample(CorpusDataset(root), 0)
        except MidasError as error:
            raise type(error)(f"{path}: {error}") from error
        finally:
            place.write_bytes(whole[name])
        return "read"

    return {name: (f".{name}", content) for name, content in whole.items()}, attempt


KINDS: dict[str, Callable[[Path], tuple[dict[str, tuple[str, bytes]], Attempt]]] = {
    "pictures": _pictures,
    "maps": _maps,
    "models": _models,
    "checkpoints": _checkpoints,
    "sets": _sets,
}


def _arguments() -> list[Any]:
    kind, seed, first, count, folder = sys.argv[1:]
    return [kind, int(seed), int(first), int(count), Path(folder)]


if __name__ == "__main__":
    main(*_arguments())
