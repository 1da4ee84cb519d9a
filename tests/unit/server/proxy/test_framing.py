"""Bodies: their ends are found wherever the bytes are cut, and broken framing is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.server.proxy.framing import (
    LAST_CHUNK,
    Chunked,
    Fixed,
    Rechunked,
    UntilClose,
    UntilCloseChunked,
    answer_body,
    answer_length,
    as_chunk,
    request_body,
)
from trivium.server.proxy.heads import AnswerHead, Fields, RequestHead
from trivium.server.proxy.problems import Malformed


def cut(raw: bytes, sizes: list[int]) -> list[bytes]:
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(raw[:size])
        raw = raw[size:]
    return [*pieces, raw]


def feed(body: Chunked, raw: bytes, step: int) -> None:
    for at in range(0, len(raw), step):
        body.feed(raw[at : at + step])


CUTS = st.lists(st.integers(0, 9), max_size=60)


@given(st.lists(st.binary(max_size=40)), CUTS, st.binary(max_size=20))
def test_a_chunked_body_is_the_same_however_it_is_cut(payloads: list[bytes], cuts: list[int], after: bytes) -> None:
    raw = b"".join(as_chunk(payload) for payload in payloads) + LAST_CHUNK
    body = Chunked()
    found = b""
    rest = b""
    for piece in cut(raw + after, cuts):
        if body.done:
            rest += piece
        else:
            found += body.feed(piece)
            rest += body.rest
    assert body.done
    assert found == b"".join(payloads)
    assert rest == after


@given(CUTS)
def test_extensions_and_trailers_are_dropped(cuts: list[int]) -> None:
    body = Chunked()
    raw = b'3;a=b;c="d"\r\nabc\r\n00A ; x\r\n0123456789\r\n0;last\r\nDigest: x\r\nToken: y\r\n\r\n'
    assert b"".join(body.feed(piece) for piece in cut(raw, cuts)) == b"abc0123456789"
    assert body.done
    assert body.rest == b""


@given(CUTS)
def test_chunks_are_handed_on_with_their_framing_spelt_anew(cuts: list[int]) -> None:
    body = Rechunked()
    raw = b'3;a=b;c="d"\r\nabc\r\n00A ; x\r\n0123456789\r\n0;last\r\nDigest: x\r\nToken: y\r\n\r\nGET'
    out, rest = b"", b""
    for piece in cut(raw, cuts):
        if body.done:
            rest += piece
        else:
            out += body.feed(piece)
            rest += body.rest
    assert out == b"3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n"
    assert (body.done, body.carried, rest) == (True, 13, b"GET")


@pytest.mark.parametrize(
    "raw",
    [
        b"g\r\n",
        b"0x3\r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b"-1\r\n",
        b" 3\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b"\r\n",
        b";a\r\n",
        b"3\nabc\r\n",
        b"3\rabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n",
        b"3\r\nabc\rx",
        b"3;a\nb\r\nabc\r\n",
        b"3;a\rb\r\nabc\r\n",
        b"3;a\x00\r\nabc\r\n",
        b"1234567890123456\r\n",
        b"0\r\nNo colon\r\n\r\n",
        b"0\r\nA : b\r\n\r\n",
        b"0\r\nA: b\n\r\n",
        b"0\r\n folded: b\r\n\r\n",
        b"0\r\n" + b"A: b\r\n" * 100 + b"\r\n",
        b"3;" + b"a" * 5000,
    ],
)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_broken_chunks_are_refused(raw: bytes, step: int) -> None:
    with pytest.raises(Malformed):
        feed(Chunked(), raw, step)


def test_a_chunked_body_may_not_end_before_its_last_chunk() -> None:
    body = Chunked()
    body.feed(b"3\r\nabc\r\n0\r\n")
    assert body.end() is None
    body.feed(b"\r\n")
    assert body.end() == b""


def test_a_body_of_known_length_leaves_what_follows() -> None:
    body = Fixed(5)
    assert body.feed(b"abc") == b"abc"
    assert body.end() is None
    assert body.feed(b"deGET") == b"de"
    assert body.done
    assert body.rest == b"GET"
    assert Fixed(0).done


def test_a_body_until_the_end_takes_all() -> None:
    body = UntilClose()
    assert body.feed(b"abc") == b"abc"
    assert not body.done
    assert body.end() == b""
    assert body.done


def test_a_body_until_the_end_has_its_last_chunk_at_the_end() -> None:
    body = UntilCloseChunked()
    assert body.feed(b"abc") == b"3\r\nabc\r\n"
    assert body.carried == 3
    assert body.end() == LAST_CHUNK


def test_nothing_is_no_chunk() -> None:
    assert as_chunk(b"") == b""
    assert as_chunk(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"


NO_FIELDS = Fields([], {})


def request(minor: int = 1, **values: bytes) -> RequestHead:
    named = {name.replace("_", "-").encode(): value for name, value in values.items()}
    return RequestHead(method="POST", target=b"/", minor=minor, fields=NO_FIELDS, values=named)


def answer(status: int = 200, minor: int = 1, **values: bytes) -> AnswerHead:
    named = {name.replace("_", "-").encode(): value for name, value in values.items()}
    return AnswerHead(status=status, reason=b"", minor=minor, fields=NO_FIELDS, values=named)


def test_a_request_says_how_long_its_body_is() -> None:
    assert request_body(request()).done
    assert isinstance(request_body(request(transfer_encoding=b"Chunked")), Chunked)
    body = request_body(request(content_length=b"007"))
    assert isinstance(body, Fixed)
    assert body.left == 7


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (request(transfer_encoding=b"gzip"), 501),
        (request(transfer_encoding=b"gzip, chunked"), 501),
        (request(transfer_encoding=b"chunked, chunked"), 501),
        (request(transfer_encoding=b""), 501),
        (request(transfer_encoding=b"chunked", content_length=b"3"), 400),
        (request(0, transfer_encoding=b"chunked"), 400),
        (request(content_length=b"3, 3"), 400),
        (request(content_length=b"+3"), 400),
        (request(content_length=b"\xb2"), 400),
        (request(content_length=b""), 400),
        (request(content_length=b"9" * 16), 400),
    ],
)
def test_a_request_that_is_unclear_about_its_body_is_refused(head: RequestHead, status: int) -> None:
    with pytest.raises(Malformed) as raised:
        request_body(head)
    assert raised.value.status == status


def test_an_answer_says_how_long_its_body_is() -> None:
    assert isinstance(answer_body(answer(content_length=b"5"), "GET", minor=1), Fixed)
    assert isinstance(answer_body(answer(transfer_encoding=b"chunked"), "GET", minor=1), Rechunked)
    assert isinstance(answer_body(answer(), "GET", minor=1), UntilCloseChunked)
    assert isinstance(answer_body(answer(minor=0), "GET", minor=1), UntilCloseChunked)
    for_old = answer_body(answer(), "GET", minor=0)
    assert isinstance(for_old, UntilClose)
    assert not isinstance(for_old, UntilCloseChunked)
    plain = answer_body(answer(transfer_encoding=b"chunked"), "GET", minor=0)
    assert not isinstance(plain, Rechunked)


@pytest.mark.parametrize(
    ("head", "method"),
    [
        (answer(content_length=b"5"), "HEAD"),
        (answer(transfer_encoding=b"chunked"), "HEAD"),
        (answer(204), "GET"),
        (answer(304, content_length=b"5"), "GET"),
    ],
)
def test_some_answers_have_no_body_whatever_they_say(head: AnswerHead, method: str) -> None:
    assert answer_body(head, method, minor=1).done


@pytest.mark.parametrize(
    "head",
    [
        answer(transfer_encoding=b"gzip, chunked"),
        answer(transfer_encoding=b"chunked", content_length=b"5"),
        answer(minor=0, transfer_encoding=b"chunked"),
        answer(content_length=b"5, 6"),
    ],
)
def test_an_answer_that_is_unclear_about_its_body_is_refused(head: AnswerHead) -> None:
    with pytest.raises(Malformed) as raised:
        answer_body(head, "GET", minor=1)
    assert raised.value.status == 502


def test_the_length_of_an_answer_is_told_where_it_belongs() -> None:
    assert answer_length(answer(content_length=b"5"), Fixed(5)) == b"Content-Length: 5\r\n"
    assert answer_length(answer(304, content_length=b"5"), Fixed(0)) == b"Content-Length: 5\r\n"
    assert answer_length(answer(204, content_length=b"5"), Fixed(0)) == b""
    assert answer_length(answer(), Fixed(0)) == b""
    with pytest.raises(Malformed):
        answer_length(answer(content_length=b"x"), Fixed(0))
