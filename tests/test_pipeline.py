"""run_ahead: order, bound, errors and the end of its threads."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from itertools import count

import pytest

from midas.pipeline import run_ahead


def test_results_come_in_the_order_of_the_items_whatever_takes_longer() -> None:
    def slower_first(number: int) -> int:
        time.sleep(0.02 / (number + 1))
        return number

    assert [future.result() for future in run_ahead(slower_first, range(20), workers=4)] == list(range(20))


def test_as_many_run_at_once_as_there_are_workers() -> None:
    together = threading.Barrier(3, timeout=20)
    assert len([future.result() for future in run_ahead(lambda _: together.wait(), range(6), workers=3)]) == 6


@pytest.mark.parametrize("waiting", [1, 4])
def test_no_more_items_are_begun_than_the_bound_allows(waiting: int) -> None:
    begun = count()
    with closing(run_ahead(lambda _: next(begun), count(), workers=2, waiting=waiting)) as results:
        for _ in range(10):
            next(results).result()
    assert next(begun) <= 10 + 2 + waiting


def test_an_error_is_raised_by_its_own_result_alone() -> None:
    futures = list(run_ahead(lambda number: 1 // number, [1, 0, 1], workers=2))
    assert [futures[0].result(), futures[2].result()] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        futures[1].result()


def test_closing_waits_for_what_has_begun_and_drops_the_rest() -> None:
    release, finished = threading.Event(), []

    def work(number: int) -> None:
        release.wait(20)
        finished.append(number)

    results = run_ahead(work, range(100), workers=1, waiting=5)
    next(results)
    release.set()
    results.close()
    assert finished == list(range(len(finished)))
    assert len(finished) < 7
