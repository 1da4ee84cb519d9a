"""Operations and events on both databases."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.builders import Place
from trivium.base.caller import Caller
from trivium.base.clock import ManualClock
from trivium.base.reasons import Reason
from trivium.resources import events, operations
from trivium.resources.operations import OperationNotFound, OperationStatus
from trivium.store import Write


def _start(here: Place, caller: Caller, target: int = 7) -> operations.Operation:
    return here.store.write_now(operations.start, caller, "notebook.create", target=target)


def _get(here: Place, made: operations.Operation) -> operations.Operation:
    return here.store.read_now(operations.get, here.admin, made.id)


def test_an_operation_goes_from_pending_over_running_to_succeeded(here: Place) -> None:
    alice = here.user("alice")
    made = _start(here, alice)
    assert (made.status, made.progress, made.is_finished) == (OperationStatus.PENDING, None, False)
    assert here.store.read_now(operations.get_by_uuid, alice, made.uuid) == made
    assert isinstance(here.clock, ManualClock)
    here.clock.move(timedelta(seconds=1))
    here.store.write_now(operations.advance, made.id, progress=40)
    going = _get(here, made)
    assert (going.status, going.progress, going.changed_at) == (OperationStatus.RUNNING, 40, here.clock.now())
    here.store.write_now(operations.finish, made.id, result={"image": "abc"})
    done = _get(here, made)
    assert (done.status, done.progress, done.result) == (OperationStatus.SUCCEEDED, 100, '{"image":"abc"}')
    assert (done.created_at, done.finished_at) == (made.created_at, here.clock.now())


def test_progress_never_goes_back(here: Place) -> None:
    made = _start(here, here.admin)
    for progress in (10, 50, 20, None):
        here.store.write_now(operations.advance, made.id, progress=progress)
    assert _get(here, made).progress == 50


def test_a_failure_keeps_its_reason(here: Place) -> None:
    made = _start(here, here.admin)
    reason = Reason(code="node.no_capacity", details={"kind": "gpu", "count": "2"})
    here.store.write_now(operations.finish, made.id, failure=reason)
    found = _get(here, made)
    assert (found.status, found.failure, found.progress) == (OperationStatus.FAILED, reason, None)


def test_what_is_finished_stays_as_it_is(here: Place) -> None:
    made = _start(here, here.admin)
    here.store.write_now(operations.finish, made.id)
    done = _get(here, made)
    here.store.write_now(operations.advance, made.id, progress=3)
    here.store.write_now(operations.finish, made.id, failure=Reason(code="internal"))
    assert _get(here, made) == done


def test_a_worker_finds_what_goes_on_for_its_target(here: Place) -> None:
    first, second, other = _start(here, here.admin), _start(here, here.admin), _start(here, here.admin, target=8)
    assert [one.id for one in here.store.read_now(operations.unfinished, 7)] == [first.id, second.id]
    here.store.write_now(operations.finish, first.id)
    assert [one.id for one in here.store.read_now(operations.unfinished, 7)] == [second.id]
    assert [one.id for one in here.store.read_now(operations.unfinished, 8)] == [other.id]


def test_another_projects_operation_is_not_found(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    made = _start(here, alice)
    assert here.store.read_now(operations.get, alice, made.id) == made
    for missing in (lambda tx: operations.get(tx, bob, made.id), lambda tx: operations.get(tx, alice, 1)):
        with pytest.raises(OperationNotFound):
            here.store.read_now(missing)
    with pytest.raises(OperationNotFound):
        here.store.read_now(operations.get_by_uuid, bob, made.uuid)
    with pytest.raises(OperationNotFound):
        here.store.read_now(operations.get_by_uuid, alice, uuid4())


def test_a_client_may_choose_the_uuid(here: Place) -> None:
    chosen = UUID("6f9619ff-8b86-4d11-b42d-00c04fc964ff")
    made = here.store.write_now(operations.start, here.admin, "model.add", new_uuid=lambda: chosen)
    assert made.uuid == chosen
    assert made.target is None


def test_an_event_tells_who_what_from_where_before_and_after(here: Place) -> None:
    caller = Caller(user=5, user_name="eve", project=6, role=here.admin.role, request="req-1", source="scnet")
    here.store.write_now(
        lambda tx: events.record(tx, caller, "notebook.stop", target=9, before={"名": 1}, after={"名": 2})
    )
    (event,) = here.store.read_now(events.latest, "notebook", target=9)
    assert (event.user, event.user_name, event.project, event.request, event.source) == (5, "eve", 6, "req-1", "scnet")
    assert (event.action, event.kind, event.target, event.at) == ("notebook.stop", "notebook", 9, here.clock.now())
    assert (event.before, event.after) == ('{"名":1}', '{"名":2}')


def test_an_event_may_belong_to_another_project_than_its_callers(here: Place) -> None:
    here.store.write_now(lambda tx: events.record(tx, here.admin, "notebook.lost", target=9, project=77))
    (event,) = here.store.read_now(events.latest, "notebook")
    assert (event.project, event.before, event.after) == (77, None, None)


def test_events_come_newest_first_and_bounded(here: Place) -> None:
    for number in range(5):
        here.store.write_now(lambda tx, number=number: events.record(tx, here.admin, "thing.do", target=number))
    assert [event.target for event in here.store.read_now(events.latest, "thing", limit=3)] == [4, 3, 2]


def test_no_event_is_left_of_a_change_that_failed(here: Place) -> None:
    def fail(tx: Write) -> None:
        events.record(tx, here.admin, "thing.do", target=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        here.store.write_now(fail)
    assert here.store.read_now(events.latest, "thing") == []
