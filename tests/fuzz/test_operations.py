"""Every operation with every kind of parameter: an envelope, no fault of ours, and nothing that is another's."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.calls import call_of, operations
from tests.fuzz.dice import Drawn
from tests.fuzz.speaking import Connection
from tests.fuzz.village import Village, judged
from trivium.dialects.operation import Operation

OPERATIONS = operations()
HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.fuzz
@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.name for one in OPERATIONS])
def test_whatever_is_sent_to_an_operation_is_answered_as_it_must_be(
    village: Village, operation: Operation, examples: int
) -> None:
    with Connection(village.site.port) as connection:

        @settings(max_examples=examples, suppress_health_check=HEALTH)
        @given(st.data())
        def ask(data: st.DataObject) -> None:
            call = call_of(Drawn(data), operation, village.known)
            judged(village, call, connection.ask(call.raw()))

        ask()
