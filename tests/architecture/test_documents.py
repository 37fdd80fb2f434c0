"""README, CHANGELOG and docs/ say what is so: their commands, tables, links and Python blocks are tried out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import midas

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
FIRST_SCREEN_LINES = 40
PREDICT_COMMAND = "pip install . && midas predict examples/ -o depth/"
TEST_COMMAND = "pip install -e '.[dev]' && pytest"

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [PREDICT_COMMAND, TEST_COMMAND])
def test_the_readme_gives_its_two_commands_in_the_first_screen(command: str) -> None:
    assert command in read(REPOSITORY / "README.md").splitlines()[:FIRST_SCREEN_LINES]


@pytest.mark.parametrize("command", [PREDICT_COMMAND, TEST_COMMAND])
def test_continuous_integration_runs_the_readme_commands_word_for_word(command: str) -> None:
    assert command in read(REPOSITORY / ".ci" / "run")


def test_the_model_table_in_the_documents_is_what_midas_models_prints() -> None:
    code = "import sys; from midas.cli import main; sys.argv = ['midas', 'models', '--markdown']; main()"
    table = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert table.startswith("|")
    assert table in read(REPOSITORY / "docs" / "models.md")


def test_the_version_is_the_top_entry_of_the_changelog() -> None:
    headings = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$", read(REPOSITORY / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == midas.__version__


def test_the_citation_names_this_version() -> None:
    assert f"\nversion: {midas.__version__}\n" in read(REPOSITORY / "CITATION.cff")


@every_document
def test_the_python_blocks_run_in_the_order_of_reading(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in re.findall(r"^```python\n(.*?)^```", read(document), re.MULTILINE | re.DOTALL):
        exec(compile(block, f"{document.name}: {block.splitlines()[0]}", "exec"), names)


def test_the_site_has_a_place_for_every_document() -> None:
    navigation = read(REPOSITORY / "mkdocs.yml").partition("\nnav:\n")[2]
    named = re.findall(r"[\w./-]+\.md", navigation)
    assert sorted(named) == sorted(path.name for path in (REPOSITORY / "docs").glob("*.md"))


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]
    assert (tmp_path / "site" / "api" / "index.html").is_file()


def test_the_first_page_has_a_picture_and_leads_to_the_guides() -> None:
    text = read(REPOSITORY / "docs" / "index.md")
    assert re.search(r"!\[.+\]\(images/", text)
    guides = sorted(path.name for path in (REPOSITORY / "docs").glob("guide_*.md"))
    assert guides == sorted(re.findall(r"\((guide_\w+\.md)\)", text))
    assert len(guides) == 3


@every_document
def test_the_links_to_files_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", read(document))
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_the_document_on_data_sets_has_every_layout() -> None:
    from midas.evaluation.listing import layouts_markdown

    assert layouts_markdown() in read(REPOSITORY / "docs" / "datasets.md")


def test_the_document_on_evaluation_has_every_protocol() -> None:
    from midas.evaluation.listing import protocols_markdown

    assert protocols_markdown() in read(REPOSITORY / "docs" / "evaluate.md")


def test_the_document_on_models_has_the_official_table() -> None:
    from midas.evaluation.published import published_markdown

    assert published_markdown() in read(REPOSITORY / "docs" / "models.md")


def test_the_document_on_evaluation_has_the_table_of_small_networks_and_what_needs_no_folder() -> None:
    from midas.evaluation.listing import drawn_markdown
    from midas.evaluation.published import small_networks_markdown

    text = read(REPOSITORY / "docs" / "evaluate.md")
    assert small_networks_markdown() in text
    assert drawn_markdown() in text
