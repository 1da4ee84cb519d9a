"""Bytes that are no request, or almost one: whatever comes back is an answer, and the server goes on."""

from __future__ import annotations

from collections.abc import Callable

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
MEANT = frozenset({100, 200, 204, 302, 303, 307, 308})
ALIVE = b"GET /ai/openapi/v2/notebook/list HTTP/1.1\r\nHost: x\r\n\r\n"
DOOR = b"GET /nb/1/lab HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.fuzz
def test_whatever_comes_to_the_apis_they_go_on(village: Village) -> None:
    _send_at_random(village.site.port, _look_at_json, lambda apis: apis.ask(ALIVE).json()["code"] == "10008")


@pytest.mark.fuzz
def test_whatever_comes_to_the_proxy_it_goes_on(village: Village) -> None:
    _send_at_random(village.site.proxy_port, lambda *_: None, lambda proxy: proxy.ask(DOOR).status in {401, 403, 404})


def _send_at_random(port: int, look: Callable[[Answer, object], None], is_alive: Callable[[Connection], bool]) -> None:
    """Send bytes to a listener, and ask after each whether it lives.

    Every answer has a status that is meant and nothing of the other user's; `look` sees whatever else must hold.
    """

    @settings(max_examples=EXAMPLES, suppress_health_check=HEALTH)
    @given(st.data())
    def speak(data: st.DataObject) -> None:
        pieces = requests(Drawn(data))
        for answer in send(port, pieces):
            assert answer.status in REFUSALS | MEANT, (pieces, answer)
            assert MARK.encode() not in answer.body
            look(answer, pieces)
        with Connection(port) as connection:
            assert is_alive(connection)

    speak()


def _look_at_json(answer: Answer, pieces: object) -> None:
    """JSON is an object, and tells of no fault of ours."""
    if answer.status == 200 and answer.body and answer.type.startswith("application/json"):
        told = answer.json()
        assert isinstance(told, dict)
        assert told.get("code") != "10001", (pieces, answer)
