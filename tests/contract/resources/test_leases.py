"""Leases: a notebook really stops when its own has run out, and runs on when it was renewed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import pytest_asyncio

from tests.builders import CAPABLE, HOST, Place, place
from tests.worlds import Person, World, world
from trivium.base.caller import Caller
from trivium.base.clock import ManualClock
from trivium.base.errors import Invalid
from trivium.resources import events, notebooks
from trivium.resources.notebooks import (
    IdleUnknown,
    Lease,
    LeaseAsked,
    LeaseKind,
    NoSuchNotebook,
    Notebook,
    NotebookSpec,
    NotRunning,
    Status,
    outcomes,
)

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    """A site on each kind of database, whose clock is moved by hand."""
    async with world(ManualClock(datetime.now(UTC)), database_url, max_running=10 * HOUR) as made:
        yield made
        for person in made.people:
            await made.release_all(person)


def move(here: World, by: timedelta) -> None:
    clock = here.core.clock
    assert isinstance(clock, ManualClock)
    clock.move(by)


async def running(here: World, duration: timedelta | None) -> tuple[Person, Notebook]:
    person = here.user()
    lease = LeaseAsked(duration=duration)
    return person, await here.notebook(person, await here.image("tiny:1"), Status.RUNNING, lease=lease)


async def looks_again(here: World, person: Person) -> None:
    """A notebook that comes to run only once the worker has gone through a whole round."""
    await here.notebook(person, await here.image(f"tiny:{here.core.clock.now():%H%M%S%f}"), Status.RUNNING)


async def test_a_notebook_is_stopped_when_its_lease_has_run_out_and_not_before(here: World) -> None:
    person, made = await running(here, HOUR)
    move(here, HOUR - timedelta(seconds=30))
    await looks_again(here, person)
    assert here.core.store.read_now(notebooks.get, person.caller, made.id).status is Status.RUNNING
    move(here, timedelta(seconds=30))
    stopped = await here.comes_to(person, made.id, Status.STOPPED)
    assert stopped.lease == made.lease
    told = [event.action for event in here.core.store.read_now(events.latest, "notebook", target=made.id)]
    assert told[:2] == ["notebook.stopped", "notebook.stopping"]


async def test_a_lease_that_ran_out_while_no_server_was_there_ends_with_the_next_one(here: World) -> None:
    person, made = await running(here, HOUR)
    await here.pause()
    move(here, 2 * HOUR)
    await here.resume()
    await here.comes_to(person, made.id, Status.STOPPED)


async def test_a_renewed_lease_counts_from_then(here: World) -> None:
    person, made = await running(here, HOUR)
    store = here.core.store
    assert made.lease is not None
    move(here, HOUR / 2)
    now = store.clock.now()
    renewed = store.write_now(notebooks.renew, person.caller, made.id, lease=LeaseAsked(duration=2 * HOUR))
    assert renewed.lease == msgspec.structs.replace(made.lease, duration=2 * HOUR, updated_at=now)
    assert renewed.lease is not None
    assert renewed.lease.ends_at == now + 2 * HOUR
    move(here, HOUR)
    await looks_again(here, person)
    assert store.read_now(notebooks.get, person.caller, made.id).status is Status.RUNNING
    move(here, HOUR)
    await here.comes_to(person, made.id, Status.STOPPED)


async def test_a_lease_that_is_renewed_without_end_leaves_the_sites_limit(here: World) -> None:
    person, made = await running(here, HOUR)
    store = here.core.store
    endless = store.write_now(notebooks.renew, person.caller, made.id, lease=LeaseAsked(duration=None))
    assert endless.lease is not None
    assert (endless.lease.enabled, endless.lease.ends_at) == (False, None)
    move(here, 9 * HOUR)
    await looks_again(here, person)
    assert store.read_now(notebooks.get, person.caller, made.id).status is Status.RUNNING
    move(here, HOUR)
    await here.comes_to(person, made.id, Status.STOPPED)


async def test_a_notebook_that_starts_again_has_its_lease_anew_or_another(here: World) -> None:
    person, made = await running(here, HOUR)
    store = here.core.store
    move(here, HOUR)
    await here.comes_to(person, made.id, Status.STOPPED)
    move(here, HOUR)
    await store.write(notebooks.start, person.caller, made.id)
    again = await here.comes_to(person, made.id, Status.RUNNING)
    now = store.clock.now()
    assert again.lease == Lease(kind=LeaseKind.TIMING, enabled=True, duration=HOUR, created_at=now, updated_at=now)
    move(here, HOUR)
    await here.comes_to(person, made.id, Status.STOPPED)
    await store.write(notebooks.start, person.caller, made.id, lease=LeaseAsked(duration=3 * HOUR))
    await here.comes_to(person, made.id, Status.RUNNING)
    move(here, 2 * HOUR)
    await looks_again(here, person)
    assert store.read_now(notebooks.get, person.caller, made.id).status is Status.RUNNING


async def test_the_earlier_of_lease_and_limit_holds_whatever_the_limit_becomes(here: World) -> None:
    person, made = await running(here, 5 * HOUR)
    bare = await here.notebook(person, await here.image("tiny:2"), Status.RUNNING)
    store = here.core.store
    for limit in (2 * HOUR, None, 20 * HOUR):
        limited = msgspec.structs.replace(here.core.site, max_running=limit)
        store.write_now(outcomes.apply_limits, HOST, limited)
    move(here, 5 * HOUR)
    await here.comes_to(person, made.id, Status.STOPPED)
    assert store.read_now(notebooks.get, person.caller, bare.id).status is Status.RUNNING
    store.write_now(outcomes.apply_limits, HOST, msgspec.structs.replace(here.core.site, max_running=2 * HOUR))
    move(here, 2 * HOUR)
    await here.comes_to(person, bare.id, Status.STOPPED)


@pytest.fixture
def quiet(database_url: str) -> Iterator[Place]:
    """A site without a runtime."""
    with place(database_url) as made:
        made.node(cores=64)
        yield made


def test_senseless_leases_and_those_by_activity_are_refused(quiet: Place) -> None:
    alice, image = quiet.user("alice"), quiet.image()
    for duration in (timedelta(0), -HOUR, timedelta.max):
        with pytest.raises(Invalid) as caught:
            quiet.notebook(alice, image, lease=LeaseAsked(duration=duration))
        assert caught.value.field == "duration"
    with pytest.raises(IdleUnknown):
        quiet.notebook(alice, image, lease=LeaseAsked(duration=HOUR, kind=LeaseKind.IDLE))
    made = quiet.notebook(alice, image)
    assert made.lease is None
    with pytest.raises(IdleUnknown):
        quiet.store.write_now(notebooks.renew, alice, made.id, lease=LeaseAsked(duration=HOUR, kind=LeaseKind.IDLE))


def test_a_lease_may_be_given_to_what_is_about_to_run_and_to_nothing_else(quiet: Place) -> None:
    alice, spec = quiet.user("alice"), NotebookSpec(image_path=quiet.image().path, kind="cpu", count=1)
    made = quiet.store.write_now(notebooks.create, alice, quiet.site, spec=spec, hosts={HOST: CAPABLE})
    asked = LeaseAsked(duration=HOUR)
    assert quiet.store.write_now(notebooks.renew, alice, made.id, lease=asked).lease is not None
    with pytest.raises(NoSuchNotebook):
        quiet.store.write_now(notebooks.renew, other(quiet), made.id, lease=asked)
    quiet.store.write_now(outcomes.note_fault, quiet.store.read_now(notebooks.get, alice, made.id))
    with pytest.raises(NotRunning):
        quiet.store.write_now(notebooks.renew, alice, made.id, lease=asked)


def other(quiet: Place) -> Caller:
    return quiet.user("bob")
