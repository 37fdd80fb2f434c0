"""The wheel works where nothing but the declared core dependencies is installed."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

MAX_WHEEL_MB = 32
MAX_ASSETS_MB = 30


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(repository)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("midas_depth-*.whl"))


@pytest.fixture(scope="module")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment that holds the wheel and its core dependencies, taken from this one."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site_packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    for dependency in core_dependencies(site_packages):
        link_into(site_packages, dependency)
    return python


def core_dependencies(site_packages: Path) -> list[Distribution]:
    """What the installed wheel asks for without extras, and what that asks for in turn."""
    installed = next(iter(Distribution.discover(name="midas-depth", path=[str(site_packages)])))
    found: dict[str, Distribution] = {}
    waiting = [installed]
    while waiting:
        for text in waiting.pop().requires or []:
            requirement = Requirement(text)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and requirement.name not in found:
                found[requirement.name] = distribution(requirement.name)
                waiting.append(found[requirement.name])
    return list(found.values())


def link_into(site_packages: Path, dependency: Distribution) -> None:
    top_level = {file.parts[0] for file in dependency.files or [] if ".." not in file.parts}
    for name in top_level - {"__pycache__"}:
        if not (site_packages / name).exists():
            (site_packages / name).symlink_to(Path(str(dependency.locate_file(name))))


def run(python: Path, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    # Nothing of this process's own environment: a PYTHONPATH would stand in for what is installed.
    environment = {"PATH": str(python.parent), "HOME": str(python.parent)}
    return subprocess.run(
        [str(python), *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )


def test_the_wheel_holds_the_default_model_its_card_and_the_type_marker(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    model = {f"midas/assets/midas_nano_256{suffix}" for suffix in (".onnx", ".safetensors", ".md")}
    assert model | {"midas/py.typed"} <= names


def test_the_wheel_holds_only_the_package(wheel: Path) -> None:
    top_level = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in top_level if not name.endswith(".dist-info")} == {"midas"}


def test_the_weights_take_at_most_30_mb_and_the_wheel_32(wheel: Path) -> None:
    assets = [entry for entry in zipfile.ZipFile(wheel).infolist() if entry.filename.startswith("midas/assets/")]
    assert sum(entry.file_size for entry in assets) <= MAX_ASSETS_MB * 1e6
    assert wheel.stat().st_size <= MAX_WHEEL_MB * 1e6


def test_the_source_distribution_holds_all_that_is_tracked_but_hidden_files(repository: Path, tmp_path: Path) -> None:
    if not (repository / ".git").exists():
        pytest.skip("this is no checkout")
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path), str(repository)]
    subprocess.run(command, check=True, capture_output=True)
    (archive,) = tmp_path.glob("midas_depth-*.tar.gz")
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    tracked = subprocess.run(["git", "ls-files"], cwd=repository, check=True, capture_output=True, text=True).stdout
    expected = {name for name in tracked.splitlines() if not name.startswith(".") and (repository / name).exists()}
    assert expected <= names
    assert {"SECURITY.md", "hubconf.py", "deploy/Dockerfile"} <= names


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(repository)]
    subprocess.run(command, check=True, capture_output=True)  # the wheel from the source distribution
    contents = []
    for path in (wheel, next(tmp_path.glob("*.whl"))):
        contents.append({entry.filename: entry.CRC for entry in zipfile.ZipFile(path).infolist()})
    assert contents[0] == contents[1]


def test_the_package_runs_as_a_module(clean_python: Path, tmp_path: Path) -> None:
    by_name = run(clean_python.with_name("midas"), "--version", folder=tmp_path).stdout
    assert run(clean_python, "-m", "midas", "--version", folder=tmp_path).stdout == by_name


def test_predict_works_without_any_extra(clean_python: Path, examples_dir: Path, tmp_path: Path) -> None:
    photograph = sorted(examples_dir.glob("*.jpg"))[0]
    run(clean_python.with_name("midas"), "predict", str(photograph), "-o", "depth", folder=tmp_path)
    assert [file.name for file in (tmp_path / "depth").iterdir()] == [f"{photograph.stem}.png"]


def test_bench_works_without_any_extra_and_says_what_it_could_not_compare(clean_python: Path, tmp_path: Path) -> None:
    quick = "--warmup 0 --runs 1 --seconds 0.1 --threads 1 --markdown run.md"
    run(clean_python.with_name("midas"), "bench", "--backend", "all", *quick.split(), folder=tmp_path)
    report = (tmp_path / "run.md").read_text(encoding="utf-8")
    assert "| midas_nano_256 | onnxruntime | float32 | 256x256 |" in report
    assert "Matrix products in this run: float32 " in report
    assert "No differences: " in report
    assert "torch, float32, 1 thread: midas_nano_256 with backend 'torch' needs more packages" in report


@pytest.mark.parametrize("command", ["train run.toml -o run", "export -o nano.onnx"])
def test_a_command_of_the_lab_names_the_extra_in_one_line(command: str, clean_python: Path, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run(clean_python.with_name("midas"), *command.split(), folder=tmp_path)
    assert failure.value.returncode == 2
    assert failure.value.stderr.rstrip().endswith("pip install 'midas-depth[lab]'")
    assert failure.value.stderr.count("\n") == 1


def test_the_clean_environment_has_no_lab_package(clean_python: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u; print([n for n in ('torch', 'timm', 'safetensors') if u.find_spec(n)])"
    assert run(clean_python, "-c", code, folder=tmp_path).stdout.strip() == "[]"
