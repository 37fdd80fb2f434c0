"""What is refused: with which status, in which words, and at what cost."""

from __future__ import annotations

import hmac
import io
import json
import struct
import time
import zlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from tests.serving.conftest import Client, picture

from midas.errors import ConfigError
from midas.serving import bodies
from midas.serving.keys import Keys, Rate, check_host
from midas.serving.limits import Address, Limits, ServeOptions, check_exposure, keys_from
from midas.serving.problems import REASONS, ProblemError, problem_response

KEY = "a-key-of-many-letters"


def problem(answer: object) -> tuple[int, str]:
    """Status and word of a refusal, whose form is checked too."""
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    found = answer.json()  # type: ignore[attr-defined]
    assert set(found) == {"type", "title", "status", "detail", "instance"}
    assert found["status"] == answer.status_code  # type: ignore[attr-defined]
    assert "Traceback" not in found["detail"]
    return found["status"], found["type"].partition("#")[2]


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def bomb(side: int) -> bytes:
    """A PNG of next to no bytes and many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(bytes(1 << 16), 9)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (cut(picture(form="PNG")), 400),
        (b"\xff\xd8\xff\xe0 no jpeg", 400),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"%PDF-1.7", 415),
        (b"\x80\x04\x95 a pickle", 415),
        (b"../../etc/passwd", 415),
        (b"http://127.0.0.1:1/picture.png", 415),
        (b"a=1&" * 100_000, 415),
        (bomb(30_000), 413),
    ],
    ids=["empty", "cut", "jpeg", "svg", "pdf", "pickle", "path", "url", "fields", "bomb"],
)
def test_a_body_that_is_no_picture_is_refused_by_what_it_is(body: bytes, status: int, client: TestClient) -> None:
    answer = client.post("/v1/depth", content=body, headers={"content-type": "image/jpeg"})
    assert problem(answer)[0] == status


@pytest.mark.parametrize(
    "query",
    [
        "size=0",
        "size=1025",
        "size=x",
        "tile=5",
        "format=bmp",
        "colormap=jet",
        "model=../../etc/passwd",
        "path=/etc/passwd",
        "map-size=0x5",
        "map-size=100000x100000",
        "map-size=half&format=side-by-side",
        "known=1,1,1",
        "known=1,1&known=2,2,2",
        "known=1,1,1&known=5000,2,2",
        "known=1,1,0&known=2,2,2",
        "known=1,1,1&known=1,1,2",
        "near=0",
        "near=nan",
        "near=inf",
        "far=3",
        "near=5&far=1",
        "near=1&known=1,1,1&known=2,2,2",
    ],
)
def test_a_parameter_that_is_none_is_a_422(query: str, client: TestClient) -> None:
    assert problem(client.post(f"/v1/depth?{query}", content=picture())) == (422, "parameter")


def test_an_accept_that_nothing_meets_is_a_406_that_lists_what_there_is(client: TestClient) -> None:
    answer = client.post("/v1/depth", headers={"accept": "text/html, image/webp"}, content=picture())
    assert problem(answer) == (406, "not-acceptable")
    assert "application/x-npy" in answer.json()["detail"]
    assert client.post("/v1/depth", headers={"accept": "*/*;q=0"}, content=picture()).status_code == 406


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n",
        b"--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\ndata\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\ndata\r\n",
        b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\na\r\n" * 2 + b"--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=file\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\ndata\r\n--x--\r\n",
        b"--x\r\n" + b"A: b\r\n" * 100_000 + b"\r\ndata\r\n--x--\r\n",
        b"--x\r\n\r\ndata\r\n--x--\r\n",
        b"--y\r\nContent-Disposition: form-data; name=file\r\n\r\ndata\r\n--y--\r\n",
    ],
    ids=["empty", "begun", "none", "name", "open", "two", "long header", "headers", "nameless", "boundary"],
)
def test_a_form_of_another_shape_is_a_400_at_once(body: bytes, client: TestClient) -> None:
    start = time.perf_counter()
    answer = client.post("/v1/depth", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert problem(answer) == (400, "unreadable")
    assert time.perf_counter() - start < 2


def test_a_body_is_counted_while_it_is_read_whatever_its_length_is_said_to_be(served: Client) -> None:
    client = served(Limits(body_bytes=100_000))
    read = 0

    def chunks() -> object:
        nonlocal read
        for _ in range(5):
            read += 50_000
            yield bytes(50_000)

    assert problem(client.post("/v1/depth", content=chunks())) == (413, "too-large")  # type: ignore[arg-type]


def test_pixels_are_counted_before_they_are_decoded(served: Client) -> None:
    client = served(Limits(pixels=5000))
    assert problem(client.post("/v1/depth", content=picture((64, 96)))) == (413, "too-large")
    assert client.post("/v1/depth", content=picture((50, 96))).status_code == 200


def test_so_many_bodies_at_a_time_however_small(served: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MOST_BODIES", 0)
    answer = served().post("/v1/depth", content=picture())
    assert problem(answer) == (503, "busy")
    assert int(answer.headers["retry-after"]) >= 1


def test_line_ends_round_a_form_are_nothing_to_dwell_on() -> None:
    start = time.perf_counter()
    form = b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\ndata\r\n--x--"
    assert bodies.file_of_form(b"\r\n" * 5_000_000 + form + b"\r\n" * 5_000_000, b"x") == b"data"
    assert time.perf_counter() - start < 1


def test_all_bodies_together_have_a_bound(served: Client) -> None:
    client = served(Limits(buffered_bytes=1000))
    answer = client.post("/v1/depth", content=picture())
    assert problem(answer)[0] == 503
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/v1/depth", "/v1/models", "/metrics"])
def test_without_the_key_there_is_nothing_but_the_page(path: str, served: Client) -> None:
    client = served(keys=(KEY, "another-key-of-letters"))
    ask = client.post if path == "/v1/depth" else client.get
    for given in (None, "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x", "Bearer", "Bearer \xe9"):
        answer = ask(path, headers={"authorization": given.encode("latin-1")} if given else {})
        assert problem(answer) == (401, "key")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert ask(path, headers={"authorization": f"bearer {KEY}"}).status_code != 401
    assert (client.get("/").status_code, client.get("/healthz").status_code) == (200, 200)


def test_each_key_is_compared_whichever_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def equal(given: bytes, known: bytes) -> bool:
        compared.append(known)
        return given == known

    monkeypatch.setattr(hmac, "compare_digest", equal)
    keys = Keys((KEY, "another-key-of-letters", "a-third-key-of-letters"))
    assert keys.client_of(f"Bearer {KEY}", "") == "key 0"
    with pytest.raises(ProblemError):
        keys.client_of("Bearer a", "")
    assert len(compared) == 6
    assert len({len(digest) for digest in compared}) == 1


def test_a_page_of_another_site_cannot_make_its_visitors_ask(served: Client) -> None:
    foreign = {"sec-fetch-site": "cross-site", "origin": "https://others.example"}
    client, named = served(), served(cors_origins=("https://others.example",))
    for method, path in (("POST", "/v1/depth"), ("POST", "/v1/films"), ("POST", "/v1/live/camera-1")):
        refused = client.request(method, path, content=picture(), headers=foreign)
        assert (refused.status_code, "--cors-origin" in refused.json()["detail"]) == (403, True)
    assert named.post("/v1/depth", content=picture(), headers=foreign).status_code == 200
    assert client.post("/v1/depth", content=picture(), headers={"sec-fetch-site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("localhost:8000", True),
        ("LOCALHOST", True),
        ("midas.localhost", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("192.168.1.7", True),
        ("our.name", True),
        ("rebound.example:8000", False),
        ("localhost.rebound.example", False),
        ("127.0.0.1.rebound.example", False),
        ("user@localhost", False),
        ("", False),
        ("[x]:1", False),
    ],
)
def test_a_name_that_was_made_to_lead_here_gets_nothing(host: str, is_known: bool) -> None:
    names = Address("127.0.0.1").names(["our.name"], has_keys=False)
    if is_known:
        check_host(host, names)
    else:
        with pytest.raises(ProblemError, match="--allow-host"):
            check_host(host, names)
    check_host(host, ())


def test_only_a_server_of_this_machine_without_a_key_minds_its_name(served: Client) -> None:
    assert Address("127.0.0.1").names([], has_keys=False) == ("localhost",)
    assert Address("127.0.0.1").names([], has_keys=True) == ()
    assert Address("0.0.0.0").names([], has_keys=False) == ()
    assert Address("0.0.0.0").names(["Our.Name"], has_keys=True) == ("localhost", "our.name")
    client = served(hosts=("localhost",))
    for method, path in (("POST", "/v1/depth"), ("POST", "/v1/live/a-camera"), ("POST", "/v1/films")):
        answer = client.request(method, path, content=picture(), headers={"host": "rebound.example"})
        assert problem(answer) == (403, "foreign")
    assert problem(client.get("/v1/models", headers={"host": "rebound.example"})) == (403, "foreign")
    assert client.post("/v1/depth", content=picture(), headers={"host": "127.0.0.1:8000"}).status_code == 200


def test_a_client_that_asks_too_often_is_told_when_to_come_again(served: Client) -> None:
    client = served(Limits(rate=12.0))
    statuses = [client.post("/v1/depth", content=picture()).status_code for _ in range(3)]
    answer = client.post("/v1/depth", content=picture())
    assert statuses[:2] == [200, 200]
    assert problem(answer) == (429, "rate")
    assert 1 <= int(answer.headers["retry-after"]) <= 5


def test_the_rate_of_one_client_is_not_that_of_another_and_refills() -> None:
    now = 0.0
    rate = Rate(6.0, clock=lambda: now)
    rate.take("a")
    rate.take("b")
    with pytest.raises(ProblemError):
        rate.take("a")
    now = 10.0
    rate.take("a")


def test_no_address_but_this_machine_goes_without_a_key() -> None:
    check_exposure(Address("127.0.0.1"), ServeOptions(), insecure=False)
    check_exposure(Address("0.0.0.0"), ServeOptions(keys=(KEY,)), insecure=False)
    check_exposure(Address("0.0.0.0"), ServeOptions(), insecure=True)
    with pytest.raises(ConfigError, match="--key-file"):
        check_exposure(Address("0.0.0.0"), ServeOptions(), insecure=False)


def test_keys_come_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of the office\n{KEY}\n\n")
    monkeypatch.setenv("KEYS", f"{KEY} {KEY}2")
    assert keys_from(file, "KEYS") == (KEY,)
    assert keys_from(None, "KEYS") == (KEY, f"{KEY}2")
    for text in ("", "short", "with a blank in between it"):
        file.write_text(text)
        with pytest.raises(ConfigError):
            keys_from(file, "KEYS")


def test_options_say_nothing_of_the_keys() -> None:
    options = ServeOptions(keys=(KEY,))
    assert KEY not in repr(options) + options.to_json()


@pytest.mark.parametrize(
    "origin",
    ["*", "ours.example", "https://ours.example/", "https://Ours.example", "https://a.example https://b.example"],
)
def test_an_origin_that_no_browser_would_say_is_an_error(origin: str) -> None:
    with pytest.raises(ConfigError, match="as browsers say it"):
        ServeOptions(cors_origins=(origin,))


@pytest.mark.parametrize(
    "given", [{"models": ()}, {"batch": 0}, {"batch_wait_s": float("nan")}, {"batch_wait_s": -1.0}]
)
def test_options_out_of_range_are_an_error_of_ours(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        ServeOptions(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"pixels": 0}, {"tile": -1}, {"queue_s": float("inf")}, {"rate": float("nan")}])
def test_a_limit_that_limits_nothing_is_an_error_of_ours(given: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected a"):
        Limits(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("root_path", ["depth", "/depth/", "/"])
def test_a_root_path_that_no_proxy_could_cut_off_is_an_error(root_path: str) -> None:
    with pytest.raises(ConfigError, match="/depth"):
        Address(root_path=root_path)


@pytest.mark.parametrize("text", ["[]", "{", '{"model": "x"}', '{"limits": {"pixel": 1}}', '{"models": 3}'])
def test_options_in_the_environment_that_are_none_are_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDAS_SERVE_OPTIONS", text)
    with pytest.raises(ConfigError):
        ServeOptions.from_environment()


def test_options_go_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ServeOptions(
        models=("a", "b"), cors_origins=("https://c.example",), hosts=("localhost",), limits=Limits(pixels=5)
    )
    monkeypatch.setenv("MIDAS_SERVE_OPTIONS", options.to_json())
    assert ServeOptions.from_environment() == options


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/../app.py", 404),
        ("/%2e%2e/app.py", 404),
        ("/%00", 404),
        ("/%ff%fe", 404),
        (f"/{'a' * 5000}", 404),
        ("/..%5c..%5capp.py", 404),
    ],
)
def test_a_page_that_there_isnt_is_a_404(path: str, status: int, client: TestClient) -> None:
    answer = client.get(path)
    assert problem(answer)[0] == status
    assert "expected the page or a path that docs.html lists" in answer.json()["detail"]


def test_each_kind_of_refusal_is_explained_where_its_type_leads(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    told = {
        (int(status), about["x-type"])
        for methods in paths.values()
        for operation in methods.values()
        for status, about in operation["responses"].items()
        if int(status) >= 400
    }
    assert told == set(REASONS.items())
    for status, word in told:
        answer = problem_response(ProblemError(status, "why", reason="finer"), "0")
        assert json.loads(bytes(answer.body))["type"] == f"/docs.html#{word}"
    assert json.loads(bytes(problem_response(ProblemError(405, "why"), "0").body))["type"] == "about:blank"


def test_another_method_is_a_405(client: TestClient) -> None:
    answer = client.get("/v1/depth")
    assert problem(answer)[0] == 405
    assert "POST" in answer.headers["allow"]
    assert "expected POST" in answer.json()["detail"]


def test_a_picture_in_a_format_for_animations_gives_its_first_frame(client: TestClient) -> None:
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(file, "GIF", save_all=True, append_images=[Image.new("RGB", (20, 10))])
    assert client.post("/v1/depth?format=json", content=file.getvalue()).json()["size"] == [10, 20]
