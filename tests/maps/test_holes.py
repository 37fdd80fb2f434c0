"""Maps with holes, at other sizes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from midas.maps.holes import resize_with_holes
from midas.maps.resize import resize_map


@given(seed=st.integers(0, 1000), size=st.sampled_from([(20, 24), (40, 48), (10, 12), (33, 17), (3, 2)]))
def test_a_hole_is_filled_and_known_for_one_and_the_rest_doesn_t_depend_on_what_stood_there(
    seed: int, size: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(20, 24)).astype(np.float32)
    there = rng.random((20, 24)) > 0.3
    one, known = resize_with_holes(np.where(there, values, np.float32(np.nan)), there, size)
    other, _ = resize_with_holes(np.where(there, values, np.float32(1e9)), there, size)
    np.testing.assert_array_equal(one, other)
    assert np.isfinite(one).all()
    assert one.shape == known.shape == size


def test_a_hole_stays_one_at_any_size_but_for_its_rim() -> None:
    there = np.ones((20, 24), np.bool_)
    there[5:15, 6:18] = False
    for factor in (1, 2, 3):
        _, known = resize_with_holes(np.ones((20, 24), np.float32), there, (20 * factor, 24 * factor))
        assert not known[6 * factor : 14 * factor, 7 * factor : 17 * factor].any()
        assert known[: 5 * factor].all()
        assert known[:, 18 * factor :].all()


@given(size=st.sampled_from([(20, 24), (41, 13)]))
def test_a_map_without_holes_is_resized_as_any(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=(20, 24)).astype(np.float32)
    resized, known = resize_with_holes(values, np.ones((20, 24), np.bool_), size)
    np.testing.assert_array_equal(resized, values if size == (20, 24) else resize_map(values, size))
    assert known.all()
