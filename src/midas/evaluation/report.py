"""Results as text: Markdown or LaTeX for people, JSON for programs. The protocol stands beside every figure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from midas.evaluation.evaluator import EvaluationResult
from midas.metrics import METRICS, PAIR_METRICS

_FIXED = ("model", "set", "pictures", "protocol")
_NONE = "–"


def to_markdown(results: Sequence[EvaluationResult]) -> str:
    """A table with one row per model and set; 95 % intervals in brackets."""
    metrics = _all_metrics(results)
    head = [*_FIXED, *(_heading(name) for name in metrics)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for result in results:
        cells = [result.model, result.dataset, str(len(result.scores)), result.protocol.label]
        cells += [_with_interval(result, name) if name in result.metrics else _NONE for name in metrics]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def to_latex(results: Sequence[EvaluationResult]) -> str:
    """The same as a LaTeX ``tabular`` with booktabs' rules, without intervals."""
    metrics = _all_metrics(results)
    head = " & ".join(_escaped(name) for name in (*_FIXED, *(_heading(name) for name in metrics)))
    lines = [rf"\begin{{tabular}}{{llrl{'r' * len(metrics)}}}", r"\toprule", head + r" \\", r"\midrule"]
    for result in results:
        cells = [result.model, result.dataset, str(len(result.scores)), result.protocol.label]
        cells += [_figure(name, result.mean(name)) if name in result.metrics else "--" for name in metrics]
        lines.append(" & ".join(map(_escaped, cells)) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


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
                "figures": figures,
            }
        )
    return json.dumps(rows, indent=2)


def _all_metrics(results: Sequence[EvaluationResult]) -> list[str]:
    return list(dict.fromkeys(name for result in results for name in result.metrics))


def _heading(name: str) -> str:
    metric = METRICS[name] if name in METRICS else PAIR_METRICS[name]
    unit = f", {metric.unit}" if metric.unit else ""
    return f"{name}{unit}"


def _with_interval(result: EvaluationResult, name: str) -> str:
    low, high = result.interval(name)
    return f"{_figure(name, result.mean(name))} [{_figure(name, low)}, {_figure(name, high)}]"


def _figure(name: str, value: float) -> str:
    metric = METRICS[name] if name in METRICS else PAIR_METRICS[name]
    return f"{value:.2f}" if metric.unit == "%" else f"{value:.4f}"


def _escaped(text: str) -> str:
    for character in ("\\", "&", "%", "_", "#"):
        text = text.replace(character, "\\" + character)
    return text
