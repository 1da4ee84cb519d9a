"""The growth of lists through the whole server: each data set has one of its own, and all are asked in turn."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.growth_rows import CHINESE, COMMON, Rows
from benchmarks.listing import PATH, log_in
from benchmarks.processes import Running, free_port, running, trivium
from trivium.base.values import Value

ASKED: Final = {
    "first page": {},
    "status filter": {"notebookStatus": "Failed"},
    "substring, absent": {"notebookName": "zzqqyy"},
    "substring, 2 %": {"notebookName": COMMON},
    "substring, two Chinese characters": {"notebookName": CHINESE},
}


class Asked(Value, frozen=True, kw_only=True):
    """What came of one question: the medians of the data sets, in seconds."""

    owner: str
    name: str
    seconds: tuple[float, ...]


def measured(sets: Sequence[Rows], database: str | None, rounds: int) -> list[Asked]:
    """The times from a request to its whole answer, over a connection that is kept alive."""
    with ExitStack() as stack:
        servers = [stack.enter_context(_server(rows, database)) for rows in sets]
        found: list[Asked] = []
        for place, owner in enumerate(sets[0].owners):
            askers = [_Asker(server, rows, place, database) for server, rows in zip(servers, sets, strict=True)]
            for name, words in ASKED.items():
                target = f"{PATH}?{urlencode({'page': 1, 'size': 20, **words})}"
                times = [[asker.timed(target) for asker in askers] for _ in range(rounds + 1)][1:]
                medians = tuple(statistics.median(each) for each in zip(*times, strict=True))
                found.append(Asked(owner=owner.name, name=name, seconds=medians))
        return found


def _server(rows: Rows, database: str | None) -> Any:
    port, log = free_port(), rows.folder / "server.log"
    options = ["--port", str(port), "--proxy-port", str(free_port()), *_place(rows, database)]
    return running(trivium("server", "start", *options), port, ready="/readyz", log=log)


def _place(rows: Rows, database: str | None) -> list[str]:
    return ["--data", str(rows.folder), *(["--database", rows.url] if database else [])]


class _Asker:
    """A client of one owner's."""

    def __init__(self, server: Running, rows: Rows, place: int, database: str | None) -> None:
        owner = rows.owners[place].name
        made = trivium("key", "create", "--user", owner, "-o", "json", *_place(rows, database))
        key = json.loads(subprocess.run(made, capture_output=True, check=True).stdout)
        self._headers = {"token": log_in(server, key)}
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def timed(self, target: str) -> float:
        """Seconds that one answer takes."""
        began = time.perf_counter()
        self._connection.request("GET", target, headers=self._headers)
        body = self._connection.getresponse().read()
        took = time.perf_counter() - began
        assert json.loads(body)["code"] == "0", body
        return took
