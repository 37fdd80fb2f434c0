"""Which of a model's files a back end runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from midas.backends.choice import choose_for_file
from midas.bench.cases import Case
from midas.errors import ModelError


def fitting_file(case: Case, files: Sequence[str]) -> str | None:
    """The first of several files of one network that the case's back end runs; None if the model's own are asked for.

    Args:
        case: its model has to be a name of the table where there are files.
        files: weights and graphs with the same numbers; none stands for the model's own.

    Raises:
        ModelError: the back end runs none of them.
        MissingExtraError: it needs packages that are not installed.
    """
    problem: ModelError | None = None
    for file in files:
        try:
            choose_for_file(Path(file), name=case.model, backend=case.backend)
        except ModelError as error:
            problem = error
        else:
            return file
    if problem:
        raise problem
    return None
