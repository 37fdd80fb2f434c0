"""``midas web``: what its options come to; what it writes is in tests/serving/test_site.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from midas.cli import web as command
from midas.models import factory
from midas.serving import site

pytest.importorskip("torch")


def test_each_option_reaches_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    def export_site(folder: Path, network: object, spec: Any, **options: Any) -> list[Path]:
        made.append({"folder": folder, "network": network, "model": spec.name, **options})
        return []

    monkeypatch.setattr(site, "export_site", export_site)
    monkeypatch.setattr(factory, "create_model", lambda name, weights: (name, weights))
    folder, weights, runtime = tmp_path / "site", tmp_path / "best.safetensors", tmp_path / "dist"
    words = ["--export", str(folder), "--model", "dpt_swin2_tiny_256", "--weights", str(weights)]
    words += ["--runtime", str(runtime), "--overwrite"]
    for given in (words, ["--export", str(folder)]):
        result = CliRunner().invoke(command.app, given)
        assert result.exit_code == 0, result.output
        assert str(folder) in result.output.replace("\n", "")
    assert made == [
        {
            "folder": folder,
            "network": ("dpt_swin2_tiny_256", weights),
            "model": "dpt_swin2_tiny_256",
            "runtime": runtime,
            "overwrite": True,
        },
        {
            "folder": folder,
            "network": ("midas_nano_256", "pretrained"),
            "model": "midas_nano_256",
            "runtime": None,
            "overwrite": False,
        },
    ]
