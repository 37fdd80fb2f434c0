"""What can be seen of the page without a browser: words in both languages, names of controls, nothing of others."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from midas.maps.formats import FORMATS
from midas.models.zoo import DEFAULT_MODEL, MODELS
from midas.serving.film_routes import FILM_FORMS
from midas.serving.openapi import problem
from midas.serving.pages import facts_of, page_folder
from midas.serving.problems import REASONS

PAGES = ("index.html", "docs.html")

# What is one word in both languages: names of formats.
NAMES = {"format-pfm", "format-npy", "format-npz", "format-exr", "format-tiff"}


def text_of(name: str) -> str:
    return (page_folder() / name).read_text(encoding="utf-8")


def words(language: str) -> dict[str, str]:
    """The words of a language, as words.js has them."""
    block = re.search(rf"^  {language}: \{{(.*?)^  \}},", text_of("words.js"), re.MULTILINE | re.DOTALL)
    assert block
    return {
        name or quoted: text
        for name, quoted, text in re.findall(r'(?:(\w+)|"([\w-]+)"): "((?:[^"\\]|\\.)*)"', block.group(1))
    }


class Elements(HTMLParser):
    """The elements of a page: tag, attributes, whether a label or a legend holds it, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_labelled = any(name == "label" for name, _ in self._open)
        element = {name: value or "" for name, value in attrs}
        element |= {"tag": tag, "labelled": str(is_labelled), "text": ""}
        self.found.append(element)
        if tag not in ("meta", "link", "input", "img"):
            self._open.append((tag, element))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1][1]["text"] += data


def test_every_word_is_there_in_both_languages_with_the_same_places_for_figures() -> None:
    english, chinese = words("en"), words("zh")
    assert len(english) > 90
    assert set(english) - set(chinese) == NAMES
    assert set(chinese) <= set(english)
    for name, text in chinese.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[name])), name


def test_every_word_that_the_page_asks_for_is_there_and_stands_in_the_page_in_english() -> None:
    english = words("en")
    for element in [element for page in PAGES for element in Elements(text_of(page)).found]:
        for attribute, shown in (("data-word", "text"), ("data-label", "aria-label"), ("data-alt", "alt")):
            if attribute in element:
                assert " ".join(element[shown].split()) == english[element[attribute]]
    asked = {
        name
        for path in page_folder().glob("*.js")
        for name in re.findall(r'(?:\bword|\bsay|\bhasWord|\bfailure)\("(\w[\w-]*)"', path.read_text(encoding="utf-8"))
    }
    assert len(asked) > 20
    assert asked <= set(english)
    assert {f"format-{name}" for name in (*FORMATS, "json", "glb")} <= set(english)
    assert {f"film-{name}" for name in FILM_FORMS} <= set(english)


def test_no_error_is_said_in_english_alone() -> None:
    for path in page_folder().glob("*.js"):
        assert re.findall(r"""new Error\(["'`]""", path.read_text(encoding="utf-8")) == [], path.name


def test_every_kind_of_refusal_has_a_short_text_in_both_languages() -> None:
    kinds = {name.removeprefix("problem-"): text for name, text in words("en").items() if name.startswith("problem-")}
    assert set(kinds) == {*REASONS.values(), "film"}  # a film's comes later, and not as a refusal
    for status, kind in REASONS.items():
        assert problem(status)["description"] == kinds[kind]


def test_all_that_the_description_says_is_there_in_chinese(client: TestClient) -> None:
    said: set[str] = set()
    for methods in client.get("/openapi.json").json()["paths"].values():
        for about in methods.values():
            said |= {about["summary"], about["description"]}
            said |= {each["description"] for each in about.get("parameters", [])}
            said |= {about["requestBody"]["description"]} if "requestBody" in about else set()
    chinese = dict(re.findall(r'^  "((?:[^"\\]|\\.)*)": "([^"]+)",$', text_of("docs_chinese.js"), re.MULTILINE))
    assert set(chinese) == said
    for english, text in chinese.items():
        assert re.search("[\u4e00-\u9fff]", text), english
        assert sorted(re.findall("`[^`]+`", text)) == sorted(re.findall("`[^`]+`", english)), english


def test_the_built_in_model_is_told_of_in_both_languages() -> None:
    assert words("en")[f"model-{DEFAULT_MODEL}"] == MODELS[DEFAULT_MODEL].summary
    assert words("en")["model-file"] == facts_of(None)["summary"]


@pytest.mark.parametrize("page", PAGES)
def test_every_control_and_every_picture_has_a_name(page: str) -> None:
    elements = Elements(text_of(page)).found
    for element in elements:
        named = element["labelled"] == "True" or {"aria-label", "data-word", "aria-hidden", "alt"} & set(element)
        if element["tag"] in ("input", "select", "canvas", "video", "img", "progress", "button"):
            assert named, element
    labelled = {element["aria-labelledby"] for element in elements if "aria-labelledby" in element}
    assert labelled <= {element["id"] for element in elements if "id" in element}


@pytest.mark.parametrize("page", PAGES)
def test_nothing_in_the_page_needs_an_exception_of_its_policy(page: str) -> None:
    for element in Elements(text_of(page)).found:
        assert element["tag"] != "style"
        assert "style" not in element
        assert [name for name in element if name.startswith("on")] == []
        assert element["tag"] != "script" or ("src" in element and not element["text"].strip())


def test_no_file_of_the_page_names_another_host() -> None:
    for path in page_folder().iterdir():
        if path.suffix in (".js", ".html", ".css", ".svg"):
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert re.findall(r"(?:https?:|wss?:|[\"'(])//[\w.]+", text) == [], path.name
            assert not re.search(r"\beval\(|new Function|innerHTML|document\.write|@import", text), path.name
