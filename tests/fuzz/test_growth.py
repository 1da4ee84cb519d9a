"""A server that is asked many things, right and wrong ones, needs no more memory or descriptors than before."""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fuzz import huawei
from tests.fuzz.calls import call_of, operations
from tests.fuzz.dice import Seeded, chance, one_of
from tests.fuzz.huawei import Surface
from tests.fuzz.raw import requests
from tests.fuzz.speaking import Connection, send
from tests.fuzz.village import Village, judged

FIFTHS = 5
CONNECTIONS = 4
LOOKS = 8  # at memory, in each fifth
BYTES_A_REQUEST = 16  # what is less than this is the noise of an allocator
SLACK = 2 << 20  # bytes; arenas come in megabytes, and the database fills its cache
CACHED_A_REQUEST = 1024  # bytes: nearly each request is one that no cache of queries, heads and statements knows yet …
CACHED = 4 << 20  # … until all of these are full, after some 40,000
MORE_DESCRIPTORS = 8  # a thread's own connection to the database costs three
RAW = 10  # of a hundred requests, on connections of their own
CLEARS = 2000  # requests after which what they made is released
QUIET = frozenset(
    {"CreateNotebook", "StartNotebook", "StartCustomizeService", "CreateImage", "KeystoneCreateUserTokenByPassword"}
)
"""What costs much more than others: now and then."""


class Weight(NamedTuple):
    """What a process holds."""

    memory: int  # bytes that it allocated and touched; files that it maps weigh more when others end that map them
    descriptors: int


@pytest.mark.fuzz
@pytest.mark.timeout(0)
def test_a_hundred_thousand_requests_leave_nothing_behind(
    village: Village, there: Surface, requests_in_all: int
) -> None:
    fifths: list[list[Weight]] = []
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(village.site.port)) for _ in range(CONNECTIONS)]
        ask = _asking(village, there, connections)
        numbers = itertools.count(1)
        for _ in range(FIFTHS):
            weights: list[Weight] = []
            for _ in range(LOOKS):
                for number in itertools.islice(numbers, max(requests_in_all // FIFTHS // LOOKS, 1)):
                    ask(number)
                weights.append(_weigh(village))
            fifths.append(weights)
    number = next(numbers) - 1
    memory = [statistics.median(one.memory for one in weights) for weights in fifths]
    descriptors = [max(one.descriptors for one in weights) for weights in fifths]
    print(f"{number} requests: {[round(one / 2**20, 1) for one in memory]} MiB, {descriptors} descriptors, by fifths")
    between = number * (FIFTHS - 2) // FIFTHS
    allowed = SLACK + min(CACHED_A_REQUEST * between, CACHED) + BYTES_A_REQUEST * between
    assert memory[-1] - memory[1] < allowed
    assert descriptors[-1] <= descriptors[1] + MORE_DESCRIPTORS


def _asking(village: Village, there: Surface, connections: list[Connection]) -> Callable[[int], None]:
    """What asks one thing, by its number, of either dialect; most of it on connections that are kept."""
    of_scnet, of_modelarts = operations(), huawei.operations()
    seldom = random.Random(1)
    now = [there]

    def ask(number: int) -> None:
        dice = Seeded(f"growth/{number}")
        if chance(dice, RAW):
            port = village.site.port if chance(dice, 50) else village.site.proxy_port
            send(port, requests(dice))
            return
        if number % CLEARS == 0:
            village.clear()
            now[:] = [huawei.surface(village, there.theirs)]
        is_scnet = chance(dice, 50)
        operation = one_of(dice, of_scnet if is_scnet else of_modelarts)
        if operation.name in QUIET and seldom.random() > 0.02:  # a notebook costs a hundred requests
            return
        call = call_of(dice, operation, village.known) if is_scnet else huawei.signed_call(dice, operation, now[0])
        answer = connections[number % CONNECTIONS].ask(call.raw())
        if is_scnet:
            judged(village, call, answer)
        else:
            huawei.judged(now[0], call, answer)

    return ask


def _weigh(village: Village) -> Weight:
    status = Path(f"/proc/{village.server.pid}/status").read_text("ascii")
    anonymous = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return Weight(int(anonymous.split()[1]) << 10, village.server.num_fds())
