"""The example scripts do what their first lines say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image


def test_the_contact_sheet_shows_photographs_above_their_maps(repository: Path, tmp_path: Path) -> None:
    photos = [repository / "examples" / name for name in ("coffee.jpg", "cat.jpg")]
    sheet = tmp_path / "sheet.jpg"
    script = repository / "examples" / "contact_sheet.py"
    subprocess.run([sys.executable, script, *photos, "-o", sheet, "--height", "60"], check=True)
    with Image.open(sheet) as image:
        assert image.size == (round(600 * 60 / 400) + 6 + round(451 * 60 / 300), 126)
