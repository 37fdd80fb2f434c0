"""``midas train``: a TOML file becomes a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from midas.cli import DebugOption, command_app
from midas.cli.lab import require_lab
from midas.cli.terminal import say

app = command_app()

EPILOG = """
Examples:

  midas train configs/midas_nano_256.toml -o runs/nano

  midas train configs/midas_nano_256.toml -o runs/nano --resume

  midas train configs/midas_nano_256.toml -o runs/mse --set loss.data=ssi_mse --set run.epochs=2
"""


@app.command(epilog=EPILOG)
def train(
    config: Annotated[Path, typer.Argument(help="Settings of the run, TOML; see configs/.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for checkpoint, log and weights.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last finished epoch of the run in the folder.")
    ] = False,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting in place of the file's; may be given several times."
        ),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Train a network by the MiDaS recipe.

    Writes into the output folder: best.safetensors (smallest validation figure), last.safetensors, checkpoint.pt (all
    that --resume needs, written after each epoch) and log.csv (one line per epoch).
    """
    require_lab("training")
    from midas.training.config import read_config
    from midas.training.trainer import Trainer

    trainer = Trainer(read_config(config, changes or ()), output)
    if resume:
        trainer.resume()
    trainer.run()
    say(f"best validation figure {trainer.best:.3f} %: {output / 'best.safetensors'}")
