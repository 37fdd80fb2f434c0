"""How it shows that a picture file is damaged, or whole but strange."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from midas.errors import ImageError

DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    MemoryError,
    RuntimeError,
    Warning,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow's decoders raise on damaged data; a warning only where the user has turned warnings into errors."""


class DamagedError(ImageError):
    """A picture whose data are not all there, or not as they were written."""

    @classmethod
    def because(cls, name: str, error: BaseException) -> DamagedError:
        """What to say of a decoder's complaint."""
        reason = str(error) or type(error).__name__
        return cls(f"{name} is damaged or incomplete, expected a whole picture ({reason}); get a fresh copy of it")


class StrangePictureError(ValueError):
    """A file that is whole but can't become RGB; the message goes on after the picture's name."""
