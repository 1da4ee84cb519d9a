"""Every operation of ModelArts with every kind of parameter: its form, no fault, and nothing that is another's."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.dice import Drawn
from tests.fuzz.huawei import Surface, judged, operations, signed_call
from tests.fuzz.speaking import Connection
from tests.fuzz.village import Village
from trivium.dialects.operation import Operation

OPERATIONS = operations()
HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.fuzz
@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.name for one in OPERATIONS])
def test_whatever_is_sent_to_an_operation_is_answered_as_it_must_be(
    village: Village, there: Surface, operation: Operation, examples: int
) -> None:
    with Connection(village.site.port) as connection:

        @settings(max_examples=examples, suppress_health_check=HEALTH)
        @given(st.data())
        def ask(data: st.DataObject) -> None:
            call = signed_call(Drawn(data), operation, there)
            judged(there, call, connection.ask(call.raw()))

        ask()
