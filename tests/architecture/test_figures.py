"""One figure is the same everywhere: README, documents and model card say one thing, and of the data what is so."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from midas.assets import asset_path
from midas.scenes.rendered.library_plan import library_items
from midas.training.config_files import read_tables

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
EVALUATE = REPOSITORY / "docs" / "evaluate.md"
CARD = asset_path("midas_nano_256.md")
RECIPE, LAST_STAGE = (REPOSITORY / "configs" / f"midas_nano_256{stage}.toml" for stage in ("", "_wild"))
CORPUS = REPOSITORY.parent / "shared" / "corpus"

Rows = list[tuple[str, ...]]


def cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("**", "") for cell in line.strip()[1:-1].split("|"))


def tables(document: Path) -> Iterator[tuple[tuple[str, ...], Rows]]:
    """The head and the rows of each table, without emphasis."""
    for block in re.findall(r"(?:^\|.*\n)+", document.read_text(encoding="utf-8") + "\n", re.MULTILINE):
        head, _, *rows = block.splitlines()
        yield cells(head), [cells(row) for row in rows]


def table(document: Path, *head: str) -> dict[str, tuple[str, ...]]:
    """The one table whose head begins like that: its rows by their first cells."""
    found = [rows for heads, rows in tables(document) if heads[: len(head)] == head]
    assert len(found) == 1, (document, head, len(found))
    return {row[0]: row[1:] for row in found[0]}


def number(text: str) -> float:
    found = re.match(r"[\d.]+", text)
    assert found is not None, text
    return float(found[0])


def test_a_table_that_stands_in_two_documents_is_the_same_in_both() -> None:
    held: dict[tuple[str, ...], dict[Path, list[Rows]]] = {}
    for document in (README, *sorted((REPOSITORY / "docs").glob("*.md")), CARD):
        for head, rows in tables(document):
            held.setdefault(head, {}).setdefault(document, []).append(rows)
    twice = {head: found for head, found in held.items() if len(found) > 1 and len(set(head)) > 3}
    assert len(twice) >= 4
    for head, found in twice.items():
        first, *others = found.values()
        assert all(other == first for other in others), head


def test_the_readme_has_the_figures_of_the_card() -> None:
    rooms, figures = table(README, "", "δ > 1.25, %", "AbsRel"), table(CARD, "", "delta1_outliers, %")
    names = {
        "midas_nano_256": "midas_nano_256",
        "the same network, decoder untrained": "decoder untrained",
        "best tilted plane, fitted to each picture's answer": "best tilted plane per picture",
        "best constant, fitted likewise": "best constant per picture",
    }
    assert set(rooms) == set(names)
    for told, name in names.items():
        outliers, abs_rel = map(number, figures[name][:2])
        assert number(rooms[told][0]) == pytest.approx(outliers, abs=0.051)
        assert number(rooms[told][1]) == pytest.approx(abs_rel, abs=0.00051)


def test_the_card_has_the_figures_of_the_document_on_evaluation() -> None:
    wild = table(CARD, "wild-stereo-eval")
    measured = table(EVALUATE, "model", "set", "pictures", "protocol", "range_error, %")
    for name, model in (("midas_nano_256", "midas_nano_256"), ("best tilted plane per picture", "plane")):
        assert wild[name] == measured[model][3:]
    small = table(CARD, "", "parameters", "NYU", "KITTI")
    other = table(EVALUATE, "AbsRel % / δ < 1.25 %, our measurement")
    assert small["midas_nano_256"][:2] == other["midas_nano_256"][:2]
    assert small["midas_nano_256"][2].startswith(other["midas_nano_256"][2])
    assert other["the same, KITTI by the benchmark's crop alone"][2] in small["midas_nano_256"][2]
    sets = {row[1]: row for head, rows in tables(CARD) if head[:2] == ("domain", "set") for row in rows}
    versions = next((head, rows) for head, rows in tables(CARD) if head[0] == "version")
    for name, figures in zip(versions[0][1:], versions[1][0][1:], strict=True):
        assert figures == f"{number(sets[name][4]):.2f} / {number(sets[name][5]):.4f}"
    edges = table(EVALUATE, "model", "set", "pictures", "boundary_f1, %")["midas_nano_256"]
    said = re.search(r"boundary F1 at 1 px ([\d.]+) %, flying pixels ([\d.]+) %", CARD.read_text(encoding="utf-8"))
    assert said is not None
    assert [float(figure) for figure in said.groups()] == [round(number(edges[place]), 1) for place in (2, 5)]


def test_means_of_corruptions_are_those_of_their_rows_and_columns() -> None:
    found = [rows for head, rows in tables(EVALUATE) if head == ("corruption", *"12345", "mean")]
    of_all = table(EVALUATE, "mean of the five strengths, %")
    assert len(found) == 2
    for place, rows in enumerate(found):
        figures = {name: [float(value) for value in values] for name, *values in rows}
        for name, (*strengths, mean) in figures.items():
            assert mean == pytest.approx(sum(strengths) / 5, abs=0.011), name
            assert of_all[name][0].split(" / ")[place] == f"{mean:.2f}"
        kinds = [values for name, values in figures.items() if name != "mean"]
        means = [sum(column) / len(kinds) for column in zip(*kinds, strict=True)]
        assert figures["mean"] == pytest.approx(means, abs=0.011)


def entries(config: Path) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in read_tables(config, ())["data"]["sets"]}


def shares(sets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    total = sum(entry.get("weight", 1.0) for entry in sets.values())
    return {name: f"{100 * entry.get('weight', 1.0) / total:.1f}" for name, entry in sets.items()}


def label(name: str) -> str:
    if "/" in name:
        return f"{name.rpartition('/')[2]} (`midas data render`)"
    return {"synthetic": "drawn scenes"}.get(name, name)


def test_the_card_names_every_set_of_the_recipe_with_its_shares_and_held_out_scenes() -> None:
    card, last = table(CARD, "set", "share in stages 1 and 2, %"), entries(LAST_STAGE)
    first, second = shares(entries(RECIPE)), shares(last)
    assert set(card) == {label(name) for name in last}
    for name in last:
        assert card[label(name)][:2] == (first.get(name, ""), second[name]), name
        assert (card[label(name)][4] == "yes") == last[name].get("sky", False), name


def test_the_card_has_domain_sensor_licence_and_pictures_of_each_set_of_the_corpus() -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not beside this checkout")
    card = table(CARD, "set", "share in stages 1 and 2, %")
    seen = 0
    for name, entry in entries(LAST_STAGE).items():
        root = CORPUS / name
        if not root.is_dir():
            continue
        facts = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
        _, _, pictures, kind, _, licence = card[name]
        assert licence == facts["licence"], name
        assert kind.startswith(f"{facts['domain']}: "), name
        assert facts["split"] == "train", name
        frames = Counter(path.parent.name for path in root.glob("*/*.jpg"))
        held_out = entry.get("validation_scenes", ())
        if "least_unexplained" not in entry:  # whose pictures would all have to be read
            assert int(pictures) == frames.total() - sum(frames[scene] for scene in held_out), name
        seen += 1
    assert seen > 30


def test_the_document_on_rendering_says_how_large_a_library_is() -> None:
    kinds = Counter(item.kind for item in library_items(1.0, 0))
    objects, textures = (round(kinds[kind], -1) for kind in ("asset", "texture"))
    said = f"some {objects} objects, {textures} textures, {kinds['sky']} skies, {kinds['body']} bodies"
    assert said in (REPOSITORY / "docs" / "render.md").read_text(encoding="utf-8")
