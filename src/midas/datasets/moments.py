"""Pictures and depth maps that were not taken at the same moments, paired by time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

MAX_DIFFERENCE_S = 0.02


def associate(
    first_s: Sequence[float], second_s: Sequence[float], max_difference_s: float = MAX_DIFFERENCE_S
) -> list[tuple[int, int]]:
    """Pair two series of moments one to one, the closest pairs first.

    Args:
        first_s: moments, seconds.
        second_s: moments, seconds, in order.
        max_difference_s: pairs must be closer than this.

    Returns:
        Indices into both, in the order of the first.
    """
    candidates = []
    for i, moment in enumerate(first_s):
        begin = bisect_left(second_s, moment - max_difference_s)
        end = bisect_right(second_s, moment + max_difference_s)
        candidates += [(abs(second_s[j] - moment), i, j) for j in range(begin, end)]
    firsts: set[int] = set()
    seconds: set[int] = set()
    pairs = []
    for difference_s, i, j in sorted(candidates):
        if difference_s < max_difference_s and i not in firsts and j not in seconds:
            firsts.add(i)
            seconds.add(j)
            pairs.append((i, j))
    return sorted(pairs)
