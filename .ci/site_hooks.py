"""What the site does with the documents' links to files beside docs/, which it doesn't hold: the words stay.

That such links lead somewhere is tested in tests/architecture/test_documents.py.
"""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"(?<!!)\[([^\]]+)\]\(\.\./[^)]+\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The text of a page before it is rendered."""
    return _OUTSIDE.sub(r"\1", markdown)
