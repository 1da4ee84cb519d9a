"""Hosts: one server acts at a time, whoever was passed over changes nothing, and errands are carried out once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.builders import Place
from trivium.resources import hosts
from trivium.resources.hosts import HostAway, Identity, NotHolding, Tenure, Told
from trivium.resources.hosts.table import hosts as table
from trivium.store import Read, Write

MINE = Identity(id="a" * 32, name="one", machine="boot-1", data="/data")
SOON = timedelta(seconds=30)


def take(here: Place, since: int, worker: int = 1) -> Tenure | None:
    return here.store.write_now(hosts.take, MINE, worker=worker, since=since)


def taken(here: Place, since: int, worker: int = 1) -> Tenure:
    tenure = take(here, since, worker)
    assert tenure is not None
    return tenure


def run_out(tx: Write) -> None:
    tx.run(update(table).values(lease_until=tx.moment() - timedelta(minutes=1)))


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


def test_an_errand_is_given_out_once_and_its_answer_found(here: Place) -> None:
    taken(here, since=0)
    errand = here.store.write_now(hosts.ask_errand, MINE.id, "Logs", asked="{}", within=SOON)
    assert here.store.read_now(hosts.told_of, errand) is None
    (found,) = here.store.write_now(hosts.errands_for, MINE.id, worker=1)
    assert (found.id, found.op, found.asked) == (errand, "Logs", "{}")
    assert here.store.write_now(hosts.errands_for, MINE.id, worker=1) == []
    here.store.write_now(hosts.answer_errand, errand, Told(answer="[1]", failure=None))
    assert here.store.read_now(hosts.told_of, errand) == Told(answer="[1]", failure=None)
    here.store.write_now(hosts.drop_errand, errand)
    told = here.store.read_now(hosts.told_of, errand)
    assert told is not None
    assert told.failure


def test_nothing_is_asked_of_a_host_that_nobody_acts_on(here: Place) -> None:
    with pytest.raises(HostAway):
        here.store.write_now(hosts.ask_errand, MINE.id, "Logs", asked="{}", within=SOON)
    taken(here, since=0)
    here.store.write_now(run_out)
    with pytest.raises(HostAway):
        here.store.write_now(hosts.ask_errand, MINE.id, "Logs", asked="{}", within=SOON)


def test_an_errand_that_nobody_waits_for_any_more_is_not_carried_out(here: Place) -> None:
    taken(here, since=0)
    errand = here.store.write_now(hosts.ask_errand, MINE.id, "Logs", asked="{}", within=timedelta(seconds=-1))
    assert here.store.write_now(hosts.errands_for, MINE.id, worker=1) == []
    told = here.store.read_now(hosts.told_of, errand)
    assert told is not None
    assert told.failure
