"""Hosts: one server acts at a time, whoever was passed over changes nothing, and remote calls are carried out once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.builders import Place
from trivium.resources import hosts
from trivium.resources.hosts import CallResult, HostAway, Identity, NotHolding, Tenure
from trivium.resources.hosts.table import hosts as table
from trivium.store import Read, Write

MINE = Identity(id="a" * 32, name="one", machine="boot-1", data="/data")
SOON = timedelta(seconds=30)


def take(here: Place, since: int, worker: int = 1) -> Tenure | None:
    return here.store.write_now(hosts.take, MINE, worker=worker, since=since, epoch=since + 1)


def taken(here: Place, since: int, worker: int = 1) -> Tenure:
    tenure = take(here, since, worker)
    assert tenure is not None
    return tenure


def run_out(tx: Write) -> None:
    tx.run(update(table).values(lease_until=tx.database_now() - timedelta(minutes=1)))


def see(here: Place) -> bool:
    def look(tx: Read) -> bool:
        found = hosts.get(tx, MINE.id)
        assert found is not None
        return hosts.is_held(tx, found)

    return here.store.read_now(look)


def test_of_two_who_take_a_host_at_once_one_has_it(here: Place) -> None:
    assert take(here, since=0) == Tenure(host=MINE.id, epoch=1)
    assert take(here, since=0, worker=2) is None
    assert see(here)


def test_who_was_passed_over_changes_nothing_any_more(here: Place) -> None:
    first = taken(here, since=0)
    assert here.store.write_now(hosts.held, first, lambda _tx: "done") == "done"
    second = taken(here, since=1, worker=2)
    with pytest.raises(NotHolding):
        here.store.write_now(hosts.held, first, lambda _tx: "done")
    assert not here.store.write_now(hosts.renew, first, worker=1)
    here.store.write_now(hosts.give_up, first)
    assert see(here)
    assert here.store.write_now(hosts.held, second, lambda _tx: "done") == "done"


def test_a_lease_that_ran_out_is_good_again_where_nobody_took_the_host(here: Place) -> None:
    tenure = taken(here, since=0)
    here.store.write_now(run_out)
    assert not see(here)
    assert here.store.write_now(hosts.renew, tenure, worker=1)
    assert see(here)


def test_a_host_that_is_given_up_is_free_at_once(here: Place) -> None:
    here.store.write_now(hosts.give_up, taken(here, since=0))
    assert not see(here)
    assert here.store.read_now(hosts.held_now) == {}
    assert taken(here, since=1, worker=2).epoch == 2


def test_a_call_is_given_out_once_and_its_result_found(here: Place) -> None:
    taken(here, since=0)
    call = here.store.write_now(hosts.submit_call, MINE.id, "Logs", arguments="{}", within=SOON)
    assert here.store.read_now(hosts.result_of, call) is None
    (found,) = here.store.write_now(hosts.take_calls, MINE.id, worker=1)
    assert (found.id, found.op, found.arguments) == (call, "Logs", "{}")
    assert here.store.write_now(hosts.take_calls, MINE.id, worker=1) == []
    here.store.write_now(hosts.finish_call, call, CallResult(answer="[1]", failure=None))
    assert here.store.read_now(hosts.result_of, call) == CallResult(answer="[1]", failure=None)
    here.store.write_now(hosts.drop_call, call)
    result = here.store.read_now(hosts.result_of, call)
    assert result is not None
    assert result.failure


def test_nothing_is_asked_of_a_host_that_nobody_acts_on(here: Place) -> None:
    with pytest.raises(HostAway):
        here.store.write_now(hosts.submit_call, MINE.id, "Logs", arguments="{}", within=SOON)
    taken(here, since=0)
    here.store.write_now(run_out)
    with pytest.raises(HostAway):
        here.store.write_now(hosts.submit_call, MINE.id, "Logs", arguments="{}", within=SOON)


def test_a_call_that_nobody_waits_for_any_more_is_not_carried_out(here: Place) -> None:
    taken(here, since=0)
    call = here.store.write_now(hosts.submit_call, MINE.id, "Logs", arguments="{}", within=timedelta(seconds=-1))
    assert here.store.write_now(hosts.take_calls, MINE.id, worker=1) == []
    result = here.store.read_now(hosts.result_of, call)
    assert result is not None
    assert result.failure


@pytest.mark.parametrize("comes_after", [True, False])
def test_a_call_whose_server_died_amid_it_has_failed(here: Place, *, comes_after: bool) -> None:
    taken(here, since=0)
    call = here.store.write_now(hosts.submit_call, MINE.id, "Logs", arguments="{}", within=SOON)
    here.store.write_now(hosts.take_calls, MINE.id, worker=1)
    assert here.store.read_now(hosts.result_of, call) is None
    here.store.write_now(run_out)
    if comes_after:
        taken(here, since=1, worker=2)
    result = here.store.read_now(hosts.result_of, call)
    assert result is not None
    assert result.failure
    assert here.store.write_now(hosts.take_calls, MINE.id, worker=2) == []
