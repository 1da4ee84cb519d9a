"""What can be wrong with a query for models, case by case: the status, the code, and what the sentence names."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.listening import Listener
from tests.wire.zstack.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAD, FAILED = 400, 503
WRONG = [
    ("q=nothing", BAD, "SYS.1007", "operators are"),
    ("q=", BAD, "SYS.1007", "operators are"),
    ("q==x", BAD, "SYS.1007", "operators"),
    ("q=%20%20=x", BAD, "SYS.1007", "operators"),
    ("q=foo=1", FAILED, "SYS.1000", "class[ModelInventory] not having field[foo]"),
    ("q=create_date>1", FAILED, "SYS.1000", "class[ModelInventory] not having field[create_date]"),
    ("q=sample_size=1", FAILED, "SYS.1000", "class[ModelInventory] not having field[sample_size]"),
    ("q=name=%FF", BAD, "SYS.1007", "q is not UTF-8"),
    ("q=foo%20is%20null", FAILED, "SYS.1000", "field[foo]"),
    ("q=Name=1", FAILED, "SYS.1000", "field[Name]"),
    ("q=foo.name=1", FAILED, "SYS.1000", "foo"),
    ("q=modelCenter.foo=1", FAILED, "SYS.1000", "field[foo]"),
    ("q=modelCenter.vmNics.ip=1", FAILED, "SYS.1000", "vmNics"),
    ("q=modelCenter.model.modelCenter.model.modelCenter.model.modelCenter.name=1", FAILED, "SYS.1007", "modelCenter"),
    ("q=size=big", FAILED, "SYS.1007", "size"),
    ("q=size>1.5", FAILED, "SYS.1007", "size"),
    ("q=size?=1,x", FAILED, "SYS.1007", "size"),
    ("q=size=99999999999999999999", FAILED, "SYS.1007", "size"),
    ("q=isLatestVersion=maybe", FAILED, "SYS.1007", "isLatestVersion"),
    ("q=isLatestVersion~=t%25", FAILED, "SYS.1007", "isLatestVersion"),
    ("q=createDate>yesterday", FAILED, "SYS.1007", "createDate"),
    ("q=modelServiceRefs=1", FAILED, "SYS.1007", "modelServiceRefs.isDefault"),
    ("q=modelServiceRefs%20is%20null", FAILED, "SYS.1007", "modelServiceRefs.uuid"),
    ("q=modelCenter.capacity=1", FAILED, "SYS.1007", "modelCenter.capacity.modelUsedCapacity"),
    ("q=name=%00", FAILED, "SYS.1007", "q[0]"),
    ("fields=foo", FAILED, "SYS.1000", "field[foo]"),
    ("fields=modelCenter.name", FAILED, "SYS.1000", "modelCenter.name"),
    ("fields=name,__userTag__", FAILED, "SYS.1000", "__userTag__"),
    ("sort=--name", FAILED, "SYS.1000", "field[-name]"),
    ("sort=-", FAILED, "SYS.1000", "field[-]"),
    ("sort=foo", FAILED, "SYS.1000", "field[foo]"),
    ("sort=-modelCenter.name", FAILED, "SYS.1000", "modelCenter.name"),
    ("sort=modelServiceRefs", FAILED, "SYS.1007", "modelServiceRefs"),
    ("groupBy=foo", FAILED, "SYS.1000", "field[foo]"),
    ("groupBy=modelServiceRefs", FAILED, "SYS.1007", "modelServiceRefs"),
    ("limit=x", BAD, "SYS.1007", "'limit' must be an integer"),
    ("limit=-1", BAD, "SYS.1007", "'limit' must be an integer"),
    ("start=1.5", BAD, "SYS.1007", "'start' must be an integer"),
    ("filterName=x", FAILED, "SYS.1007", "filterName must be formatted as [filterType:condition(s)]"),
    ("filterName=a:b", FAILED, "SYS.1000", "a"),
]
RIGHT = [
    "q=name=",
    "q=name==x",
    "q=name=a!=b",
    "q=name~=%",
    "q=name~=100%25%",
    "q=%20name=x",
    "q=modelCenter.capacity.modelUsedCapacity>=0",
    "q=uuid=x",
    "q=uuid>x",
    "limit=0",
    "count=TRUE",
    "count=nonsense",
    "sort=+name",
    "sort=%2Bname",
    "sort=",
    "foo=bar",
    "fields=%20name%20,%20uuid",
    "filterName=",
]


@pytest.fixture(scope="module", autouse=True)
def nothing_scans() -> None:
    """What is asked here the cases ask, too, whose statements are explained."""


@pytest.fixture(scope="module")
def database() -> None:
    """The site's own SQLite."""


@pytest.fixture(scope="module")
def session(stage: Stage) -> str:
    """Somebody's session."""
    return stage.session_of(stage.person("alice").caller)


async def ask(listener: Listener, session: str, query: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"OAuth {session}"}
    answer = await listener.ask("GET", f"/zstack/v1/ai/models?{query}", headers)
    return answer.status, msgspec.json.decode(answer.body)


@pytest.mark.parametrize(("query", "status", "code", "named"), WRONG, ids=str)
async def test_what_is_wrong_is_told(
    listener: Listener, session: str, query: str, status: int, code: str, named: str
) -> None:
    answered, body = await ask(listener, session, query)
    error = body["error"]
    assert (answered, error["code"], body["success"]) == (status, code, False)
    assert named in error["details"]
    assert error["details"] in error["description"]


@pytest.mark.parametrize("query", RIGHT)
async def test_what_is_right_is_answered(listener: Listener, session: str, query: str) -> None:
    status, body = await ask(listener, session, query)
    assert (status, body.get("inventories", [])) == (200, [])


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"name": "name", "op": "?=", "value": "x"}, "?="),
        ({"name": "name", "op": "near", "value": "x"}, "near"),
        ({"name": "name", "op": "=", "value": None}, "name"),
        ({"name": "name", "op": "=", "value": {}}, "name"),
        ({"name": "", "op": "=", "value": "x"}, "operators"),
        ({"name": "size", "op": "=", "value": "x"}, "size"),
        ("nothing", "operators are"),
        (7, "conditions"),
    ],
    ids=str,
)
async def test_what_is_wrong_in_a_message_is_told(
    listener: Listener, session: str, condition: object, named: str
) -> None:
    message = {"session": {"uuid": session}, "conditions": [condition]}
    body = msgspec.json.encode({"org.zstack.ai.message.APIQueryModelMsg": message})
    answer = await listener.ask("POST", "/zstack/api", {}, body)
    (reply,) = json.loads(msgspec.json.decode(answer.body)["result"]).values()
    assert (answer.status, reply["success"], reply["error"]["code"]) == (200, False, "SYS.1007")
    assert named in reply["error"]["details"]
