"""The page without a server: the same interface, our network as an ONNX file, and onnxruntime-web, in one folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from midas.errors import ConfigError, OutputError
from midas.serving.pages import colormap_tables, facts_of, page_folder
from midas.storage.atomic import atomic_file

if TYPE_CHECKING:
    from midas.models.network import DepthNetwork
    from midas.models.specs import ModelSpec

RUNTIME = "onnxruntime-web"
RUNTIME_VERSION = "1.30.0"
"""What the page was tried with."""

# One pair for processors, one for graphics cards; a browser loads one of them. With 41 MB they would more than
# double this package, for the few who want a site.
RUNTIME_FILES = (
    "ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.bundle.min.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)

MODEL_FILE = "model.onnx"

_NOTICE = f"""{RUNTIME} {RUNTIME_VERSION}
Copyright (c) Microsoft Corporation. Licensed under the MIT License:
https://github.com/microsoft/onnxruntime/blob/main/LICENSE
"""

_LOCAL_SOURCE = "source_local.js"
# Of the page's files, those that need a server, or are written anew.
_NOT_COPIED = ("index.html", "docs.html", "docs.js", "docs_chinese.js", "source.js", _LOCAL_SOURCE)
_FORMATS = ("png16", "color", "side-by-side", "pfm", "npy", "json")

# A file host sends no headers of ours. WebAssembly needs a word of its own.
_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' blob: data:; "
    "img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'"
)
_HEAD = '<meta charset="utf-8">'


def export_site(
    folder: Path, network: DepthNetwork, spec: ModelSpec, *, runtime: Path | None = None, overwrite: bool = False
) -> list[Path]:
    """Write a folder that any host of files can serve; maps are made in the visitor's browser.

    Args:
        folder: where to; made if it isn't there.
        network: in evaluation mode, float32 on the CPU.
        spec: its row of the model table.
        runtime: the folder ``dist`` of onnxruntime-web; None has npm bring it.
        overwrite: whether files that are there may be replaced.

    Returns:
        The files.

    Raises:
        OutputError: the folder holds files already, is none, or can't be written to.
        ConfigError: the runtime can't be had.
        MissingExtraError, ModelError: as ``midas export``.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file: expected a folder, or a name that isn't there yet")
    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise OutputError(f"{folder} isn't empty: choose another folder, or allow overwriting")
    with _runtime_files(runtime) as dist:
        try:
            (folder / "runtime").mkdir(parents=True, exist_ok=True)
            for name in RUNTIME_FILES:
                shutil.copyfile(dist / name, folder / "runtime" / name)
            (folder / "runtime" / "NOTICE.txt").write_text(_NOTICE, encoding="utf-8")
            for path in page_folder().iterdir():
                if path.is_file() and path.name not in _NOT_COPIED:
                    shutil.copyfile(path, folder / path.name)
            shutil.copyfile(page_folder() / _LOCAL_SOURCE, folder / "source.js")
            (folder / "index.html").write_text(_with_policy(page_folder() / "index.html"), encoding="utf-8")
            (folder / "site.json").write_text(json.dumps(_facts(spec)), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{folder} can't be written to: {error.strerror or error}") from error
    _export_graph(network, spec, folder / MODEL_FILE)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _export_graph(network: DepthNetwork, spec: ModelSpec, file: Path) -> None:
    from midas.export.exporter import ExportOptions, export_network
    from midas.export.single_precision import narrowed_file

    with tempfile.TemporaryDirectory() as workplace:
        exact = Path(workplace, MODEL_FILE)
        export_network(network, spec, exact, ExportOptions(pre_post=True))
        single = narrowed_file(exact)
    with atomic_file(file, overwrite=True) as unfinished:
        unfinished.write(single)


def _facts(spec: ModelSpec) -> dict[str, object]:
    card = {"name": spec.name, "default": True, "kind": spec.kind, "size": list(spec.input.size), **facts_of(spec)}
    return {"models": [card], "formats": list(_FORMATS), "colormaps": colormap_tables(), "sizes": False}


def _with_policy(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return text.replace(_HEAD, f'{_HEAD}\n  <meta http-equiv="Content-Security-Policy" content="{_POLICY}">', 1)


@contextmanager
def _runtime_files(given: Path | None) -> Iterator[Path]:
    """The folder that holds the runtime."""
    with tempfile.TemporaryDirectory() as workplace:
        dist = _by_npm(Path(workplace)) if given is None else given
        missing = [name for name in RUNTIME_FILES if not (dist / name).is_file()]
        if missing:
            raise ConfigError(f"{dist} lacks {', '.join(missing)}; expected the folder dist of {RUNTIME}")
        yield dist


def _by_npm(workplace: Path) -> Path:
    npm = shutil.which("npm")
    hint = f"install it, or give the folder dist of {RUNTIME} {RUNTIME_VERSION} as --runtime"
    if npm is None:
        raise ConfigError(f"npm isn't here to bring {RUNTIME}; {hint}")
    package = f"{RUNTIME}@{RUNTIME_VERSION}"
    command = [npm, "install", "--prefix", str(workplace), "--ignore-scripts", "--no-audit", "--no-fund", package]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        lines = finished.stderr.strip().splitlines() or ["no word of why"]
        raise ConfigError(f"npm can't bring {package} ({lines[0][:200]}); {hint}")
    return workplace / "node_modules" / RUNTIME / "dist"
