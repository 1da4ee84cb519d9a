"""Lines about requests: gathered, written at once, and never with what a query holds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from trivium.base.clock import ManualClock
from trivium.server.logs import ProxyLine
from trivium.server.proxy.request_log import RequestLog

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_line_tells_when_the_request_ended_and_not_its_query() -> None:
    written: list[ProxyLine] = []

    async def note() -> None:
        loop = asyncio.get_running_loop()
        log = RequestLog(loop, ManualClock(NOW), lambda *lines: written.extend(lines))
        now = loop.time()
        log.add("GET", b"/nb/7/x?token=secret", 200, notebook="7", began=now - 3, ended=now - 1, received=5, sent=9)
        log.add("PUT", b"/y" * 400, 0, notebook=None, began=now, ended=now, received=0, sent=0)
        assert written == []
        log.flush()
        log.flush()

    asyncio.run(note())
    first, second = written
    assert (first.method, first.path, first.status, first.notebook) == ("GET", "/nb/7/x", 200, "7")
    assert (first.ms, first.received, first.sent) == (2000.0, 5, 9)
    assert abs(first.timestamp - (NOW - timedelta(seconds=1))) < timedelta(seconds=1)
    assert (len(second.path), second.status, second.notebook) == (512, 0, None)


def test_nothing_is_gathered_where_no_lines_are_wanted() -> None:
    async def note() -> None:
        loop = asyncio.get_running_loop()
        log = RequestLog(loop, ManualClock(NOW), None)
        log.add("GET", b"/", 200, notebook=None, began=0.0, ended=0.0, received=0, sent=0)
        log.flush()

    asyncio.run(note())
