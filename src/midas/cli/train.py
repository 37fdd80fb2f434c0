"""``midas train``: a TOML file, or a folder of one's own pictures, becomes a trained network."""

from __future__ import annotations

from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midas.cli import DebugOption, command_app
from midas.cli.cluster_options import AddressOption, EngineOption, cluster_engine
from midas.cli.lab import require_lab
from midas.cli.progress import track
from midas.cli.terminal import say, say_lines
from midas.errors import ConfigError
from midas.models.zoo import DEFAULT_MODEL
from midas.storage.atomic import atomic_file

if TYPE_CHECKING:
    from midas.scale.engine import Engine
    from midas.training.config import TrainingConfig
    from midas.training.own_data import OwnSet

app = command_app()

EPILOG = """\b
Examples:
  midas train --data photos/ -o runs/mine                    your own pictures with depth
  midas train --data photos/ -o runs/mine --depth-unit mm    where the unit can't be told
  midas train --data photos/ --look                          only look at them
  midas train configs/midas_nano_256.toml -o runs/nano       a recipe
  midas train configs/midas_nano_256.toml -o runs/nano --resume
  torchrun --nproc-per-node 8 --max-restarts 3 -m midas train x.toml -o runs/x --continue
  midas train x.toml -o /shared/runs/x --engine ray --address auto --processes 16
  midas train configs/midas_nano_256.toml -o runs/mse --set loss.data=ssi_mse --set run.epochs=2
"""


class Unit(str, Enum):
    """What depth maps hold."""

    auto = "auto"
    mm = "mm"
    m = "m"
    disparity = "disparity"
    depth = "depth"


@app.command(epilog=EPILOG)
def train(
    config: Annotated[Path | None, typer.Argument(help="Settings of the run, TOML; see configs/.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for checkpoint, log and weights; with --data runs/NAME by default."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Your pictures and depth maps, in place of a file.")
    ] = None,
    depth_unit: Annotated[
        Unit, typer.Option(help="What these depth maps hold; depth is depth of unknown unit.")
    ] = Unit.auto,
    model: Annotated[str, typer.Option(metavar="NAME", help="With --data: what is trained.")] = DEFAULT_MODEL,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --data: weights to start from; the model's own by default."),
    ] = None,
    look: Annotated[bool, typer.Option("--look", help="With --data: say what is there, and stop.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in the folder, from its last checkpoint.")
    ] = False,
    go_on: Annotated[
        bool,
        typer.Option(
            "--continue",
            help="Go on if there is a checkpoint, else begin: for torchrun, Slurm and Kubernetes, which start the same "
            "command again.",
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove the run that is in the folder.")] = False,
    engine: EngineOption = "local",
    address: AddressOption = None,
    processes: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="With Ray: how many; one for each graphics card, or for four cores."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting in place of the file's; may be given several times."
        ),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Train a network by the MiDaS recipe, or on your own pictures with depth.

    With --data the folder may hold rgb/ and depth/, pairs of one name, names with _depth, scenes in folders, the corpus
    format, or lists as TUM RGB-D has them; depth as PNG, JPEG, TIFF, NPY, EXR or PFM. What was found is printed, and
    drawn to data.png in the run's folder.

    Writes into the output folder: config.toml (the settings), best.safetensors (smallest validation figure; at first
    the weights that the run starts from), last.safetensors, checkpoint.pt (all that --resume needs) and log.csv.
    """
    require_lab("training")
    from midas.training.config import parse_config
    from midas.training.config_files import read_tables
    from midas.training.run_folder import CONFIG, check_continuing, is_first_process, prepare_folder, write_config
    from midas.training.state import BEST_WEIGHTS

    if (config is None) == (data is None):
        raise ConfigError(
            "expected a file of settings, or --data with a folder of pictures and depth maps, one of them"
        )
    if look and data is not None:
        say_lines(_look_at(data, depth_unit)[1])
        return
    cluster = _cluster(engine, address, processes)
    folder = _run_folder(output, data)
    if go_on or cluster is not None:
        resume, overwrite = check_continuing(folder, resume=resume, overwrite=overwrite)
    prepare_folder(folder, resume=resume, overwrite=overwrite)
    if data is not None and not resume:
        write_config(folder, _own_settings(data, depth_unit, folder, model, weights))
    settings = read_tables(config or folder / CONFIG, changes or ())
    parsed = parse_config(settings, origin=str(config or folder / CONFIG))
    if not resume:
        write_config(folder, settings)
    best_figure = _learn(parsed, folder, resume) if cluster is None else _learn_on(cluster, parsed, folder)
    if not is_first_process():  # of several, each of which runs this command, one speaks
        return
    best = folder / BEST_WEIGHTS
    say(f"best validation figure {best_figure:.3f} %: {best}")
    if data is not None:
        say_lines(
            f"to try it:     midas predict PHOTO --model {best}\n"
            f"to export it:  midas export --model {best} -o {folder.resolve().name}.onnx"
        )


def _learn(settings: TrainingConfig, folder: Path, resume: bool | None = None) -> float:
    """Train; the best validation figure.

    Args:
        settings: of the run.
        folder: of the run.
        resume: from its last checkpoint on; None where there is one.
    """
    from midas.training.state import CHECKPOINT
    from midas.training.trainer import Trainer

    trainer = Trainer(settings, folder)
    if (folder / CHECKPOINT).is_file() if resume is None else resume:
        trainer.resume()
    trainer.run()
    return trainer.best


def _learn_on(cluster: Engine, settings: TrainingConfig, folder: Path) -> float:
    """The same by processes of a cluster, which all begin again from the last checkpoint when one is lost."""
    from midas.scale.together import run_together
    from midas.training.state import load_checkpoint

    run_together(partial(_learn, settings, folder), cluster, folder)
    return float(load_checkpoint(folder, config=repr(settings))["position"]["best"])


def _cluster(engine: str, address: str | None, processes: int | None) -> Engine | None:
    if processes is not None and engine == "local":
        raise ConfigError("--processes goes with --engine ray; torchrun has --nproc-per-node, a file run.devices")
    return cluster_engine(engine, address, processes)


def _run_folder(output: Path | None, data: Path | None) -> Path:
    if output is not None:
        return output
    if data is None:
        raise ConfigError("name the run's folder with --output")
    return Path("runs") / data.resolve().name


def _look_at(data: Path, unit: Unit) -> tuple[OwnSet, str]:
    """What the folder holds, and that in words."""
    from midas.loading import load
    from midas.training.own_data import look_at, summary

    predictor = load()
    own = look_at(
        data,
        None if unit is Unit.auto else unit.value,
        lambda picture: predictor(picture).values,
        track=lambda indices: track(indices, f"looking at {data.name}", total=len(indices)),
    )
    return own, summary(own)


def _own_settings(data: Path, unit: Unit, folder: Path, model: str, weights: Path | None) -> dict[str, Any]:
    """Say and draw what the folder holds; the settings of a run that learns from it."""
    from PIL import Image

    from midas.datasets.inspect import draw_sheet
    from midas.training.own_data import settings
    from midas.training.run_folder import SHEET, is_first_process

    own, text = _look_at(data, unit)
    if not is_first_process():
        return settings(own, folder, model=model, weights=weights)
    with atomic_file(folder / SHEET, overwrite=True) as file:
        Image.fromarray(draw_sheet(own.inspection.shown)).save(file, format="PNG")
    say_lines(f"{text}\n{'drawn:':<12} {folder / SHEET}")
    return settings(own, folder, model=model, weights=weights)
