"""TensorFlow's SAME padding as constants, while a graph is made of a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from threading import RLock

from torch import Tensor
from torch.nn import functional

# Where timm's layers look the function up. Two of these modules hide behind functions of the same names.
_MODULES = tuple(import_module(f"timm.layers.{name}") for name in ("conv2d_same", "pool2d_same", "std_conv"))
_NAME = "pad_same"

# One thread at a time: of two whose turns overlap, the second would take the first one's function for timm's own and
# leave it there. Within a thread one may lie in another.
_LOCK = RLock()


@contextmanager
def constant_padding() -> Iterator[None]:
    """Let timm's layers pad by what their kernels say, and not by what the sizes of their maps say.

    On maps whose sides the stride divides, which all legal inputs lead to, that is the same. But it makes no symbols
    of sizes: those are operations at every run, and torch.export and torch.compile don't get to the end of some.
    """
    with _LOCK:
        before = [vars(module)[_NAME] for module in _MODULES]
        for module in _MODULES:
            setattr(module, _NAME, _pad)
        try:
            yield
        finally:
            for module, function in zip(_MODULES, before, strict=True):
                setattr(module, _NAME, function)


def _pad(
    feature: Tensor,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int] = (1, 1),
    value: float = 0,
) -> Tensor:
    """What timm's ``pad_same`` gives for sides of which ``stride`` is a divisor; one more goes behind than before."""
    rows, columns = (
        max((kernel - 1) * step + 1 - apart, 0)
        for kernel, apart, step in zip(kernel_size, stride, dilation, strict=True)
    )
    return functional.pad(feature, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2), value=value)
