"""What is written about the server: the OpenAPI's examples, the files of deploy/, the options in the documents."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from fastapi.testclient import TestClient
from tests.serving.conftest import picture
from tests.serving.test_films import film

from midas.cli import app as commands
from midas.serving.answers import ANSWERS
from midas.serving.query import DepthQuery


@pytest.fixture
def description(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def contents(description: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    found: dict[str, Any] = description["paths"][path][method]["responses"][str(status)]["content"]
    return found


def options_of(command: str) -> set[str]:
    group = typer.main.get_command(commands)
    parameters = group.get_command(typer.Context(group), command).params  # type: ignore[attr-defined]
    return {name for each in parameters for name in (*each.opts, *each.secondary_opts)} | {"--help"}


def test_the_examples_of_parameters_are_ones_that_are_taken(description: dict[str, Any]) -> None:
    tried = 0
    for each in description["paths"]["/v1/depth"]["post"]["parameters"]:
        for example in each["schema"].get("examples", []):
            DepthQuery.model_validate({each["name"]: example})
            tried += 1
        for name in each["schema"].get("enum", []):
            DepthQuery.model_validate({each["name"]: name})
    assert tried >= 4


def test_the_examples_of_answers_are_like_the_answers(
    description: dict[str, Any], client: TestClient, tmp_path: Path
) -> None:
    sent = client.post("/v1/films", content=film(tmp_path)).json()
    client.delete(f"/v1/films/{sent['id']}")
    answers = {
        ("/v1/depth", "post", 200): client.post("/v1/depth?format=json&near=1&far=5", content=picture()).json(),
        ("/v1/models", "get", 200): client.get("/v1/models").json(),
        ("/v1/films", "post", 202): sent,
        ("/v1/depth", "post", 413): client.post("/v1/depth?size=0").json(),
    }
    for (path, method, status), answer in answers.items():
        (about,) = [each for kind, each in contents(description, path, method, status).items() if "json" in kind]
        example = about.get("example") or about["schema"]["example"]
        assert set(about["schema"].get("required", [])) <= set(example)
        assert set(example) == set(answer)


def test_every_route_with_an_answer_in_json_or_a_parameter_of_free_text_has_an_example(
    description: dict[str, Any],
) -> None:
    for path, methods in description["paths"].items():
        for method, about in methods.items():
            for each in about.get("parameters", []):
                is_free = each["in"] == "path"
                assert not is_free or "examples" in each or "examples" in each["schema"], (path, method, each["name"])


def test_each_form_of_an_answer_and_each_refusal_is_described(description: dict[str, Any]) -> None:
    responses = description["paths"]["/v1/depth"]["post"]["responses"]
    assert set(contents(description, "/v1/depth", "post", 200)) == {each.media_type for each in ANSWERS.values()}
    assert {int(status) for status in responses} == {200, 400, 401, 403, 406, 408, 413, 415, 422, 429, 503}
    for status in ("429", "503"):
        assert "Retry-After" in responses[status]["headers"]
    assert "WWW-Authenticate" in responses["401"]["headers"]


def test_the_headers_that_are_described_are_those_that_come(description: dict[str, Any], client: TestClient) -> None:
    described = headers_of(description, "/v1/depth", "post", 200)
    plain = client.post("/v1/depth", content=picture())
    metres = client.post("/v1/depth?known=10,90,1&known=10,5,4", content=picture())
    assert ours(plain) | ours(metres) == described
    live = client.post("/v1/live/a-camera", content=picture())
    assert ours(live) == headers_of(description, "/v1/live/{name}", "post", 200)
    for answer in (plain, live):
        assert answer.headers["x-midas-model"] == "tiny"
        assert answer.headers["x-midas-kind"] == "affine_invariant_inverse"


def test_every_answer_about_a_film_names_the_model(
    description: dict[str, Any], client: TestClient, tmp_path: Path
) -> None:
    answers = {("", "post", 202): client.post("/v1/films", content=film(tmp_path))}
    name = answers["", "post", 202].json()["id"]
    while (state := client.get(f"/v1/films/{name}")).json()["state"] in ("waiting", "working"):
        time.sleep(0.05)
    answers["/{name}", "get", 200] = state
    for part in ("preview.jpg", "result.mp4"):
        answers[f"/{{name}}/{part}", "get", 200] = client.get(f"/v1/films/{name}/{part}")
    for (path, method, status), answer in answers.items():
        assert answer.status_code == status
        assert ours(answer) == headers_of(description, f"/v1/films{path}", method, status)
        assert answer.headers["x-midas-model"] == "tiny"
    assert state.json()["model"] == "tiny"


def ours(answer: httpx.Response) -> set[str]:
    return {name for name in answer.headers if name.startswith(("x-midas", "server-t"))}


def headers_of(description: dict[str, Any], path: str, method: str, status: int) -> set[str]:
    return {name.lower() for name in description["paths"][path][method]["responses"][str(status)]["headers"]}


def test_the_files_of_deploy_name_options_that_there_are(repository: Path) -> None:
    unit = (repository / "deploy" / "midas.service").read_text(encoding="utf-8")
    image = (repository / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    started = [shlex.split(start)[1:]]
    for name in ("ENTRYPOINT", "CMD"):
        (words,) = re.findall(rf"^{name} \[(.*)\]$", image, re.MULTILINE)
        started.append([word.strip('" ') for word in words.split(",")])
    named = {word for line in started for word in line if word.startswith("--")}
    named |= set(re.findall(r"--[a-z][a-z-]+", "\n".join(line for line in unit.splitlines() if line[:1] == "#")))
    assert named - {"--host", "--port", "--offline", "--drain-seconds"} == set()
    assert named <= options_of("serve")
    for path in re.findall(r"127\.0\.0\.1:8000(/\w+)", image):
        assert path in ("/readyz", "/healthz")


def test_the_image_is_as_the_documents_promise(repository: Path) -> None:
    image = (repository / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    last = image[image.rindex("FROM ") :]
    assert re.findall(r"^FROM (\S+)", image, re.MULTILINE) == ["python:3.12-slim"] * 3
    assert "\nUSER midas\n" in last
    assert "\nHEALTHCHECK " in last
    assert last.index("USER midas") < last.index("ENTRYPOINT")


def test_the_document_names_options_that_there_are_and_all_limits(repository: Path) -> None:
    text = (repository / "docs" / "serve.md").read_text(encoding="utf-8")
    # Of other programs: those of curl, openssl, docker, python and of the benchmark.
    others = {"--data-binary", "--read-only", "--tmpfs", "--factory", "--seconds", "--rounds", "--export", "--runtime"}
    ours = options_of("serve")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert named - others - ours - options_of("predict") == set()
    limits = {name for name in ours if re.match(r"--(max-|film-|body-|queue-|drain-|decodes|rate)", name)}
    assert limits - named == set()
