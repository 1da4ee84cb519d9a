"""Heads: what is taken, and all that is not."""

from __future__ import annotations

import pytest

from trivium.server.proxy.heads import has_bare_end, parse_answer, parse_request, tokens
from trivium.server.proxy.problems import Malformed
from trivium.server.proxy.settings import ProxySettings

SETTINGS = ProxySettings()


def test_a_head_is_taken_apart() -> None:
    head = parse_request(b"GET /nb/7/?a=b HTTP/1.1\r\nHost: x:1\r\nACCEPT:  a/b \t\r\nAccept: c\r\n\r\n", SETTINGS)
    assert (head.method, head.target, head.minor) == ("GET", b"/nb/7/?a=b", 1)
    assert head.fields.lines == [
        (b"host", b"Host: x:1"),
        (b"accept", b"ACCEPT:  a/b \t"),
        (b"accept", b"Accept: c"),
    ]
    assert head.values == {b"host": b"x:1", b"accept": b"a/b, c"}


def test_repeated_cookies_are_joined_as_cookies() -> None:
    head = parse_request(b"GET / HTTP/1.1\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n", SETTINGS)
    assert head.values[b"cookie"] == b"a=1; b=2"


@pytest.mark.parametrize(
    "upgrade", [b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n"]
)
def test_a_head_that_asks_for_another_protocol_is_a_head(upgrade: bytes) -> None:
    assert parse_request(b"GET / HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n", SETTINGS).values[b"host"] == b"x"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\tfolded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA\x0b: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA\xe9: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\r\nHost: x\r\n\r\n", 400),
        (b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / http/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\t\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length:\t1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\n", 505),
        (b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)
def test_what_is_not_strict_http_is_refused(raw: bytes, status: int) -> None:
    with pytest.raises(Malformed) as raised:
        parse_request(raw, SETTINGS)
    assert raised.value.status == status


def test_an_answer_is_taken_apart() -> None:
    head = parse_answer(b"HTTP/1.0 404 Not  found\r\nA: b\r\n\r\n", 128)
    assert (head.status, head.reason, head.minor) == (404, b"Not  found", 0)
    assert parse_answer(b"HTTP/1.1 204\r\n\r\n", 128).reason == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 999 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 200 O\x00K\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\nSet-Cookie: x=y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_strict_http_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_answer(raw, 128)


def test_stray_line_ends_are_seen_in_the_beginning_of_a_head() -> None:
    assert not has_bare_end(b"GET / HTTP/1.1\r\nHost: x\r")
    assert not has_bare_end(b"ab\r\ncd", 3)  # the line end lies across what was looked at before
    assert has_bare_end(b"ab\ncd", 2)
    assert has_bare_end(b"ab\rcd")
    assert has_bare_end(b"ab\x00")


def test_lists_are_split_at_commas() -> None:
    assert tokens(b"Keep-Alive ,\tUPGRADE") == [b"keep-alive", b"upgrade"]
