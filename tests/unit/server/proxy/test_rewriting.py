"""Heads on their way: what must not pass does not, what must be there is."""

from __future__ import annotations

import pytest

from trivium.server.proxy.access import Admission
from trivium.server.proxy.addresses import PathAddresses, Place
from trivium.server.proxy.cookies import confined
from trivium.server.proxy.heads import parse_answer, parse_request
from trivium.server.proxy.rewriting import Asked, answer_head, relocated, request_head
from trivium.server.proxy.settings import ProxySettings
from trivium.server.proxy.targets import OtherProxy

SETTINGS = ProxySettings()
JUPYTER = PathAddresses().find(b"h", b"/nb/7/a")
SERVICE = PathAddresses().find(b"h", b"/svc/7/a?b")
ALONE = Place(endpoint=SERVICE.endpoint, path=b"/a", query=b"", prefix=b"", root="/")
ADMISSION = Admission(
    endpoint=JUPYTER.endpoint,
    target=OtherProxy(host="h", port=1),
    subject="ann",
    inject=(("Authorization", "token secret"),),
)


def sent(*lines: str, place: Place = JUPYTER) -> list[str]:
    raw = ("\r\n".join(["POST /x HTTP/1.1", *lines]) + "\r\n\r\n").encode("latin-1")
    asked = Asked(head=parse_request(raw, SETTINGS), host=b"h:1", client=b"10.0.0.9", secure=False)
    return request_head(asked, place, ADMISSION, framing=b"Content-Length: 3\r\n").decode("latin-1").split("\r\n")


def answered(*lines: str, place: Place = SERVICE) -> list[str]:
    raw = ("\r\n".join(["HTTP/1.1 200 OK", *lines]) + "\r\n\r\n").encode("latin-1")
    head = parse_answer(raw, SETTINGS.head_fields)
    made = answer_head(head, root=place.root, prefix=place.prefix, host=b"h:1", framing=b"")
    return made.decode("latin-1").split("\r\n")


def test_a_request_is_told_to_the_notebook() -> None:
    assert sent("Host: h:1", "Accept: */*", "cookie: a=b; trivium-nb-7=g") == [
        "POST /nb/7/a HTTP/1.1",
        "Host: h:1",
        "Accept: */*",
        "Cookie: a=b",
        "Authorization: token secret",
        "X-Forwarded-For: 10.0.0.9",
        "X-Forwarded-Host: h:1",
        "X-Forwarded-Proto: http",
        "Content-Length: 3",
        "",
        "",
    ]


def test_a_service_is_told_its_prefix() -> None:
    lines = sent("Host: h", place=SERVICE)
    assert lines[0] == "POST /a?b HTTP/1.1"
    assert "X-Forwarded-Prefix: /svc/7" in lines


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: token mine",
        "AUTHORIZATION: Basic x",
        "Proxy-Authorization: x",
        "Token: x",
        "X-Auth-Token: x",
        "X_Auth_Token: x",
        "Keep-Alive: x",
        "TE: x",
        "Trailer: x",
        "Upgrade: x",
        "HTTP2-Settings: x",
        "Proxy-Connection: x",
        "Transfer_Encoding: x",
        "Content_Length: 9",
        "Forwarded: for=x",
        "X-Forwarded-For: 1.2.3.4",
        "X_Forwarded_Proto: https",
        "X-Forwarded-Prefix: /x",
        "X-Forwarded-User: root",
        "X-Real-IP: 1.2.3.4",
        "X-Original-URL: /x",
        "Expect: 100-continue",
        "Cookie: trivium-nb-8=x",
    ],
)
def test_a_field_is_kept_from_the_notebook(line: str) -> None:
    assert sent(line) == sent()


def test_fields_that_are_for_this_connection_only_end_here() -> None:
    assert sent("Connection: close, X-Mine ,Authorization, Host,x-forwarded-for,Content-Length", "X-Mine: 1") == sent()


def test_an_answer_is_told_to_the_client() -> None:
    assert answered("Server: x", "Content-Type: a/b", "X: 1", "X: 2") == [
        "HTTP/1.1 200 OK",
        "Server: x",
        "Content-Type: a/b",
        "X: 1",
        "X: 2",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Connection: close",
        "Keep-Alive: timeout=5",
        "Alt-Svc: h2=x",
        'Clear-Site-Data: "*"',
        "Strict-Transport-Security: max-age=1",
        "Service-Worker-Allowed: /",
        "Set-Cookie: trivium-nb-8=mine",
        "Set-Cookie2: a=b",
        "Trailer: x",
        "Proxy-Authenticate: x",
    ],
)
def test_a_field_is_kept_from_the_client(line: str) -> None:
    assert answered(line) == answered()


def test_a_page_with_an_origin_of_its_own_may_have_service_workers() -> None:
    assert "Service-Worker-Allowed: /" in answered("Service-Worker-Allowed: /", place=ALONE)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("/x?y", "/svc/7/x?y"),
        ("/", "/svc/7/"),
        ("http://h:1/x", "/svc/7/x"),
        ("//H:1/x", "/svc/7/x"),
        ("https://h:1", "/svc/7/"),
        ("http://h:1?x", "/svc/7/?x"),
        ("http://other/x", "http://other/x"),
        ("//other/x", "//other/x"),
        ("x/y", "x/y"),
        ("?q", "?q"),
        ("/svc/7/x", "/svc/7/x"),
        ("/svc/77/x", "/svc/7/svc/77/x"),
    ],
)
def test_redirects_of_a_service_stay_under_its_prefix(said: str, told: str) -> None:
    assert relocated(said.encode(), b"/svc/7", b"h:1") == told.encode()
    assert f"Location: {told}" in answered(f"location: {said}")


def test_redirects_of_jupyter_stay_as_they_are() -> None:
    assert "Location: /nb/7/lab" in answered("Location: /nb/7/lab", place=JUPYTER)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("a=b", "a=b; Path=/svc/7/"),
        ("a=b; path=/; Domain=.example; Secure", "a=b; Secure; Path=/svc/7/"),
        ("a=b; Path=/x; HttpOnly", "a=b; HttpOnly; Path=/svc/7/x"),
        ("a=b; Path=/svc/7/x", "a=b; Path=/svc/7/x"),
        ("a=b; Path=/svc/8/; PATH = /y", "a=b; Path=/svc/7/y"),
        ("a=b; Path=x", "a=b; Path=/svc/7/"),
        ("trivium-nb-7=x", None),
        (" TRIVIUM-nb-7 =x", None),
        ("__Host-trivium-nb-7=x", None),
        ("=trivium-nb-7=x", None),
        ("trivium-nb-7", None),
    ],
)
def test_cookies_of_a_service_stay_under_its_prefix(said: str, told: str | None) -> None:
    expected = None if told is None else told.encode()
    assert confined(said.encode(), root="/svc/7/", prefix=b"/svc/7") == expected


def test_cookies_of_jupyter_stay_under_its_path() -> None:
    assert confined(b"a=b; Path=/nb/7/", root="/nb/7/", prefix=b"") == b"a=b; Path=/nb/7/"
    assert confined(b"a=b; Path=/nb/7", root="/nb/7/", prefix=b"") == b"a=b; Path=/nb/7"
    assert confined(b"a=b; Path=/", root="/nb/7/", prefix=b"") == b"a=b; Path=/nb/7/"
    assert confined(b"a=b; Path=/nb/77/", root="/nb/7/", prefix=b"") == b"a=b; Path=/nb/7/"


def test_cookies_of_an_origin_of_its_own_lose_only_their_domain() -> None:
    assert confined(b"a=b; Path=/x; Domain=nb.example", root="/", prefix=b"") == b"a=b; Path=/x"
    assert confined(b"a=b", root="/", prefix=b"") == b"a=b"
