"""The proxy's own answers: pages for people, JSON for programs, in their language."""

from __future__ import annotations

import json

import pytest

from trivium.base.text import Language, say
from trivium.server.proxy.pages import moved_answer, prefers_json, problem_answer
from trivium.server.proxy.problems import Moved, Problem


def test_a_person_gets_a_page() -> None:
    raw = problem_answer(Problem(404, "proxy.unknown"), {b"accept": b"text/html"}, method="GET", closing=False)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html; charset=utf-8\r\n")
    assert b"Content-Length: %d\r\n" % len(body) in head
    assert b"Connection: close" not in head
    assert say("proxy.unknown", Language.EN).encode() in body


def test_a_program_gets_json_with_the_details() -> None:
    problem = Problem(503, "proxy.unreachable", state="stopped")
    raw = problem_answer(problem, {b"accept": b"application/json"}, method="GET", closing=True)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert b"Retry-After: " in head
    told = json.loads(body)
    assert told == {
        "code": "proxy.unreachable",
        "message": say("proxy.unreachable", Language.EN),
        "state": "stopped",
    }


def test_who_reads_chinese_gets_chinese() -> None:
    raw = problem_answer(Problem(403, "proxy.origin"), {b"accept-language": b"zh-CN,zh"}, method="GET", closing=True)
    assert say("proxy.origin", Language.ZH).encode() in raw


def test_head_gets_no_body() -> None:
    raw = problem_answer(Problem(404, "proxy.unknown"), {}, method="HEAD", closing=False)
    assert raw.endswith(b"\r\n\r\n")
    assert b"Content-Length: 0" not in raw


def test_what_a_page_says_is_text() -> None:
    raw = problem_answer(Problem(404, "<script>"), {}, method="GET", closing=False)
    assert b"<script>" not in raw


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"", False),
        (b"*/*", False),
        (b"text/html,application/json", False),
        (b"application/json", True),
        (b"application/json, text/html;q=0.9", True),
        (b"text/html;q=x, Application/JSON;q=0.1", True),
        (b"application/json;q=0", False),
    ],
)
def test_the_form_is_the_one_preferred(accept: bytes, *, expected: bool) -> None:
    assert prefers_json(accept) is expected


def test_a_redirect_hands_over_its_cookie() -> None:
    raw = moved_answer(Moved(b"/nb/7/", status=302, cookie="a=b"), closing=False)
    assert raw.startswith(b"HTTP/1.1 302 Found\r\nLocation: /nb/7/\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n")
    assert b"Referrer-Policy: no-referrer" in raw
    assert b"Cache-Control: no-store" in raw
