"""What strangers send fills no cache: only what is short, or names a notebook, is remembered."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from trivium.server.proxy.addresses import PathAddresses
from trivium.server.proxy.answering import AnswerRules, answer_of
from trivium.server.proxy.credentials import credentials_in
from trivium.server.proxy.heads import parse_request
from trivium.server.proxy.problems import Problem
from trivium.server.proxy.settings import ProxySettings

SETTINGS = ProxySettings()
RULES = AnswerRules(
    method="GET",
    minor=1,
    may_keep=True,
    host=b"h",
    root="/nb/7/",
    prefix=b"",
    is_far=False,
    fields=SETTINGS.head_fields,
)
TIMES = 400
LONG = 16_000


def unknown_path(number: int) -> None:
    with pytest.raises(Problem):
        PathAddresses().find(b"h", b"/nb/" + b"%d" % number + b"x" * LONG + b"/")


def long_fields(number: int) -> None:
    raw = b"GET / HTTP/1.1\r\nHost: h\r\nX: %d" % number + b"x" * LONG + b"\r\n\r\n"
    credentials_in(parse_request(raw, SETTINGS).fields, "7")


def long_answer(number: int) -> None:
    answer_of(b"HTTP/1.1 200 OK\r\nX: %d" % number + b"x" * LONG + b"\r\n\r\n", RULES)


@pytest.mark.parametrize("send", [unknown_path, long_fields, long_answer])
def test_long_heads_and_unknown_paths_leave_nothing_behind(send: Callable[[int], None]) -> None:
    send(-1)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(TIMES):
            send(number)
        assert tracemalloc.get_traced_memory()[0] - before < TIMES * LONG // 4
    finally:
        tracemalloc.stop()
