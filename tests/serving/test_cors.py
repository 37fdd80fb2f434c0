"""Pages of other sites, and the one form that every refusal has, whoever makes it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.serving.conftest import Client, picture
from tests.serving.test_films import film

OURS = "https://ours.example"
ASKS = {"origin": OURS, "access-control-request-method": "POST"}


def test_other_sites_may_call_only_where_they_are_named(served: Client) -> None:
    ours = {"origin": "https://ours.example"}
    named, unnamed = served(cors_origins=("https://ours.example",)), served()
    assert named.post("/v1/depth", content=picture(), headers=ours).headers["access-control-allow-origin"] == (
        "https://ours.example"
    )
    others = named.post("/v1/depth", content=picture(), headers={"origin": "https://others.example"})
    assert "access-control-allow-origin" not in others.headers
    assert "access-control-allow-origin" not in unnamed.post("/v1/depth", content=picture(), headers=ours).headers


def test_a_browser_that_asks_first_is_told_that_it_may(served: Client) -> None:
    client = served(cors_origins=(OURS,))
    for method in ("GET", "POST", "DELETE"):
        asks = {**ASKS, "access-control-request-method": method}
        answer = client.options("/v1/depth", headers={**asks, "access-control-request-headers": "authorization"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, OURS)
        assert "Authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("header", "value", "word"),
    [
        ("origin", "https://others.example", "origin"),
        ("access-control-request-method", "PUT", "method"),
        ("access-control-request-headers", "x-other", "headers"),
        ("access-control-request-private-network", "true", "private-network"),
    ],
)
def test_a_browser_that_asks_first_is_refused_in_the_form_of_every_refusal(
    header: str, value: str, word: str, served: Client
) -> None:
    answer = served(cors_origins=(OURS,)).options("/v1/depth", headers={**ASKS, header: value})
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert (problem["status"], problem["type"]) == (403, "/docs.html#foreign")
    assert word in problem["detail"]
    assert problem["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert "Origin" in answer.headers["vary"]


def test_where_no_site_is_named_a_browser_that_asks_first_is_told_so(client: TestClient) -> None:
    answer = client.options("/v1/depth", headers=ASKS)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")


def test_every_refusal_of_what_the_api_stands_on_has_the_form_of_ours(served: Client, tmp_path: Path) -> None:
    client = served(cors_origins=(OURS,))
    name = client.post("/v1/films", content=film(tmp_path)).json()["id"]
    while client.get(f"/v1/films/{name}").json()["state"] in ("waiting", "working"):
        time.sleep(0.05)
    refused = {
        416: [
            client.get(path, headers={"range": part})
            for path in ("/main.js", f"/v1/films/{name}/result.mp4")
            for part in ("bytes=999999999-", "bytes=x-y", "lines=1-2")
        ],
        404: [client.get("/none"), client.get("/v1/none/none"), client.get("/..%2f..%2fetc%2fpasswd")],
        405: [client.put("/v1/depth"), client.delete("/"), client.request("TRACE", "/v1/models")],
    }
    for status, answers in refused.items():
        for answer in answers:
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
            assert answer.json()["status"] == status
            assert "expected" in answer.json()["detail"]
    assert refused[416][0].headers["content-range"].startswith("bytes */")
    part = client.get(f"/v1/films/{name}/result.mp4", headers={"range": "bytes=0-7"})
    assert (part.status_code, len(part.content)) == (206, 8)
