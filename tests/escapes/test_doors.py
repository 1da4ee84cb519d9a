"""Tries at the proxy, over raw HTTP: to be let in by what is another's, to smuggle requests, to plant cookies."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.escapes.world import Inside, Stage, body_of

BROWSER = {"Accept": "text/html"}


def head(inside: Inside, *lines: str, line: str | None = None, ticket: str | None = None) -> bytes:
    """A request's head for a notebook, with its owner's ticket; `lines` come after."""
    port = inside.stage.site.proxy_port
    own = [line or f"GET {inside.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    own.append(f"Authorization: token {ticket or inside.ticket}")
    return "\r\n".join([*own, *lines, "", ""]).encode("latin-1")


def status(answer: bytes) -> int:
    """The first answer's status; 0 where nothing came."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


def asked(inside: Inside) -> list[str]:
    """Every request line that the notebook has seen."""
    answer = httpx.get(f"{inside.url}seen", headers={"Authorization": f"token {inside.ticket}"}, trust_env=False)
    return [one["line"] for one in answer.json()]


def cookie_of(inside: Inside) -> str:
    """What a browser is given for the link."""
    answer = httpx.get(inside.link, headers=BROWSER, trust_env=False)
    assert answer.status_code == 302
    assert "token=" not in answer.headers["location"]
    return answer.headers["set-cookie"].partition(";")[0]


def ask(inside: Inside, *fields: str) -> httpx.Response:
    """The notebook's answer with these fields in its head."""
    told = {"Authorization": f"token {inside.ticket}", "Answer": "\t".join(fields)}
    return httpx.get(inside.url, headers=told, trust_env=False)


# ---- let in by what is another's -----------------------------------------------------------------------------------


def test_a_ticket_opens_its_own_notebook_and_nothing_else(stage: Stage, alice: Inside, bob: Inside) -> None:
    assert status(stage.send(head(alice))) == 200
    assert status(stage.send(head(bob, ticket=alice.ticket))) == 401
    assert status(stage.send(head(alice, line=f"GET /svc/{bob.id}/ HTTP/1.1"))) == 401
    assert httpx.get(f"{bob.url}?token={alice.ticket}", trust_env=False).status_code == 401


def test_a_stolen_ticket_opens_nothing_of_the_apis(stage: Stage, alice: Inside) -> None:
    pass_ = cookie_of(alice).partition("=")[2]
    for secret in (alice.ticket, pass_, alice.says("echo $TRIVIUM_TOKEN")):
        for headers in ({"token": secret}, {"Authorization": f"Bearer {secret}"}, {"X-Auth-Token": secret}):
            answer = httpx.get(f"{stage.site.url}/ai/openapi/v2/notebook/list", headers=headers, trust_env=False)
            assert answer.json()["code"] != "0"
    good = {"token": alice.user.tokens[alice.user.key.site_id]}
    answer = httpx.get(f"{stage.site.url}/ai/openapi/v2/notebook/list", headers=good, trust_env=False)
    assert answer.json()["code"] == "0"


def test_an_apis_token_opens_no_notebook(alice: Inside) -> None:
    for token in alice.user.tokens.values():
        assert httpx.get(alice.url, headers={"Authorization": f"token {token}"}, trust_env=False).status_code == 401
        assert httpx.get(f"{alice.url}?token={token}", trust_env=False).status_code == 401


def test_the_notebooks_own_token_opens_nothing_from_outside(alice: Inside) -> None:
    """JupyterLab writes it into its pages: whoever reads it there is let in by it nowhere."""
    token = alice.says("echo $TRIVIUM_TOKEN")
    assert len(token) == 64
    for headers in ({"Authorization": f"token {token}"}, {"Cookie": f"trivium-nb-{alice.id}={token}"}):
        assert httpx.get(alice.url, headers=headers, trust_env=False).status_code == 401
    assert httpx.get(f"{alice.url}?token={token}", trust_env=False).status_code == 401


def test_the_notebook_never_sees_what_opened_its_door(alice: Inside, bob: Inside) -> None:
    token = next(iter(alice.user.tokens.values()))
    cookie = cookie_of(alice)
    origin = alice.url.removesuffix(alice.path)
    came_from = {"Referer": f"{origin}{bob.path}lab?a=2&tok%65n={bob.ticket}"}
    told = httpx.get(
        f"{alice.url}?token={alice.ticket}&a=1",
        headers={"Cookie": f"{cookie}; own=1", "token": token, "X-Auth-Token": token, **came_from},
        trust_env=False,
    ).json()
    said = str(told)
    assert alice.ticket not in said
    assert bob.ticket not in said
    assert f"{bob.path}lab" in said
    assert cookie.partition("=")[2] not in said
    assert token not in said
    assert "own=1" in said
    assert "a=1" in told["line"]


# ---- smuggling -----------------------------------------------------------------------------------------------------

INNER = "GET {path}smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
BOTH = [
    ("two lengths", ["Content-Length: 0", "Content-Length: {n}"]),
    ("lengths in a list", ["Content-Length: 0, {n}"]),
    ("length and chunks", ["Content-Length: {n}", "Transfer-Encoding: chunked"]),
    ("chunks spelt oddly", ["Content-Length: {n}", "Transfer-Encoding: xchunked"]),
    ("chunks after a tab", ["Content-Length: {n}", "Transfer-Encoding:\tchunked"]),
    ("chunks twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: identity", "Content-Length: {n}"]),
    ("a space before the colon", ["Content-Length : {n}"]),
    ("a space before the colon of chunks", ["Transfer-Encoding : chunked", "Content-Length: {n}"]),
    ("a folded line", ["X-A: b", " Transfer-Encoding: chunked", "Content-Length: {n}"]),
    ("a signed length", ["Content-Length: +{n}"]),
    ("a length in hexadecimal", ["Content-Length: 0x{n}"]),
    ("a negative length", ["Content-Length: -1"]),
    ("a NUL in a field", ["X-A: b\0c", "Content-Length: {n}"]),
    ("a bare CR in a field", ["X-A: b\rContent-Length: 0", "Content-Length: {n}"]),
    ("a bare LF in a field", ["X-A: b\nTransfer-Encoding: chunked", "Content-Length: {n}"]),
    ("underscores", ["Content_Length: 0", "Content-Length: {n}"]),
]


@pytest.mark.parametrize("fields", [fields for _, fields in BOTH], ids=[name for name, _ in BOTH])
def test_a_request_within_a_request_is_never_taken_for_one(stage: Stage, alice: Inside, fields: list[str]) -> None:
    """Whatever is thought of the length, the notebook sees no request but the outer one, or none at all."""
    inner = INNER.format(path=alice.path)
    before = len(asked(alice))
    lines = [field.format(n=len(inner)) for field in fields]
    answer = stage.send(head(alice, *lines, line=f"POST {alice.path}outer HTTP/1.1") + inner.encode())
    seen = asked(alice)[before:]
    assert not [line for line in seen if "smuggled" in line], answer
    assert answer.count(b"HTTP/1.1 ") <= 2  # what follows a whole request may be refused on its own
    if status(answer) == 200:
        assert body_of(answer)["line"].endswith("outer HTTP/1.1")


@pytest.mark.parametrize(
    "chunks",
    ["5;a\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "0x5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
     "-1\r\n\r\n", "fffffffffffffffff\r\nhello", "5\r\nhelloGET", "0\r\nX: y\r\n\r\n"],
)  # fmt: skip
def test_chunks_end_where_both_sides_say_so(stage: Stage, alice: Inside, chunks: str) -> None:
    before = len(asked(alice))
    request = head(alice, "Transfer-Encoding: chunked", line=f"POST {alice.path}outer HTTP/1.1")
    stage.send(request + chunks.encode() + INNER.format(path=alice.path).encode())
    assert not [line for line in asked(alice)[before:] if "smuggled" in line]


@pytest.mark.parametrize(
    "line",
    ["GET {path} HTTP/1.1\r\nHost: evil", "GET http://evil/{id} HTTP/1.1", "GET {path}\0 HTTP/1.1",
     "GET {path} HTTP/1.1 x", "GET  {path} HTTP/1.1", "GET {path} HTTP/2.0", "CONNECT 127.0.0.1:22 HTTP/1.1",
     "TRACE {path} HTTP/1.1", "GET {path}\tx HTTP/1.1", "PRI * HTTP/2.0", "GET {path}%00/../../{other} HTTP/1.1"],
)  # fmt: skip
def test_a_line_that_could_be_read_in_two_ways_is_refused(stage: Stage, alice: Inside, bob: Inside, line: str) -> None:
    spelt = line.format(path=alice.path, id=alice.id, other=bob.id)
    before = len(asked(bob))
    answer = stage.send(head(alice, line=spelt))
    assert status(answer) in (0, 400, 404, 405, 421, 501, 505) or f"/nb/{alice.id}/".encode() in answer
    assert len(asked(bob)) == before + 1  # the look before, and no other


@pytest.mark.parametrize("up", ["../{other}/", "%2e%2e/{other}/", "..%2f{other}/", "..;/{other}/", "\\..\\{other}\\"])
def test_a_path_that_climbs_leads_to_no_other_notebook(stage: Stage, alice: Inside, bob: Inside, up: str) -> None:
    before = len(asked(bob))
    stage.send(head(alice, line=f"GET {alice.path}{up.format(other=bob.id)} HTTP/1.1"))
    assert len(asked(bob)) == before + 1


def test_an_upgrade_to_another_protocol_is_not_passed_on(stage: Stage, alice: Inside) -> None:
    answer = stage.send(
        head(alice, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    )
    assert status(answer) != 101
    if status(answer) == 200:
        names = {name.lower() for name, _ in body_of(answer)["fields"]}
        assert not names & {"upgrade", "http2-settings"}


def test_fields_that_the_connection_names_take_nothing_of_ours_away(stage: Stage, alice: Inside) -> None:
    told = body_of(stage.send(head(alice, "Connection: close, Authorization, X-Forwarded-For, Host")))
    fields = {name.lower(): value for name, value in told["fields"]}
    assert fields["authorization"].startswith("token ")
    assert fields["x-forwarded-for"] == "127.0.0.1"


# ---- sessions and cookies ------------------------------------------------------------------------------------------


def test_a_session_cannot_be_fixed(alice: Inside, bob: Inside) -> None:
    """What Alice plants in Bob's browser neither lets her see what he does, nor keeps him from his own."""
    planted = cookie_of(alice).partition("=")[2]
    own = cookie_of(bob)
    answer = httpx.get(bob.url, headers={"Cookie": f"trivium-nb-{bob.id}={planted}"}, trust_env=False)
    assert answer.status_code == 401
    both = f"trivium-nb-{bob.id}={planted}; trivium-nb-{bob.id}=x; {own}"
    answer = httpx.get(bob.url, headers={"Cookie": both}, trust_env=False)
    assert answer.status_code == 200
    assert answer.json()["line"].startswith(f"GET {bob.path}")
    fresh = httpx.get(bob.link, headers={**BROWSER, "Cookie": f"trivium-nb-{bob.id}={planted}"}, trust_env=False)
    given = fresh.headers["set-cookie"].partition(";")[0].partition("=")[2]
    assert given not in (planted, bob.ticket)  # entering gives a new pass, whatever the browser had
    assert "httponly" in fresh.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "name",
    ["trivium-nb-{other}", "trivium-session", "__Host-trivium-nb-{other}", "TRIVIUM-NB-{other}", " trivium-nb-{other}"],
)
@pytest.mark.parametrize("rest", ["; Path=/", "; Path=/nb/{other}/", "; Domain=127.0.0.1", ""])
def test_a_notebooks_answer_sets_no_cookie_of_ours(alice: Inside, bob: Inside, name: str, rest: str) -> None:
    field = f"{name}=planted{rest}".format(other=bob.id)
    answer = ask(alice, f"Set-Cookie: {field}", "Set-Cookie: own=1; Domain=.example; Path=/")
    cookies = answer.headers.get_list("set-cookie")
    assert cookies == [f"own=1; Path={alice.path}"]  # one of its own it may, on its own paths


def test_a_notebooks_answer_takes_no_cookies_away_and_claims_no_other_paths(alice: Inside) -> None:
    answer = ask(
        alice, "Clear-Site-Data: *", "Service-Worker-Allowed: /", "Strict-Transport-Security: max-age=1", "Own: 1"
    )
    assert answer.headers["own"] == "1"
    for name in ("clear-site-data", "service-worker-allowed", "strict-transport-security"):
        assert name not in answer.headers


def test_a_link_that_is_followed_leads_nowhere_else(stage: Stage, alice: Inside) -> None:
    for path in (f"//evil.example{alice.path}", f"{alice.path}..//evil.example/", f"{alice.path}%2f%2fevil.example"):
        answer = stage.send(head(alice, "Accept: text/html", line=f"GET {path}?token={alice.ticket} HTTP/1.1"))
        found = re.search(rb"(?im)^location: *(.*?)\r", answer)
        if found is not None:
            assert found[1].startswith(b"/"), answer
            assert not found[1].startswith((b"//", b"/\\")), answer


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"]
)
def test_another_sites_page_opens_no_websocket_and_changes_nothing(stage: Stage, alice: Inside, origin: str) -> None:
    cookie = f"Cookie: {cookie_of(alice)}"
    host = f"Host: 127.0.0.1:{stage.site.proxy_port}"
    handshake = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    handshake.append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")

    def answer(method: str, origin: str, *lines: str) -> int:
        fields = [f"{method} {alice.path} HTTP/1.1", host, cookie, f"Origin: {origin}", *lines]
        return status(stage.send("\r\n".join([*fields, "", ""]).encode()))

    own = f"http://127.0.0.1:{stage.site.proxy_port}"
    assert answer("GET", origin, *handshake) == 403
    assert answer("GET", own, *handshake) != 403
    assert answer("POST", origin, "Content-Length: 0") == 403
    assert answer("POST", own, "Content-Length: 0") == 200
