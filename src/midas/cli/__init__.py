"""The command ``midas``: one file per sub-command, each loaded when it is called."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from midas.errors import ConfigError, MidasError, MissingExtraError, ModelError
from midas.version import __version__

# In the order of the help text. Each names a module of this package whose `app` comes from `command_app`, holds one
# command or a group of them, and imports no more than its options need.
COMMANDS = ("predict", "models", "train", "evaluate", "export", "bench", "data")

STATUS_FAILED = 1
STATUS_USAGE = 2
STATUS_INTERRUPTED = 128 + 2  # as a shell reports a program that SIGINT ended
STATUS_BROKEN_PIPE = 128 + 13  # likewise SIGPIPE

_DEBUG = "midas.debug"
# What was asked for can't be asked for; other errors are something that went wrong on the way.
_USAGE_ERRORS = (ConfigError, ModelError, MissingExtraError)


def _note_debug(context: typer.Context, debug: bool) -> bool:
    # Of a group and its sub-command either may be given it; they share this dictionary.
    context.meta[_DEBUG] = debug or context.meta.get(_DEBUG, False)
    return debug


DebugOption = Annotated[
    bool, typer.Option("--debug", callback=_note_debug, is_eager=True, help="Show the traceback of an error.")
]


class LazyGroup(TyperGroup):
    """The sub-commands, imported one by one; and where warnings and errors become messages and exit statuses."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the sub-commands, in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The sub-command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        return typer.main.get_command(import_module(f"midas.cli.{cmd_name}").app)

    def invoke(self, ctx: Any) -> Any:
        """Run the sub-command."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                # Pillow's name no file, and what is wrong with one is told by its error.
                warnings.filterwarnings("ignore", module=r"PIL\.")
                return super().invoke(ctx)
        except MidasError as error:
            if ctx.meta.get(_DEBUG):
                traceback.print_exc()
            typer.echo(f"midas: error: {error}", err=True)
            raise typer.Exit(STATUS_USAGE if isinstance(error, _USAGE_ERRORS) else STATUS_FAILED) from None
        except KeyboardInterrupt:
            typer.echo("midas: stopped", err=True)
            raise typer.Exit(STATUS_INTERRUPTED) from None
        except BrokenPipeError:
            # The reader of our output has gone. What is left in the buffer must go somewhere at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(STATUS_BROKEN_PIPE) from None


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    typer.echo(f"midas: warning: {' '.join(str(message).split())}", err=True)


def command_app() -> typer.Typer:
    """What a module of a sub-command registers its command, or its group of them, with."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)


app = typer.Typer(
    cls=LazyGroup, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"midas {__version__}")
        raise typer.Exit


@app.callback()
def midas(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Relative depth from a single photograph."""


def main() -> None:
    """The console script."""
    try:
        app()
    except KeyboardInterrupt:  # before the sub-command was there to be stopped
        raise SystemExit(STATUS_INTERRUPTED) from None
