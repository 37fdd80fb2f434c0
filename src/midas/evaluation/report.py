"""Results as text: a Markdown table for people, JSON for programs, CSV for one line per picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

from midas.evaluation.evaluator import EvaluationResult

# (model, data set) → result
Results = Mapping[tuple[str, str], EvaluationResult]


def to_markdown(results: Results) -> str:
    """A table with one row per model and set; the protocol stands beside every figure."""
    lines = ["| model | set | pictures | protocol | delta1_outliers % | AbsRel |", "|---|---|---|---|---|---|"]
    for (model, dataset), result in results.items():
        figures = f"{result.delta1_outliers:.2f} | {result.abs_rel:.4f}"
        lines.append(f"| {model} | {dataset} | {len(result.scores)} | {result.protocol.label} | {figures} |")
    return "\n".join(lines)


def to_json(results: Results) -> str:
    """The same table as a JSON list."""
    rows = [
        {
            "model": model,
            "set": dataset,
            "pictures": len(result.scores),
            "protocol": result.protocol.name,
            "cap_m": result.protocol.cap_m,
            "delta1_outliers": result.delta1_outliers,
            "abs_rel": result.abs_rel,
        }
        for (model, dataset), result in results.items()
    ]
    return json.dumps(rows, indent=2)


def to_csv(results: Results) -> str:
    """One line per picture."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", "picture", "protocol", "delta1_outliers", "abs_rel"])
    for (model, _), result in results.items():
        for score in result.scores:
            figures = [f"{score.delta1_outliers:.4f}", f"{score.abs_rel:.6f}"]
            writer.writerow([model, score.name, result.protocol.name, *figures])
    return text.getvalue()
