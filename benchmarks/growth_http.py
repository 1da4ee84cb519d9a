"""The growth of lists through the whole server: each data set has one of its own, and all are asked in turn."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final
from urllib.parse import urlencode

from benchmarks.api import LIST, Api
from benchmarks.growth_rows import ABSENT, CHINESE, COMMON, Rows
from benchmarks.processes import Served, serving
from benchmarks.rounds import interleaved, median
from trivium.base.values import Value

ASKED: Final = {
    "first page": {},
    "status filter": {"notebookStatus": "Failed"},
    "substring, absent": {"notebookName": ABSENT},
    "substring, 2 %": {"notebookName": COMMON},
    "substring, two Chinese characters": {"notebookName": CHINESE},
}


class Asked(Value, frozen=True, kw_only=True):
    """What came of one question: the medians of the data sets, in seconds."""

    owner: str
    name: str
    seconds: tuple[float, ...]


def measured(sets: Sequence[Rows], rounds: int) -> list[Asked]:
    """The times from a request to its whole answer, over a connection that is kept alive."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(rows.place)) for rows in sets]
        found: list[Asked] = []
        for owner in sets[0].owners:
            clients = [_Client(served, owner.name) for served in servers]
            for name, words in ASKED.items():
                target = f"{LIST}?{urlencode({'page': 1, 'size': 20, **words})}"
                ways = {place: partial(client.timed, target) for place, client in enumerate(clients)}
                medians = tuple(median(times, float) for times in interleaved(ways, rounds).values())
                found.append(Asked(owner=owner.name, name=name, seconds=medians))
        return found


class _Client:
    """A client of one owner's."""

    def __init__(self, served: Served, owner: str) -> None:
        self._headers = {"token": Api(served, owner).token}
        self._connection = served.api.connect()

    def timed(self, target: str) -> float:
        """Seconds that one answer takes."""
        began = time.perf_counter()
        self._connection.request("GET", target, headers=self._headers)
        body = self._connection.getresponse().read()
        took = time.perf_counter() - began
        assert json.loads(body)["code"] == "0", body
        return took
