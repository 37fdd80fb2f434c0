"""Array types that carry their shape, for signatures: ``Float32[Array, "H W"]``.

Type checkers read them from jaxtyping. At run time they cost nothing and need nothing, unless jaxtyping was imported
first: the tests do so, and then every call's shapes are checked against its signature.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Float32, Float64, Shaped, UInt8, UInt16
else:

    class _Unchecked:
        """Stands in for a jaxtyping array type: subscribable, and anything at all fits it."""

        def __class_getitem__(cls, item: object) -> Any:
            return Any

    Bool = Float = Float32 = Float64 = Shaped = UInt8 = UInt16 = _Unchecked

Array = np.ndarray

__all__ = ["Array", "Bool", "Float", "Float32", "Float64", "Shaped", "UInt8", "UInt16"]
