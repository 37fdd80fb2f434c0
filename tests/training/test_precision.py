"""A run computes in bfloat16 where the device has instructions for it, and in float32 where it would be imitated."""

from __future__ import annotations

import pytest
import torch

from midas.training import distributed
from midas.training.config import RunSettings
from midas.training.distributed import precision_here


def settings(precision: str) -> RunSettings:
    return RunSettings(epochs=1, pictures_per_epoch=1, batch_size=1, precision=precision)  # type: ignore[arg-type]


@pytest.mark.parametrize(("native", "expected"), [(True, "bfloat16"), (False, "float32")])
@pytest.mark.parametrize("card", [True, False])
def test_auto_asks_the_device_that_is_trained_on(
    monkeypatch: pytest.MonkeyPatch, native: bool, expected: str, card: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: card)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native or including_emulation)
    # The other device would answer the opposite.
    monkeypatch.setattr(distributed, "bfloat16_is_faster", lambda: native != card)
    assert precision_here(settings("auto")) == expected


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_what_was_asked_for_is_what_is_computed_in(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    monkeypatch.setattr(distributed, "bfloat16_is_faster", lambda: precision == "float32")
    assert precision_here(settings(precision)) == precision


def test_auto_is_what_a_run_has_unless_it_says_otherwise() -> None:
    assert RunSettings(epochs=1, pictures_per_epoch=1, batch_size=1).precision == "auto"
