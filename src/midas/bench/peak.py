"""The roofline of the day: the most multiply-adds that a matrix product gets out of this machine right now."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from importlib.util import find_spec

import numpy as np

from midas.bench.cases import FLOAT32

# Square matrices: the smallest lie in a core's own cache, the largest in none. Which is fastest depends on the machine,
# and a bound has to be the best of them.
_SIZES = (512, 1024, 2048)
_DEVICE_SIZES = (4096, 8192)
_SECONDS_PER_SIZE = 0.5


def measure_peaks(device: str, formats: Collection[str] | None = None) -> dict[str, float]:
    """Billions of floating-point operations per second by number format, two for each multiply-add.

    NumPy gives float32 on the processor; PyTorch, where it is installed, that and other formats, on other devices too.
    Threads are those that the environment of this process allows.

    Args:
        device: where; ``"auto"`` is what PyTorch's back end takes by itself, the processor without PyTorch.
        formats: number formats that are asked for; None for all.
    """
    peaks: dict[str, float] = {}
    if find_spec("torch") is not None:
        from midas.bench.torch_side import matrix_products

        products = matrix_products(device)
        peaks = {
            name: best_gflops(product.multiply, _SIZES if product.on_processor else _DEVICE_SIZES)
            for name, product in products.items()
            if formats is None or name in formats
        }
        if not all(product.on_processor for product in products.values()):
            return peaks
    if formats is not None and FLOAT32 not in formats:
        return peaks
    peaks[FLOAT32] = max(peaks.get(FLOAT32, 0.0), best_gflops(_numpy_product, _SIZES))
    return peaks


def best_gflops(prepare: Callable[[int], Callable[[], object]], sizes: tuple[int, ...]) -> float:
    """The best rate over all sizes and runs.

    Args:
        prepare: makes a product of two square matrices of a size, to be called at will.
        sizes: numbers of rows.
    """
    best = 0.0
    for size in sorted(sizes):
        seconds = _best_seconds(prepare(size))
        best = max(best, 2e-9 * size**3 / seconds)
        if seconds > _SECONDS_PER_SIZE:
            break  # the next takes eight times as long, in a format that this machine has no instructions for
    return best


def _best_seconds(call: Callable[[], object]) -> float:
    call()
    best = float("inf")
    end = time.perf_counter() + _SECONDS_PER_SIZE
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def _numpy_product(size: int) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((size, size), dtype=np.float32) for _ in range(2))
    return lambda: np.dot(left, right)
