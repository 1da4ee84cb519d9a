"""Calls that are jobs, on both databases: what they are given, what comes of them, and for how long that is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.builders import Place, place
from tests.desks import Client, Told, opened
from trivium.base.caller import Caller
from trivium.base.clock import ManualClock
from trivium.base.query import Offset, Query
from trivium.base.reasons import Reason
from trivium.dialects.zstack import ZStackSettings
from trivium.resources import operations, workspaces
from trivium.store import Store

DESKS = "/zstack/v1/desks"


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def alice(here: Place) -> Client:
    return Client(here, here.user("alice"))


def made_desks(here: Place, caller: Caller) -> list[str]:
    asked = Query(page=Offset(limit=100))
    return sorted(desk.name for desk in here.store.read_now(workspaces.list_workspaces, caller, asked).rows)


def details(told: Told) -> str:
    assert told.body["success"] is False
    error = told.body["error"]
    assert error["description"].endswith(error["details"])
    return error["details"]


async def test_a_job_is_done_when_it_is_taken_and_says_where_to_look(here: Place, alice: Client) -> None:
    taken = await alice.ask("POST", DESKS, {"params": {"name": "north"}}, {"x-api-timeout": "60"})
    assert taken.status == 202
    job = taken.body["location"].removeprefix("http://zstack.test:8080/zstack/v1/api-jobs/")
    assert taken.body == {"location": f"http://zstack.test:8080/zstack/v1/api-jobs/{job}", "apiTimeout": 60000}
    assert made_desks(here, alice.caller) == ["north"]
    done = await alice.look(taken)
    assert (done.status, done.body["success"], done.body["inventory"]["name"]) == (200, True, "north")
    assert await alice.look(taken) == done


@pytest.mark.parametrize(
    "body",
    [
        {"param": {"name": "north", "size": 9007199254740993}, "userTags": ["a", "b"]},
        {"params": {"name": "north", "size": "9007199254740993", "userTags": ["a", "b"]}},
        {"name": "north", "size": 9007199254740993, "userTags": ["a", "b"], "unknown": {"x": 1}},
    ],
)
async def test_what_is_made_may_be_told_in_three_ways(alice: Client, body: Any) -> None:
    done = await alice.done("POST", DESKS, body)
    assert done.body["inventory"]["size"] == 9007199254740993
    assert done.body["inventory"]["userTags"] == ["a", "b"]


@pytest.mark.parametrize(
    ("beside", "within", "expected"),
    [
        (["a"], ["b", "a"], ["a", "b", "a"]),
        (None, ["b"], ["b"]),
        (["a"], None, ["a"]),
        ([], [], []),
        ("a", ["b"], ["b"]),
    ],
)
async def test_tags_that_stand_beside_and_within_are_put_on_together(
    alice: Client, beside: Any, within: Any, expected: list[str]
) -> None:
    done = await alice.done("POST", DESKS, {"params": {"name": "north", "userTags": within}, "userTags": beside})
    assert done.body["inventory"]["userTags"] == expected


async def test_a_shared_path_does_what_the_body_says(alice: Client) -> None:
    uuid = (await alice.done("POST", DESKS, {"params": {"name": "north"}})).body["inventory"]["uuid"]
    for target in (f"{DESKS}/{uuid}", f"{DESKS}/{uuid}/", f"{DESKS}/{uuid}/actions"):
        name = f"renamed-{len(target)}"
        done = await alice.done("PUT", target, {"updateDesk": {"name": name}})
        assert done.body["inventory"] == {"uuid": uuid, "name": name}
    assert (await alice.done("PUT", f"{DESKS}/{uuid}", {"clearDesk": {}})).status == 200
    for body in ({}, {"name": "bare"}, {"moveDesk": {}}):
        refused = await alice.ask("PUT", f"{DESKS}/{uuid}", body)
        assert refused.status == 400
        assert details(refused) == "the body doesn't contain action mapping; this path has: updateDesk, clearDesk"


async def test_what_stands_in_the_path_is_what_is_meant(alice: Client) -> None:
    uuid = (await alice.done("POST", DESKS, {"params": {"name": "north"}})).body["inventory"]["uuid"]
    done = await alice.done("PUT", f"{DESKS}/{uuid}", {"updateDesk": {"uuid": uuid4().hex, "name": "south"}})
    assert done.body["inventory"] == {"uuid": uuid, "name": "south"}


@pytest.mark.parametrize("way", ["repeated", "numbered", "body", "wrapped"])
async def test_what_is_deleted_may_be_told_in_four_ways(here: Place, alice: Client, way: str) -> None:
    uuids = [
        (await alice.done("POST", DESKS, {"params": {"name": name}})).body["inventory"]["uuid"]
        for name in ("north", "south", "west", "east", *(f"other {number}" for number in range(8)))
    ]
    repeated = "&".join(f"uuids={uuid}" for uuid in uuids)
    numbered = "&".join(f"uuids.{place}={uuids[place]}" for place in reversed(range(len(uuids))))
    query = {"repeated": f"?{repeated}", "numbered": f"?{numbered}"}.get(way, "?deleteMode=Enforcing")
    body = {"body": {"uuids": uuids}, "wrapped": {"param": {"uuids": uuids}}}.get(way)
    done = await alice.done("DELETE", DESKS + query, body)
    assert done.body == {"success": True, "results": [{"uuid": uuid, "success": True} for uuid in uuids]}
    assert made_desks(here, alice.caller) == []


async def test_what_only_looks_is_answered_at_once(alice: Client) -> None:
    told = await alice.ask("GET", f"{DESKS}/names?uuids=a&uuids=b,c&uuids.5=d", None, {"x-job-uuid": "short"})
    assert told == Told(status=200, body={"success": True, "names": ["a", "b,c", "d"]})


async def test_what_is_wrong_with_a_value_is_told_by_the_job(here: Place, alice: Client) -> None:
    for body, said in (
        ({"params": {}}, "field[name] of message[APICreateDeskMsg] is mandatory, can not be null"),
        ({"params": {"name": ""}}, "field[name] of message[APICreateDeskMsg] cannot be an empty string"),
        ({"params": {"name": ["x"]}}, "name must be of type string."),
        ({"params": {"name": "x" * 1000}}, "The value of name is not valid"),
    ):
        failed = await alice.done("POST", DESKS, body)
        assert failed.status == 503
        assert failed.body["error"]["code"] == "SYS.1007"
        assert details(failed).startswith(said)
    assert made_desks(here, alice.caller) == []


async def test_what_cannot_be_read_is_refused_outright(here: Place, alice: Client) -> None:
    for body in (
        {"params": {"name": "north", "size": "large"}},
        {"params": {"name": "north", "isShared": "perhaps"}},
        {"params": {"size": "large"}},
        {"params": {"name": "x" * 1000, "isShared": 7}},
        {"params": {"name": ["x"], "size": 1.5}},
        {"createDesk": {"name": "north"}},
        {"createDesk": {"name": "north"}, "userTags": ["a"]},
        {"params": ["north"]},
        ["north"],
        b"{",
        b"[" * 5000,
    ):
        refused = await alice.ask("POST", DESKS, body)
        assert refused.status == 400
        assert refused.body["error"]["code"] == "SYS.1007"
    for headers in ({"x-job-uuid": "1" * 31}, {"x-job-uuid": "g" * 32}, {"x-api-timeout": "soon"}):
        refused = await alice.ask("POST", DESKS, {"params": {"name": "north"}}, headers)
        assert refused.status == 400
        assert next(iter(headers)) in details(refused).lower()
    assert made_desks(here, alice.caller) == []


async def test_a_failure_is_told_by_the_job_as_it_would_be_at_once(alice: Client) -> None:
    missing = uuid4().hex
    failed = await alice.done("PUT", f"{DESKS}/{missing}", {"updateDesk": {"name": "x1234"}})
    assert failed.status == 503
    assert failed.body["error"]["code"] == "SYS.1003"
    _, reply = await alice.call("UpdateDesk", {"uuid": missing, "name": "x1234"})
    assert reply == {"org.zstack.desk.APIUpdateDeskEvent": failed.body}


async def test_a_job_that_fails_leaves_nothing_of_what_it_did(here: Place, alice: Client) -> None:
    uuid = (await alice.done("POST", DESKS, {"params": {"name": "north"}})).body["inventory"]["uuid"]
    failed = await alice.done("DELETE", f"{DESKS}?uuids={uuid}&uuids={uuid4().hex}")
    assert failed.status == 503
    assert made_desks(here, alice.caller) == ["north"]


async def test_a_client_may_choose_the_uuid_of_a_job_once(here: Place, alice: Client) -> None:
    chosen = uuid4().hex
    headers = {"x-job-uuid": chosen}
    taken = await alice.ask("POST", DESKS, {"params": {"name": "north"}}, headers)
    assert taken.body["location"].endswith(f"/{chosen}")
    for body in ({"params": {"name": "south"}}, {"params": {}}):
        again = await alice.ask("POST", DESKS, body, headers)
        assert again.status == 400
        assert details(again) == f"Duplicate job uuid[{chosen}]"
    assert made_desks(here, alice.caller) == ["north"]


async def test_of_many_calls_with_one_uuid_one_is_taken(here: Place, alice: Client) -> None:
    headers = {"x-job-uuid": uuid4().hex}
    asked = [alice.ask("POST", DESKS, {"params": {"name": f"desk {number}"}}, headers) for number in range(8)]
    statuses = sorted([told.status for told in await asyncio.gather(*asked)])
    assert statuses == [202, *[400] * 7]
    assert len(made_desks(here, alice.caller)) == 1


async def test_a_job_is_forgotten_some_time_after_its_end(here: Place, alice: Client) -> None:
    assert isinstance(here.clock, ManualClock)
    done = await alice.ask("POST", DESKS, {"params": {"name": "north"}})
    failed = await alice.ask("POST", DESKS, {"params": {}})
    going = await alice.ask("POST", f"{DESKS}/fetched", {"params": {"name": "south"}})
    here.clock.move(timedelta(hours=3) - timedelta(microseconds=1))
    assert [(await alice.look(told)).status for told in (done, failed, going)] == [200, 503, 202]
    assert here.store.write_now(operations.purge) == 0
    here.clock.move(timedelta(microseconds=1))
    statuses = [(await alice.look(told)).status for told in (done, failed, going)]
    assert statuses == [404, 404, 202]
    assert here.store.write_now(operations.purge) == 2
    assert here.store.write_now(operations.purge) == 0
    assert (await alice.look(going)).status == 202


async def test_what_was_not_to_be_forgotten_stays(here: Place) -> None:
    assert isinstance(here.clock, ManualClock)
    kept = here.store.write_now(operations.start, here.admin, "notebook.start", target=7)
    here.store.write_now(operations.finish, kept.id)
    here.clock.move(timedelta(days=3650))
    assert here.store.write_now(operations.purge) == 0
    assert here.store.read_now(operations.get, here.admin, kept.id).expires_at is None


async def test_a_job_that_goes_on_is_answered_when_somebody_has_ended_it(here: Place, alice: Client) -> None:
    taken = await alice.ask("POST", f"{DESKS}/fetched", {"params": {"name": "north"}})
    assert await alice.look(taken) == Told(status=202, body={})
    job = here.store.read_now(operations.find, _job(taken))
    assert job is not None
    assert [each.id for each in here.store.read_now(operations.unfinished, job.target or 0)] == [job.id]
    here.store.write_now(operations.finish, job.id)
    done = await alice.look(taken)
    assert (done.status, done.body["inventory"]["name"]) == (200, "north")
    gone = done.body["inventory"]["uuid"]
    assert (await alice.done("DELETE", f"{DESKS}/{gone}")).body == {"success": True}
    missing = await alice.look(taken)
    assert (missing.status, missing.body["error"]["code"]) == (503, "SYS.1003")


async def test_a_job_that_somebody_ends_as_failed_has_the_reason(here: Place, alice: Client) -> None:
    taken = await alice.ask("POST", f"{DESKS}/fetched", {"params": {"name": "north"}})
    job = here.store.read_now(operations.find, _job(taken))
    assert job is not None
    reason = Reason(code="node.no_capacity", details={"kind": "gpu", "count": "2"})
    here.store.write_now(operations.finish, job.id, failure=reason)
    failed = await alice.look(taken)
    assert (failed.status, failed.body["error"]["code"]) == (503, "SYS.1006")
    assert "gpu" in details(failed)


async def test_a_job_that_takes_longer_than_it_was_given_has_failed_for_good(here: Place, alice: Client) -> None:
    assert isinstance(here.clock, ManualClock)
    hurried, other = [
        await alice.ask("POST", f"{DESKS}/fetched", {"params": {"name": name}}, headers)
        for name, headers in (("north", {"x-api-timeout": "60"}), ("south", {}))
    ]
    assert (hurried.body["apiTimeout"], other.body["apiTimeout"]) == (60_000, 1_800_000)
    here.clock.move(timedelta(seconds=60))
    assert (await alice.look(hurried)).status == 202
    here.clock.move(timedelta(microseconds=1))
    late = await alice.look(hurried)
    assert (late.status, late.body["error"]["code"]) == (503, "SYS.1001")
    assert "X-API-Timeout" in details(late)
    here.clock.move(timedelta(hours=1))
    for taken in (hurried, other):
        job = here.store.read_now(operations.find, _job(taken))
        assert job is not None
        here.store.write_now(operations.finish, job.id)
    assert await alice.look(hurried) == late
    assert (await alice.look(other)).status == 200


async def test_a_job_that_ends_in_time_is_not_late_afterwards(here: Place, alice: Client) -> None:
    assert isinstance(here.clock, ManualClock)
    taken = await alice.ask("POST", DESKS, {"params": {"name": "north"}}, {"x-api-timeout": "1"})
    here.clock.move(timedelta(minutes=5))
    assert (await alice.look(taken)).status == 200


async def test_a_job_is_looked_at_from_any_server_and_through_either_door(here: Place, alice: Client) -> None:
    taken = await alice.ask("POST", DESKS, {"params": {"name": "north"}})
    another = Client(here, here.user("bob"))
    assert await another.look(taken) == await alice.look(taken)
    wrapped = await another.ask("GET", f"/zstack/api/result/{_job(taken).hex}")
    assert wrapped.body["state"] == "Done"
    event = opened(wrapped.body)["org.zstack.ai.message.APICreateDeskEvent"]
    assert event["apiId"] == _job(taken).hex
    assert event["inventory"]["name"] == "north"


async def test_a_message_is_answered_under_the_package_that_it_came_with(here: Place, alice: Client) -> None:
    wrapped, reply = await alice.call("CreateDesk", {"name": "north", "userTags": ["a"]}, package="x.y.")
    assert wrapped["state"] == "Done"
    assert "error" not in wrapped
    assert reply["x.y.APICreateDeskEvent"]["inventory"]["userTags"] == ["a"]
    going, nothing = await alice.call("FetchDesk", {"name": "south"}, package="x.z.")
    assert (going["state"], nothing) == ("Processing", None)
    job = here.store.read_now(operations.find, UUID(going["uuid"]))
    assert job is not None
    here.store.write_now(operations.finish, job.id)
    later = await alice.ask("GET", f"/zstack/api/result/{going['uuid']}")
    assert opened(later.body)["x.z.APIFetchDeskEvent"]["inventory"]["name"] == "south"


async def test_a_message_that_cannot_be_carried_out_says_so_within(alice: Client) -> None:
    for name, message, code in (
        ("CreateDesk", {}, "SYS.1007"),
        ("CreateDesk", {"name": "north", "size": "large"}, "SYS.1007"),
        ("DeleteDesk", {"uuid": uuid4().hex}, "SYS.1003"),
        ("CreateDesk", {"name": "north", "session": {"uuid": uuid4().hex}}, "ID.1001"),
        ("CreateDesk", {"name": "north", "session": None}, "ID.1001"),
    ):
        wrapped, reply = await alice.call(name, message)
        assert wrapped["state"] == "Done"
        (told,) = reply.values()
        assert (told["success"], told["error"]["code"]) == (False, code)


async def test_what_is_kept_of_a_job_has_an_end_that_the_operator_chose(here: Place) -> None:
    assert isinstance(here.clock, ManualClock)
    brief = Client(here, here.user("alice"), ZStackSettings(job_retention=timedelta(seconds=1)))
    taken = await brief.ask("POST", DESKS, {"params": {"name": "north"}})
    here.clock.move(timedelta(seconds=1))
    assert (await brief.look(taken)).status == 404


def _job(taken: Told) -> UUID:
    return UUID(taken.body["location"].rpartition("/")[2])


async def test_a_job_and_its_session_outlive_the_process_that_took_it(database_url: str) -> None:
    with place(database_url) as first:
        alice = Client(first, first.user("alice"))
        taken = await alice.ask("POST", DESKS, {"params": {"name": "north"}})
        going = await alice.ask("POST", f"{DESKS}/fetched", {"params": {"name": "south"}})
        done = await alice.look(taken)
    store = Store.open(database_url, first.clock, "test")
    try:
        later = Client(replace(first, store=store), alice.caller)
        later.session = alice.session
        assert await later.look(taken) == done
        assert (await later.look(going)).status == 202
        assert made_desks(later.here, alice.caller) == ["north", "south"]
        assert (await later.ask("GET", "/zstack/v1/accounts")).status == 200
    finally:
        store.close()
