"""Results as text: Markdown or LaTeX for people, JSON for programs. The protocol stands beside every figure.

Figures of depth, of disparity without a zero and of pairs have no column in common: where results have several kinds,
people get a table for each.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from midas.evaluation.evaluator import EvaluationResult
from midas.metrics import find_metric

_FIXED = ("model", "set", "pictures", "protocol")
_NONE = "–"
_OPPOSED = "†"


def to_markdown(results: Sequence[EvaluationResult]) -> str:
    """A table with one row per model and set, and one table per kind of figure; 95 % intervals in brackets."""
    return "\n\n".join(_markdown_table(group) for group in _by_kind(results))


def _markdown_table(results: Sequence[EvaluationResult]) -> str:
    metrics = _all_metrics(results)
    head = [*_FIXED, *(_heading(name) for name in metrics)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for result in results:
        mark = f" {_OPPOSED}" if result.is_opposed else ""
        cells = [result.model + mark, result.dataset, str(len(result.scores)), result.protocol.label]
        cells += [_with_interval(result, name) if name in result.metrics else _NONE for name in metrics]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, *_notes(results)])


def _notes(results: Sequence[EvaluationResult]) -> list[str]:
    """What an alignment with a negative scale would hide."""
    opposed = [result for result in results if result.is_opposed]
    told = [f"{each.model} on {each.dataset} in {each.opposed} of {len(each.scores)} pictures" for each in opposed]
    return ["", f"{_OPPOSED} near and far the wrong way round: {'; '.join(told)}"] if told else []


def to_latex(results: Sequence[EvaluationResult]) -> str:
    """The same as LaTeX ``tabular`` environments with booktabs' rules, without intervals."""
    return "\n\n".join(_latex_table(group) for group in _by_kind(results))


def _latex_table(results: Sequence[EvaluationResult]) -> str:
    metrics = _all_metrics(results)
    head = " & ".join(escaped(name) for name in (*_FIXED, *(_heading(name) for name in metrics)))
    lines = [rf"\begin{{tabular}}{{llrl{'r' * len(metrics)}}}", r"\toprule", head + r" \\", r"\midrule"]
    for result in results:
        cells = [result.model, result.dataset, str(len(result.scores)), result.protocol.label]
        cells += [figure_text(name, result.mean(name)) if name in result.metrics else "--" for name in metrics]
        cells = list(map(escaped, cells))
        cells[0] += r"$^\dagger$" if result.is_opposed else ""
        lines.append(" & ".join(cells) + r" \\")
    notes = [f"% {line}" for line in _notes(results) if line]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", *notes])


def to_json(results: Sequence[EvaluationResult]) -> str:
    """The same as a JSON list, with all rules of the protocol and intervals."""
    rows = []
    for result in results:
        figures = {
            name: {"mean": result.mean(name), "interval_95": list(result.interval(name))} for name in result.metrics
        }
        rows.append(
            {
                "model": result.model,
                "set": result.dataset,
                "pictures": len(result.scores),
                "protocol": vars(result.protocol),
                "opposed": result.opposed,
                "figures": figures,
            }
        )
    return json.dumps(rows, indent=2)


def _by_kind(results: Sequence[EvaluationResult]) -> list[list[EvaluationResult]]:
    """Results in groups of one kind of figure, in the order in which the kinds first appear."""
    kinds = dict.fromkeys(result.protocol.kind for result in results)
    return [[result for result in results if result.protocol.kind == kind] for kind in kinds]


def _all_metrics(results: Sequence[EvaluationResult]) -> list[str]:
    return list(dict.fromkeys(name for result in results for name in result.metrics))


def _heading(name: str) -> str:
    metric = find_metric(name)
    unit = f", {metric.unit}" if metric.unit else ""
    return f"{name}{unit}"


def _with_interval(result: EvaluationResult, name: str) -> str:
    low, high = result.interval(name)
    return f"{figure_text(name, result.mean(name))} [{figure_text(name, low)}, {figure_text(name, high)}]"


def figure_text(name: str, value: float) -> str:
    """A metric's figure with as many digits as mean anything."""
    return f"{value:.2f}" if find_metric(name).unit == "%" else f"{value:.4f}"


def escaped(text: str) -> str:
    """Text as LaTeX prints it."""
    for character in ("\\", "&", "%", "_", "#"):
        text = text.replace(character, "\\" + character)
    return text
