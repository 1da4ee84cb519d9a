"""Heads held against two other parsers: what we take, they take, and read the same out of it."""

from __future__ import annotations

import h11
import httptools
from hypothesis import example, given
from hypothesis import strategies as st

from trivium.server.proxy.framing import Chunked, Fixed, request_body
from trivium.server.proxy.heads import RequestHead, parse_request
from trivium.server.proxy.problems import Malformed
from trivium.server.proxy.settings import ProxySettings

SETTINGS = ProxySettings()
TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAMES = st.text(TOKEN, min_size=1, max_size=12).map(str.encode)
VALUES = st.binary(max_size=20).map(
    lambda raw: bytes(byte for byte in raw if byte == 9 or 32 <= byte < 127 or byte >= 128).strip(b" \t")
)
OWN = frozenset({b"content-length", b"transfer-encoding", b"host", b"connection", b"upgrade", b"expect", b"cookie"})
FIELDS = st.lists(st.tuples(NAMES, VALUES).filter(lambda field: field[0].lower() not in OWN), max_size=8)
TARGETS = st.text("abc/?&=%.-~!$'()*+,;:@", max_size=30).map(lambda text: b"/" + text.encode())

STARTS = [
    b"GET / HTTP/1.1",
    b"POST /nb/7/x?y HTTP/1.1",
    b"GET / HTTP/1.0",
    b"GET  / HTTP/1.1",
    b"GET / HTTP/1.1 ",
    b"GET /",
]
LINES = [
    *(b"Content-Length: 3", b"Content-Length: 03", b"Content-Length: +3", b"Content-Length: 3, 3", b"X: y", b"X:y "),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity", b"X:\ty"),
    *(b"Transfer-Encoding : chunked", b" folded", b"\tfolded", b": x", b"X\x00: y", b"X: \x01", b"X: \xe9", b"\xe9: x"),
    *(b"X\x0b: y", b"No colon", b"Transfer_Encoding: chunked", b"transfer-encoding:\tchunked\t", b"X: a\nY: b", b"X:"),
    *(
        b"TRANSFER-ENCODING: CHUNKED",
        b"X: a\rContent-Length: 9",
        b"Expect: 100-continue",
        b"Connection: close",
        b"A: b",
    ),
]


class Heard:
    """What llhttp reports."""

    def __init__(self) -> None:
        self.target = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.is_complete = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.is_complete = True


def by_llhttp(raw: bytes) -> tuple[str, bytes, list[tuple[bytes, bytes]]]:
    """Method, target and fields as llhttp reads them. Raises for what it refuses."""
    heard = Heard()
    parser = httptools.HttpRequestParser(heard)
    parser.feed_data(raw)
    assert heard.is_complete
    return parser.get_method().decode(), heard.target, heard.fields


def by_h11(raw: bytes) -> h11.Request:
    """The request as h11 reads it. Raises for what it refuses."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    return request


def taken(raw: bytes) -> RequestHead | None:
    """The head, if both of our steps take it."""
    try:
        head = parse_request(raw, SETTINGS)
        request_body(head)
    except Malformed:
        return None
    return head


def fields_of(head: RequestHead) -> list[tuple[bytes, bytes]]:
    return [(low, line.partition(b":")[2].strip(b" \t")) for low, line in head.fields.lines]


@given(st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]), TARGETS, FIELDS)
def test_a_proper_head_is_read_as_others_read_it(method: str, target: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    raw = b"%b %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (method.encode(), target, lines)
    head = taken(raw)
    assert head is not None
    expected = [(b"host", b"h"), *((name.lower(), value) for name, value in fields)]
    assert fields_of(head) == expected
    assert by_llhttp(raw) == (method, target, expected)
    request = by_h11(raw)
    assert (request.method, request.target) == (method.encode(), target)
    assert list(request.headers) == expected


@example(b"POST / HTTP/1.1", [b"Content-Length: 3"], b"\r\n")
@example(b"POST / HTTP/1.1", [b"transfer-encoding:\tchunked\t"], b"\r\n")
@example(b"POST / HTTP/1.1", [b"Content-Length: 3", b"TRANSFER-ENCODING: CHUNKED"], b"\r\n")
@given(
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(LINES) | st.binary(max_size=4), max_size=4),
    st.sampled_from([b"\r\n"] * 5 + [b"\n", b"\r"]),
)
def test_what_we_take_others_take_and_frame_alike(start: bytes, lines: list[bytes], end: bytes) -> None:
    raw = b"\r\n".join([start, b"Host: h", *lines]) + end + b"\r\n"
    raw = raw[: raw.find(b"\r\n\r\n") + 4]
    head = taken(raw)
    if head is None:
        return
    method, target, fields = by_llhttp(raw)
    assert (method, target, fields) == (head.method, head.target, fields_of(head))
    assert list(by_h11(raw).headers) == [(name, _normal(name, value)) for name, value in fields]
    body = request_body(head)
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value.lower() for name, value in fields if name == b"transfer-encoding"]
    assert isinstance(body, Chunked) is (codings == [b"chunked"])
    assert not isinstance(body, Fixed) or [body.left] == ([int(length) for length in lengths] or [0])


def _normal(name: bytes, value: bytes) -> bytes:
    return value.lower() if name == b"transfer-encoding" else value
