"""Whatever is sent to ZStack's doors is answered in ZStack's form, and never by a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.builders import Place, place
from tests.desks import Client, Told
from trivium.dialects.zstack import conditions
from trivium.dialects.zstack.accounts import ACCOUNT

KNOWN: Final = some.sampled_from(
    [
        *ACCOUNT.members,
        *conditions.SYMBOLS,
        *conditions.WORDS,
        "",
        "a",
        "1",
        "true",
        "admin",
        "%",
        "_",
        "\\",
        ",",
        "x.y",
    ]
)
PARAMETERS: Final = (
    *("q", "limit", "start", "count", "groupBy", "replyWithCount", "filterName", "sort", "sortBy", "sortDirection"),
    *("fields", "uuids", "uuids.0", "x"),
)
TEXT: Final = some.one_of(KNOWN, some.text(max_size=20), some.builds("".join, some.lists(KNOWN, max_size=5)))
PAIR: Final = some.builds(
    lambda name, value, is_raw: f"{name}={value if is_raw else quote(value)}",
    some.sampled_from(PARAMETERS),
    TEXT.map(lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1")),
    some.booleans(),
)
QUERY: Final = some.one_of(
    some.lists(PAIR, max_size=6).map("&".join),
    some.binary(max_size=60).map(lambda raw: quote_from_bytes(raw, safe="&=+?,.~!<>|\\^%")),
    some.text("q=&%+,.~!?<> abf01", max_size=40),
)
JSON: Final = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | TEXT,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
CALLS: Final = ("CreateDesk", "UpdateDesk", "DeleteDesks", "FetchDesk", "GetDeskNames", "QueryAccount", "LogOut")
MEMBERS: Final = ("name", "uuid", "uuids", "size", "isShared", "userTags", "sessionUuid", *PARAMETERS, "conditions")
PLACES: Final = (
    ("POST", "/zstack/v1/desks"),
    ("PUT", "/zstack/v1/desks/0123456789abcdef0123456789abcdef"),
    ("DELETE", "/zstack/v1/desks"),
    ("GET", "/zstack/v1/desks/names"),
    ("PUT", "/zstack/v1/login"),
    ("PUT", "/zstack/v1/accounts/users/login"),
)
PLENTY: Final = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def here(migrated_sqlite: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    path = tmp_path_factory.mktemp("anything") / "trivium.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    with place(f"sqlite:///{path}") as made:
        yield made


@pytest.fixture
def alice(here: Place) -> Client:
    return Client(here, here.admin)


def judged(told: Told) -> None:
    assert told.status in (200, 202, 400, 404, 405, 503), told
    if told.status != 202:
        assert told.body["success"] is (told.status == 200), told
        assert ("error" in told.body) is (told.status != 200), told


@PLENTY
@given(query=QUERY)
async def test_any_query_is_answered(alice: Client, query: str) -> None:
    raw = "".join(character if 0x20 < ord(character) < 0x7F else quote(character) for character in query)
    judged(await alice.ask("GET", f"/zstack/v1/accounts?{raw.replace('#', '%23')}"))


@PLENTY
@given(
    place=some.sampled_from(PLACES), query=QUERY, body=JSON, key=some.sampled_from(["params", "updateDesk", "logIn"])
)
async def test_any_body_is_answered(alice: Client, place: tuple[str, str], query: str, body: Any, key: str) -> None:
    method, path = place
    raw = "".join(character if 0x20 < ord(character) < 0x7F else quote(character) for character in query)
    for given_body in (body, {key: body}):
        sent = json.dumps(given_body, allow_nan=True).encode("utf-8", "surrogatepass")
        judged(await alice.ask(method, f"{path}?{raw.replace('#', '%23')}", sent))


@PLENTY
@given(
    name=some.one_of(some.sampled_from([f"a.b.API{call}Msg" for call in CALLS]), TEXT),
    message=some.one_of(some.dictionaries(some.sampled_from(MEMBERS), JSON, max_size=6), JSON),
)
async def test_any_message_is_answered_with_200(alice: Client, name: str, message: Any) -> None:
    if isinstance(message, dict):
        message = {"session": {"uuid": alice.session}, **message}
    sent = json.dumps({name: message}).encode("utf-8", "surrogatepass")
    told = await alice.ask("POST", "/zstack/api", sent)
    assert told.status == 200
    assert told.body["state"] in ("Done", "Processing")
    assert "error" not in told.body
    if told.body["state"] == "Done":
        (reply,) = json.loads(told.body["result"]).values()
        assert reply["success"] is ("error" not in reply)


@PLENTY
@given(raw=some.binary(max_size=80))
async def test_any_bytes_are_answered(alice: Client, raw: bytes) -> None:
    assert (await alice.ask("POST", "/zstack/api/", raw)).status == 200
    judged(await alice.ask("POST", "/zstack/v1/desks", raw))
