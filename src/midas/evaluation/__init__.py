"""Measuring a model: protocols, the evaluator, baselines, reports."""
