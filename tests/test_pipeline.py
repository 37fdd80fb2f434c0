"""run_ahead: order, bound, errors and the end of its threads."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from itertools import count, pairwise

import pytest

from midas.pipeline import group_alike, run_ahead


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


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_groups_are_neighbours_of_one_key_and_no_more_than_allowed(most: int) -> None:
    words = ["a", "b", "aa", "bb", "cc", "dd", "c"]
    groups = list(group_alike(words, len, most=most))
    assert [word for group in groups for word in group] == words
    assert all(len(group) <= most and len({len(word) for word in group}) == 1 for group in groups)
    for earlier, later in pairwise(groups):
        assert len(earlier) == most or len(earlier[0]) != len(later[0])


def test_a_full_group_does_not_wait_for_the_next_item() -> None:
    items = count()
    groups = group_alike(items, lambda _: None, most=3)
    assert next(groups) == [0, 1, 2]
    assert next(items) == 3
