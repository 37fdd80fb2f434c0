"""Networks about to be filled from a file: built without random weights, which would cost time and twice the memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn
from torch.overrides import TorchFunctionMode

# The only one among the methods with an underscore behind their name that doesn't write values.
_KEEPS_VALUES = "requires_grad_"


class Unfilled(TorchFunctionMode):
    """While this is entered, nothing is written into new parameters; buffers are filled as ever.

    Memory that was asked for and never written to takes none of the machine's. The values of such parameters are
    arbitrary: each must then be replaced, as ``load_exactly(assign=True)`` does.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run a function of PyTorch, unless it would fill a parameter in place."""
        name = getattr(func, "__name__", "")
        writes = name.endswith("_") and not name.endswith("__") and name != _KEEPS_VALUES
        # The functions of torch.nn.init hand their tensor on by name.
        target = args[0] if args else (kwargs or {}).get("tensor")
        if writes and isinstance(target, nn.Parameter):
            return target
        return func(*args, **(kwargs or {}))
