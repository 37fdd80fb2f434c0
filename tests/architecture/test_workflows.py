"""The workflows for GitHub, which can't run here, name what there is: targets, versions, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def read(repository: Path, name: str) -> str:
    return (repository / name).read_text(encoding="utf-8")


@pytest.fixture
def check(repository: Path) -> str:
    return read(repository, ".github/workflows/check.yml")


@pytest.fixture
def release(repository: Path) -> str:
    return read(repository, ".github/workflows/release.yml")


def test_the_checks_run_on_every_system_and_python_version_that_is_promised(check: str, repository: Path) -> None:
    classified = re.findall(r"Python :: (3\.\d+)\"", read(repository, "pyproject.toml"))
    (versions,) = re.findall(r"^\s+python: \[(.*)\]$", check, re.MULTILINE)
    assert re.findall(r"3\.\d+", versions) == classified
    (systems,) = re.findall(r"^\s+os: \[(.*)\]$", check, re.MULTILINE)
    assert {name.partition("-")[0] for name in systems.split(", ")} == {"ubuntu", "macos", "windows"}


def test_the_checks_are_targets_of_the_makefile_and_all_that_must_pass_is_among_them(
    check: str, repository: Path
) -> None:
    makefile = read(repository, "Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    (must_pass,) = re.findall(r"^check: (.*?)  ##", makefile, re.MULTILINE)
    run = {target for line in re.findall(r"run: make (.*)$", check, re.MULTILINE) for target in line.split()}
    assert run <= set(phony.split())
    assert {*must_pass.split(), "docs"} <= run


def test_the_oldest_versions_that_are_allowed_are_tried_once(check: str, repository: Path) -> None:
    (oldest,) = re.findall(r"requires-python = \">=([\d.]+)\"", read(repository, "pyproject.toml"))
    job = check.partition("\n  oldest:\n")[2]
    assert "--resolution lowest-direct" in job
    assert f'python-version: "{oldest}"' in job


def test_a_release_is_a_tag_and_needs_no_secret(release: str) -> None:
    assert re.search(r"^on:\n  push: \{ tags: \[\"v\*\"\] \}$", release, re.MULTILINE)
    assert "id-token: write" in release
    assert "pypa/gh-action-pypi-publish" in release
    assert "secrets." not in release
    assert 'test "v$(' in release  # the tag is the version


def test_hooks_before_a_commit_run_what_lint_and_contracts_run(repository: Path) -> None:
    hooks = re.findall(r"entry: ([^,}]+)", read(repository, ".pre-commit-config.yaml"))
    targets = read(repository, "Makefile")
    for command in ("ruff check", "ruff format", "lint-imports"):
        assert any(entry.strip().startswith(command) for entry in hooks)
        assert f"\t{command}" in targets


@pytest.mark.parametrize("name", ["SECURITY.md", ".github/ISSUE_TEMPLATE/bug.yml", ".github/ISSUE_TEMPLATE/wish.yml"])
def test_who_has_found_something_is_told_where_to_say_it(repository: Path, name: str) -> None:
    assert len(read(repository, name).splitlines()) >= 8
