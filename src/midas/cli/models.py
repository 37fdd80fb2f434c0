"""``midas models``: the table of models, and their weight files."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, get_args

import typer

from midas.assets import asset_path
from midas.cli import DebugOption, command_app
from midas.cli.lab import require_lab
from midas.cli.terminal import say, say_lines, tell_error
from midas.errors import ConfigError, ModelError, WeightsError
from midas.maps.kinds import METRIC, RELATIVE_DISPARITY
from midas.models.specs import Format, ModelSpec
from midas.models.weight_files import find_weights, local_path
from midas.models.zoo import MODELS, find_model

app = command_app()

FORMATS: tuple[Format, ...] = get_args(Format)

_HEADINGS = ("model", "parameters", "input", "licence", "commercial", "values", "weights", "notes")
_MARKDOWN_HEADINGS = ("model", "parameters", "GMAC", "input, other sizes", "licence", "weights", "notes")
_BUILT_IN, _CACHED, _PUBLISHED = "built in", "in the cache", "downloaded on first use"
_PUBLISHED_SHORT = "on first use"
_KINDS = {RELATIVE_DISPARITY: "relative", METRIC: "metres"}

ADVICE = {
    "to begin, or without a connection": ("midas_nano_256",),
    "small, and good everywhere": ("zipdepth_base",),
    "on a phone or an NPU, exported": ("zipdepth_base_npu",),
    "the best maps": ("depth_anything_v2_vits", "depth_anything_v2_vitl"),
    "what papers on MiDaS report": ("dpt_beit_large_512", "dpt_large_384"),
}
"""Which model to take for what; ``docs/models.md`` gives the reasons."""

DOWNLOAD_EPILOG = """
Example:

  midas models download dpt_large_384 midas_v21_small_256 --format pytorch
"""

CONVERT_EPILOG = """
Example:

  midas models convert dpt_swin2_tiny_256.pt swin2_tiny.safetensors
"""


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per model, with all facts.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A Markdown table.")] = False,
    card: Annotated[str | None, typer.Option(metavar="NAME", help="Print the model card of one model.")] = None,
    debug: DebugOption = False,
) -> None:
    """List the models: parameters, input size, licence, where the weights are."""
    if context.invoked_subcommand is not None:
        return
    rows = [ModelRow(spec) for spec in MODELS.values()]
    if card is not None:
        say_lines(read_card(card).rstrip("\n"))
    elif as_json:
        say_lines("\n".join(row.as_json() for row in rows))
    elif as_markdown:
        say_lines(markdown_table(rows))
    else:
        say_lines(text_table(rows, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))


@app.command(epilog=DOWNLOAD_EPILOG)
def download(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Names from `midas models`.")],
    format: Annotated[str | None, typer.Option(help=f"Which kind of file: {', '.join(FORMATS)}.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Only look: download nothing.")] = False,
    debug: DebugOption = False,
) -> None:
    """Fetch the weights of models into the cache, unless they are there, and print their paths.

    MIDAS_CACHE names another folder for the cache, MIDAS_MIRROR another address that the files come from, and
    MIDAS_OFFLINE=1 forbids downloads.
    """
    formats = [known for known in FORMATS if format in (None, known)]
    if not formats:
        raise ConfigError(f"no weights come as {format!r}; expected one of: {', '.join(FORMATS)}")
    problems: list[WeightsError] = []
    for spec in [find_model(name) for name in names]:
        try:
            say(str(find_weights(spec, *formats, offline=True if offline else None).path))
        except WeightsError as error:
            problems.append(error)
    for problem in problems[:-1]:
        tell_error(problem)
    if problems:
        raise problems[-1]


@app.command(epilog=CONVERT_EPILOG)
def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A weight file: .pt, .pth or safetensors.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The safetensors file to write.")],
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model that they belong to; found out by default.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    debug: DebugOption = False,
) -> None:
    """Write weights as safetensors, with this package's names of the tensors and a description of the model.

    Nothing in the source is executed. The file is compared with it after writing.
    """
    require_lab("midas models convert")
    from midas.models.convert import convert_weights

    report = convert_weights(source, target, model=model, overwrite=overwrite)
    say(f"{report.path}: {report.tensors} tensors of {report.model}")


@dataclass(frozen=True)
class ModelRow:
    """What the table says of a model."""

    spec: ModelSpec

    def as_json(self) -> str:
        """One line of JSON with all facts but the network's parts."""
        spec = self.spec
        height_px, width_px = spec.input.size
        facts = {
            "name": spec.name,
            "summary": spec.summary,
            "parameters": spec.parameters,
            "parameters_in_training": spec.parameters_in_training or spec.parameters,
            "gmacs": spec.gmacs,
            "input_height_px": height_px,
            "input_width_px": width_px,
            "input_multiple_px": spec.input.multiple,
            "input_fixed": spec.input.fixed,
            "licence": spec.weights.licence,
            "non_commercial": spec.weights.non_commercial,
            "licence_note": spec.weights.note,
            "kind": spec.kind,
            "take_for": [use for use, names in ADVICE.items() if spec.name in names],
            "weights": self.place(),
            "files": [asdict(file) for file in spec.weights.files],
            "huggingface": spec.huggingface,
        }
        return json.dumps(facts)

    def as_text(self) -> tuple[str, ...]:
        """One cell per heading, for a terminal."""
        commercial = "no" if self.spec.weights.non_commercial else "yes"
        place = self.place()
        place = _PUBLISHED_SHORT if place == _PUBLISHED else place
        spec = self.spec
        terms = (spec.weights.licence, commercial, _KINDS[spec.kind])
        return spec.name, self._parameters, self._size, *terms, place, spec.summary

    def as_markdown(self) -> tuple[str, ...]:
        """One cell per heading, the same on every machine."""
        weights = self.spec.weights
        terms = ", not for commercial use" if weights.non_commercial else ""
        terms += f"; {weights.note}" if weights.note else ""
        place = _BUILT_IN if self._is_built_in else _PUBLISHED
        spec = self.spec
        sizes = f"{self._size} only" if spec.input.fixed else f"{self._size}, steps of {spec.input.multiple}"
        cost = f"{spec.gmacs:.1f}"
        return f"`{spec.name}`", self._parameters, cost, sizes, spec.weights.licence + terms, place, spec.summary

    def place(self) -> str:
        """Where the weights are, seen from this machine."""
        if self._is_built_in:
            return _BUILT_IN
        return _CACHED if any(local_path(file) for file in self.spec.weights.files) else _PUBLISHED

    @property
    def _is_built_in(self) -> bool:
        return any(file.url is None for file in self.spec.weights.files)

    @property
    def _parameters(self) -> str:
        return f"{self.spec.parameters / 1e6:.1f} M"

    @property
    def _size(self) -> str:
        return "x".join(map(str, self.spec.input.size))


def read_card(name: str) -> str:
    """The text of a model's card.

    Raises:
        ModelError: no such model, or its card is missing.
    """
    card = find_model(name).weights.card
    if card is None:
        raise ModelError(f"{name} has no model card: this project did not train it")
    path = asset_path(card)
    if not path.is_file():
        raise ModelError(f"{name} has no model card at {path}; install the package again")
    return path.read_text(encoding="utf-8")


def text_table(rows: list[ModelRow], width: int | None = None) -> str:
    """Columns as wide as their widest cell; the last one is cut where the lines would exceed a width."""
    lines = [_HEADINGS, *(row.as_text() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)).rstrip() for line in lines)
    table = "\n".join(_shortened(line, width) for line in padded)
    there = {row.spec.name for row in rows}
    found = {use: [name for name in names if name in there] for use, names in ADVICE.items()}
    advice = [_shortened(f"{use}: {' or '.join(names)}", width) for use, names in found.items() if names]
    return "\n".join([table, "", *advice]) if advice else table


def markdown_table(rows: list[ModelRow]) -> str:
    """The same as a Markdown table."""
    lines = [_MARKDOWN_HEADINGS, ("---",) * len(_MARKDOWN_HEADINGS), *(row.as_markdown() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _shortened(line: str, width: int | None) -> str:
    return line if width is None or len(line) <= width else line[: width - 1] + "…"
