"""``midas models``: the table of models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import typer

from midas.assets import asset_path
from midas.cli import DebugOption, command_app
from midas.errors import ModelError
from midas.models.specs import ModelSpec
from midas.models.zoo import MODELS, find_model

app = command_app()

_HEADINGS = ("model", "parameters", "input", "licence of the weights", "weights", "notes")


@app.command()
def models(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per model.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A Markdown table.")] = False,
    card: Annotated[str | None, typer.Option(metavar="NAME", help="Print the model card of one model.")] = None,
    debug: DebugOption = False,
) -> None:
    """List the models: parameters, input size, licence, where the weights are."""
    rows = [ModelRow.of(spec) for spec in MODELS.values()]
    if card is not None:
        typer.echo(read_card(card), nl=False)
    elif as_json:
        typer.echo("\n".join(row.as_json() for row in rows))
    elif as_markdown:
        typer.echo(markdown_table(rows))
    else:
        typer.echo(text_table(rows))


@dataclass(frozen=True)
class ModelRow:
    """What the table says of a model."""

    name: str
    parameters: int
    input_height_px: int
    input_width_px: int
    licence: str
    weights: str
    summary: str

    @classmethod
    def of(cls, spec: ModelSpec) -> ModelRow:
        """The row of a model."""
        height_px, width_px = spec.input.size
        return cls(spec.name, spec.parameters, height_px, width_px, spec.weights.licence, _place(spec), spec.summary)

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps({**vars(self)})

    def as_text(self) -> tuple[str, ...]:
        """One cell per heading."""
        parameters = f"{self.parameters / 1e6:.1f} M"
        size = f"{self.input_height_px} x {self.input_width_px}"
        return self.name, parameters, size, self.licence, self.weights, self.summary


def _place(spec: ModelSpec) -> str:
    return "built in" if spec.weights.files[0].url is None else "downloaded on first use"


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


def text_table(rows: list[ModelRow]) -> str:
    """Columns as wide as their widest cell."""
    lines = [_HEADINGS, *(row.as_text() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def markdown_table(rows: list[ModelRow]) -> str:
    """The same as a Markdown table."""
    lines = [
        _HEADINGS,
        ("---",) * len(_HEADINGS),
        *((f"`{first}`", *rest) for first, *rest in map(ModelRow.as_text, rows)),
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
