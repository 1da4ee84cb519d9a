"""Bytes that are no request, or almost one: whatever comes back is an answer, and the server goes on."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.dice import Drawn
from tests.fuzz.raw import requests
from tests.fuzz.speaking import Answer, Connection, send
from tests.fuzz.village import MARK, Village

EXAMPLES = 250
HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
REFUSALS = frozenset({400, 401, 403, 404, 405, 408, 411, 413, 414, 417, 421, 426, 431, 501, 505})
MEANT = frozenset({200, 204, 302, 303, 307, 308})
ALIVE = b"GET /ai/openapi/v2/notebook/list HTTP/1.1\r\nHost: x\r\n\r\n"
DOOR = b"GET /nb/1/lab HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.fuzz
def test_whatever_comes_to_the_apis_they_go_on(village: Village) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=HEALTH)
    @given(st.data())
    def speak(data: st.DataObject) -> None:
        pieces = requests(Drawn(data))
        for answer in send(village.site.port, pieces):
            _fits(answer, pieces)
        with Connection(village.site.port) as connection:
            assert connection.ask(ALIVE).json()["code"] == "10008"

    speak()


@pytest.mark.fuzz
def test_whatever_comes_to_the_proxy_it_goes_on(village: Village) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=HEALTH)
    @given(st.data())
    def speak(data: st.DataObject) -> None:
        pieces = requests(Drawn(data))
        for answer in send(village.site.proxy_port, pieces):
            assert answer.status in REFUSALS | MEANT, (pieces, answer)
            assert MARK.encode() not in answer.body
        with Connection(village.site.proxy_port) as connection:
            assert connection.ask(DOOR).status in {401, 403, 404}

    speak()


def _fits(answer: Answer, pieces: object) -> None:
    """An envelope, one of the platform's own pages, or a refusal of what is no HTTP."""
    assert answer.status in REFUSALS | MEANT, (pieces, answer)
    assert MARK.encode() not in answer.body
    if answer.status == 200 and answer.body and answer.type.startswith("application/json"):
        told = answer.json()
        assert isinstance(told, dict)
        assert told.get("code") != "10001", (pieces, answer)
