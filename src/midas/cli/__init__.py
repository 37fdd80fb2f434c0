"""The command ``midas``: one file per sub-command, each loaded when it is called."""

from __future__ import annotations

import math
import traceback
import warnings
from collections.abc import Callable, Collection
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from midas.cli.terminal import close_output, drop_output, prepare_streams, say, tell, tell_error, tell_lines
from midas.errors import ConfigError, MidasError, MissingExtraError, ModelError, is_failure, reason_of
from midas.signals import Stopped
from midas.version import __version__

# In the order of the help text. Each names a module of this package whose `app` comes from `command_app`, holds one
# command or a group of them, and imports no more than its options need.
COMMANDS = (
    "predict", "batch", "video", "live", "cloud", "colmap", "effect", "serve", "web", "models", "train", "evaluate",
    "calibrate", "export", "bench", "data",
)  # fmt: skip

STATUS_FAILED = 1
STATUS_USAGE = 2
STATUS_INTERRUPTED = 128 + 2  # as a shell reports a program that SIGINT ended
STATUS_BROKEN_PIPE = 128 + 13  # likewise SIGPIPE

_DEBUG = "midas.debug"
_STOPPED = "midas: stopped"
# What typer itself turns into messages and statuses: wrong usage, and the end that a command asks for.
# The first is ClickException, whose module differs by typer's version.
_CLICK_ERRORS = (typer.BadParameter.__mro__[2], typer.Exit, typer.Abort)
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
    """The sub-commands, imported one by one; and the net in which all that they raise becomes a line and a status."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the sub-commands, in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The sub-command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        return typer.main.get_command(import_module(f"midas.cli.{cmd_name}").app)

    def resolve_command(self, ctx: Any, args: Any) -> Any:
        """The sub-command that the arguments begin with.

        Raises:
            UsageError: there is none of that name; it says which comes near.
        """
        name = str(args[0]) if args else ""
        near = [] if name in COMMANDS or name.startswith("-") else get_close_matches(name, COMMANDS, n=1)
        if near:
            ctx.fail(f"there is no command {name!r}; did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the sub-command."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                # Pillow's name no file, and what is wrong with one is told by its error.
                warnings.filterwarnings("ignore", module=r"PIL\.")
                return super().invoke(ctx)
        except BrokenPipeError:  # the reader of our output has gone
            raise typer.Exit(STATUS_BROKEN_PIPE) from None
        except MidasError as error:
            _show_traceback(ctx)
            tell_error(error)
            raise typer.Exit(STATUS_USAGE if isinstance(error, _USAGE_ERRORS) else STATUS_FAILED) from None
        except KeyboardInterrupt:
            tell(_STOPPED)
            raise typer.Exit(STATUS_INTERRUPTED) from None
        except BaseException as error:
            if not is_failure(error) or isinstance(error, _CLICK_ERRORS):
                raise
            _show_traceback(ctx)
            tell(f"midas: error: {reason_of(error)}; that was not foreseen: --debug shows where it happened")
            raise typer.Exit(STATUS_FAILED) from None


def _show_traceback(ctx: Any) -> None:
    if ctx.meta.get(_DEBUG):
        tell_lines(traceback.format_exc())


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    tell(f"midas: warning: {' '.join(str(message).split())}")


def one_of(choices: Collection[str]) -> Callable[[str], str]:
    """A check that an option's value is one of some names."""

    def check(name: str) -> str:
        if name not in choices:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(choices)}")
        return name

    return check


def finite(value: float) -> float:
    """A callback for options that take a number: infinity and NaN pass the comparisons of a range."""
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number")
    return value


def command_app() -> typer.Typer:
    """What a module of a sub-command registers its command, or its group of them, with."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        say(f"midas {__version__}")
        raise typer.Exit


@app.callback()
def midas(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Relative depth from a single photograph."""


def main() -> None:
    """Run the command that the arguments of this process name; it ends by ``SystemExit``."""
    prepare_streams()
    try:
        status = _run()
        close_output()
    except MidasError as error:  # of standard output, which says nothing more
        tell_error(error)
        status = STATUS_FAILED
    except Stopped as stopped:
        tell(_STOPPED)
        drop_output()
        status = stopped.code
    raise SystemExit(status)


def _run() -> str | int | None:
    try:
        app()
    except Stopped:
        raise
    except SystemExit as end:
        return end.code
    except OSError as error:  # of help and usage, which aren't ours to write
        drop_output()
        raise MidasError(f"standard output can't be written to: {error.strerror or error}") from error
    return None
