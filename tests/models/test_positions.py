"""Position embeddings and biases at other grids, against the plainest way to write each."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import interpolate

from midas.models.encoders.positions import relative_index, resize_bias_table, resize_embeddings

SIDE = 7
GRIDS = [(7, 7), (4, 9), (9, 4), (1, 12), (7, 8)]


def table(channels: int = 5) -> torch.Tensor:
    return torch.randn(1, SIDE * SIDE, channels, generator=torch.Generator().manual_seed(0))


def grid(size: tuple[int, int]) -> torch.Tensor:
    return torch.zeros(1, 1, *size)


def square() -> torch.Tensor:
    return table().reshape(1, SIDE, SIDE, -1).permute(0, 3, 1, 2)


@pytest.mark.parametrize("size", GRIDS)
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_embeddings_are_resampled_without_antialiasing(size: tuple[int, int], mode: str) -> None:
    expected = interpolate(square(), size, mode=mode, align_corners=False)
    torch.testing.assert_close(resize_embeddings(table(), SIDE, grid(size), mode), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", GRIDS[1:])
def test_dinov2_s_factor_is_a_tenth_of_a_token_too_large(size: tuple[int, int]) -> None:
    factors = ((size[0] + 0.1) / SIDE, (size[1] + 0.1) / SIDE)
    expected = interpolate(square(), scale_factor=factors, mode="bicubic", align_corners=False)
    torch.testing.assert_close(resize_embeddings(table(), SIDE, grid(size), "bicubic_offset"), expected)


@pytest.mark.parametrize("rule", ["bilinear", "bicubic", "bicubic_offset"])
def test_embeddings_stay_as_they_are_on_their_own_grid(rule: str) -> None:
    own = resize_embeddings(table(), SIDE, grid((SIDE, SIDE)), rule)  # type: ignore[arg-type]
    assert torch.equal(own, square())


@pytest.mark.filterwarnings("ignore:`torch.jit.trace` is deprecated:FutureWarning", "ignore::torch.jit.TracerWarning")
def test_a_traced_resize_follows_the_grid() -> None:
    embeddings = table()

    def resize(map_: torch.Tensor) -> torch.Tensor:
        return resize_embeddings(embeddings, SIDE, map_, "bicubic_offset")

    traced = torch.jit.trace(resize, grid((SIDE, SIDE)), check_trace=False)
    expected = resize_embeddings(table(), SIDE, grid((5, 8)), "bicubic_offset")
    torch.testing.assert_close(traced(grid((5, 8))), expected)


@pytest.mark.parametrize("size", [(2, 3), (4, 4)])
def test_the_bias_of_two_tokens_depends_on_how_far_apart_they_are(size: tuple[int, int]) -> None:
    height, width = size
    index = relative_index(grid(size))
    tokens = [(row, column) for row in range(height) for column in range(width)]
    for first, (y, x) in enumerate(tokens):
        for second, (other_y, other_x) in enumerate(tokens):
            row = (y - other_y + height - 1) * (2 * width - 1) + x - other_x + width - 1
            assert index[first + 1, second + 1] == row


def test_the_class_token_has_the_last_three_entries_of_the_table() -> None:
    index = relative_index(grid((2, 3)))
    rows = 3 * 5 + 3
    assert set(index[0, 1:].tolist()) == {rows - 3}
    assert set(index[1:, 0].tolist()) == {rows - 2}
    assert index[0, 0] == rows - 1


@pytest.mark.parametrize("size", [(3, 3), (2, 5)])
def test_a_bias_table_is_resized_but_for_its_class_entries(size: tuple[int, int]) -> None:
    side, heads = 3, 2
    biases = torch.randn((2 * side - 1) ** 2 + 3, heads, generator=torch.Generator().manual_seed(0))
    resized = resize_bias_table(biases, side, grid(size))
    target = (2 * size[0] - 1, 2 * size[1] - 1)
    image = biases[:-3].reshape(1, 2 * side - 1, 2 * side - 1, heads).permute(0, 3, 1, 2)
    expected = interpolate(image, target, mode="bilinear", align_corners=False).flatten(2)[0]
    torch.testing.assert_close(resized[:, :-3], expected)
    assert torch.equal(resized[:, -3:], biases[-3:].T)
