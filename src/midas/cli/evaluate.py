"""``midas evaluate``: figures of a model, or of a baseline, on sets with measured depth."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from midas.cli import DebugOption, command_app
from midas.models.zoo import DEFAULT_MODEL

app = command_app()

EPILOG = """
Examples:

  midas evaluate --root corpus/nyuv2-test

  midas evaluate --root corpus/nyuv2-test --model nano.onnx --csv per_image.csv

  midas evaluate --root corpus/nyuv2-test --baseline constant
"""


class Baseline(str, Enum):
    """Predictors that know nothing of the picture, or have seen the answer."""

    constant = "constant"
    plane = "plane"


@app.command(epilog=EPILOG)
def evaluate(
    root: Annotated[list[Path], typer.Option(help="A set in the corpus format; may be given several times.")],
    model: Annotated[str, typer.Option(help="Name from `midas models`, or an ONNX file.")] = DEFAULT_MODEL,
    size: Annotated[int | None, typer.Option(help="Shorter side of the network's input, pixels.")] = None,
    baseline: Annotated[
        Baseline | None,
        typer.Option(help="Measure a constant or a tilted plane, fitted to each picture's own target, instead."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many pictures of each set.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one line per picture to this file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a Markdown table.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure delta1 outliers and AbsRel, each picture aligned by least squares in inverse depth.

    The protocol follows the set: indoor sets are capped at 10 m, outdoor ones at 80 m, sets without metric scale not
    at all. No crop. Figures are means over pictures.
    """
    from midas.cli.progress import track
    from midas.datasets.readers.corpus import CorpusDataset
    from midas.evaluation import report
    from midas.evaluation.runs import evaluate_model, evaluate_plane

    results = {}
    for folder in root:
        dataset = CorpusDataset(folder)
        samples = track(dataset.samples(limit), f"{dataset.info.name}", total=min(limit or len(dataset), len(dataset)))
        if baseline is not None:
            results[baseline.value, dataset.info.name] = evaluate_plane(
                samples, dataset.info, tilted=baseline is Baseline.plane
            )
        else:
            results[model, dataset.info.name] = evaluate_model(model, samples, dataset.info, size=size)
    typer.echo(report.to_json(results) if json else report.to_markdown(results))
    if csv is not None:
        csv.write_text(report.to_csv(results), encoding="utf-8")
