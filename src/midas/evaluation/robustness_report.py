"""Figures on corrupted pictures as text, and one picture in all its corruptions as a drawing."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from midas.arrays import Array, Float64
from midas.datasets.corruptions import CORRUPTIONS, STRENGTHS
from midas.evaluation.report import escaped, figure_text
from midas.evaluation.robustness import RobustnessResult
from midas.metrics import find_metric

_CHANGE = "range_error"


def to_markdown(results: Sequence[RobustnessResult]) -> str:
    """Two tables per model and set, the truth's first: one row per corruption, one column per strength."""
    return "\n\n".join(part for result in results for part in (_truth_markdown(result), _change_markdown(result)))


def _truth_markdown(result: RobustnessResult) -> str:
    clean = figure_text(result.metric, result.clean)
    unit = find_metric(result.metric).unit
    title = (
        f"{result.model} on {result.dataset}, {result.pictures} pictures, {result.protocol.label}: {result.metric}"
        f"{', ' + unit if unit else ''}, against the truth; {clean} without corruption"
    )
    return _markdown(title, result.metric, result.truth)


def _change_markdown(result: RobustnessResult) -> str:
    title = f"{result.model} on {result.dataset}: difference from its map of the clean picture, % of that map's range"
    return _markdown(title, _CHANGE, result.change)


def _markdown(title: str, metric: str, table: Float64[Array, "kinds strengths"]) -> str:
    lines = [title, "", "| corruption | " + " | ".join(map(str, STRENGTHS)) + " | mean |"]
    lines.append("|---" + "|---:" * (len(STRENGTHS) + 1) + "|")
    lines += [f"| {' | '.join(cells)} |" for cells in _rows(metric, table)]
    return "\n".join(lines)


def to_latex(results: Sequence[RobustnessResult]) -> str:
    """The same as LaTeX ``tabular`` environments."""
    parts = []
    for result in results:
        for heading, metric, table in (
            (f"{result.model}, {result.dataset}: {result.metric}", result.metric, result.truth),
            (f"{result.model}, {result.dataset}: change", _CHANGE, result.change),
        ):
            lines = [rf"\begin{{tabular}}{{l{'r' * (len(STRENGTHS) + 1)}}}", r"\toprule"]
            lines.append(" & ".join(map(escaped, (heading, *map(str, STRENGTHS), "mean"))) + r" \\")
            lines.append(r"\midrule")
            lines += [" & ".join(map(escaped, cells)) + r" \\" for cells in _rows(metric, table)]
            parts.append("\n".join([*lines, r"\bottomrule", r"\end{tabular}"]))
    return "\n\n".join(parts)


def to_json(results: Sequence[RobustnessResult]) -> str:
    """The same as a JSON list, with all rules of the protocol; strengths from 1 to 5 in order."""
    rows = [
        {
            "model": result.model,
            "set": result.dataset,
            "pictures": result.pictures,
            "protocol": vars(result.protocol),
            "metric": result.metric,
            "clean": result.clean,
            "corruptions": {
                kind: {"truth": truth.tolist(), "change": change.tolist()}
                for kind, truth, change in zip(CORRUPTIONS, result.truth, result.change, strict=True)
            },
        }
        for result in results
    ]
    return json.dumps(rows, indent=2)


def _rows(metric: str, table: Float64[Array, "kinds strengths"]) -> list[tuple[str, ...]]:
    """Names and figures, and the mean over corruptions last."""
    named = [*zip(CORRUPTIONS, table, strict=True), ("mean", table.mean(axis=0))]
    return [
        (kind.replace("_", " "), *(figure_text(metric, value) for value in (*row, float(np.mean(row)))))
        for kind, row in named
    ]
