"""The net of every boundary: whatever is raised inside becomes an error of ours, and names what it is about."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midas import errors
from midas.errors import DownloadError, ImageError, MidasError, MissingExtraError, ModelError, net, reason_of

# What our boundaries have met: from Python, from the system, from libraries with classes of their own.
FOREIGN = [
    ValueError("odd"), MemoryError(), RecursionError("deep"), OSError(36, "File name too long"), KeyError("x"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), RuntimeError("first line\nset weights_only to False"),
    AssertionError(), StopIteration(), EOFError(), SystemError("error return without exception set"),
]  # fmt: skip


class PanicException(BaseException):
    """As libraries in Rust raise it: no child of Exception."""


PanicException.__module__ = "pyo3_runtime"


@pytest.mark.parametrize("error", [*FOREIGN, PanicException("index out of bounds")], ids=repr)
def test_whatever_is_raised_becomes_an_error_of_ours_that_names_the_item_in_one_line(error: BaseException) -> None:
    with pytest.raises(ImageError) as caught, net("photo.jpg can't be read", ImageError, "get a fresh copy"):
        raise error
    assert str(caught.value).startswith("photo.jpg can't be read: ")
    assert str(caught.value).endswith("; get a fresh copy")
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_process_passes(kind: type[BaseException]) -> None:
    with pytest.raises(kind), net("photo.jpg can't be read", ImageError):
        raise kind


def test_an_error_of_ours_passes_as_it_is() -> None:
    error = ModelError("no such model")
    with pytest.raises(ModelError) as caught, net("photo.jpg can't be read", ImageError):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("text", ["too few tensors", "a.pt holds too few tensors"])
def test_an_error_of_ours_names_the_item_too_where_that_is_asked(text: str) -> None:
    with pytest.raises(ModelError, match=r"^a\.pt.* too few tensors$"), net("", ImageError, item="a.pt"):
        raise ModelError(text)


@given(st.text())
def test_a_reason_is_one_short_line_whatever_a_library_says(text: str) -> None:
    reason = reason_of(ValueError(text))
    assert len(reason.splitlines()) == 1
    assert len(reason) < 400


def test_the_systems_own_reason_counts_where_a_library_hides_it() -> None:
    error = RuntimeError("unexpected pos 704 vs 598")
    error.__context__ = OSError(28, "No space left on device")
    assert reason_of(error) == "No space left on device"


def every_error() -> list[MidasError]:
    made = {MissingExtraError: MissingExtraError("reading HDF5", "lab"), DownloadError: DownloadError("gone", 404)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MidasError)]
    return [made[kind] if kind in made else kind("what was wrong", below="a tree") for kind in kinds]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_an_error_comes_whole_through_a_pickle(error: MidasError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)
