"""ZStack's own server for assistants, unmodified: its client class, and its tools over standard input and output."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import TextContent
from zstack_mcp.zstack_client import ZStackApiError, ZStackClient

from tests.flows.zstack import PASSWORD, Door, put_model, zstack
from trivium.dialects import coverage
from trivium.dialects.zstack import INVENTORIES
from trivium.dialects.zstack.inventories import TAG_NAMES, Kind

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

PACKAGE = "org.zstack.ai.message."
TAGS = set(TAG_NAMES)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Door]]:
    """A server with one model's files, and its administrator."""
    data = tmp_path_factory.mktemp("site") / "data"
    put_model(data / "models" / "llama")
    with zstack(data) as (_, door):
        yield data, door


@pytest.fixture
def center(place: tuple[Path, Door]) -> str:
    """The uuid of the centre of models that the server made when it first started; it made one of datasets, too."""
    (models,) = place[1].query("/ai/model-centers?q=name=models")
    return models["uuid"]


def catalogue() -> dict[str, Any]:
    """The APIs that the package knows."""
    told = resources.files("zstack_mcp").joinpath("data/api_docs.json").read_text("utf-8")
    return json.loads(told)


def message(name: str) -> str:
    return f"{PACKAGE}API{name}Msg"


async def test_its_client_logs_in_queries_and_carries_a_model_through_its_life(
    place: tuple[Path, Door], center: str
) -> None:
    client = ZStackClient(api_url=place[1].url, account="admin", password=PASSWORD)
    client.JOB_POLL_INTERVAL = 0.1
    asked = {"name": "of-the-client", "installPath": "llama", "modelCenterUuid": center, "recommendedGpuNum": "1,2"}
    made = (await client.execute("AddModel", message("AddModel"), asked, is_async=True))["inventory"]
    assert (made["architectureType"], made["recommendedGpuNum"]) == ("LlamaForCausalLM", [1, 2])
    named = {"conditions": [{"name": "name", "op": "=", "value": "OF-THE-CLIENT"}], "replyWithCount": True}
    found = await client.execute("QueryModel", message("QueryModel"), named)
    assert (found["total"], found["inventories"][0]["uuid"]) == (1, made["uuid"])
    change = {"uuid": made["uuid"], "vendor": "Meta"}
    changed = await client.execute("UpdateModel", message("UpdateModel"), change, is_async=True)
    assert changed["inventory"]["vendor"] == "Meta"
    await client.execute("DeleteModel", message("DeleteModel"), {"uuid": made["uuid"]}, is_async=True)
    assert (await client.execute("QueryModel", message("QueryModel"), named))["inventories"] == []
    with pytest.raises(ZStackApiError, match=r"field\[installPath\] of message\[APIAddModelMsg\] is mandatory"):
        await client.execute("AddModel", message("AddModel"), {"name": "x", "modelCenterUuid": center}, is_async=True)
    await client.logout()


async def test_its_client_logs_in_again_when_its_session_is_lost(place: tuple[Path, Door]) -> None:
    client = ZStackClient(api_url=place[1].url, account="admin", password=PASSWORD)
    first = (await client.login()).uuid
    assert place[1].ask("DELETE", f"/accounts/sessions/{first}").status_code == 200
    await client.execute("QueryModel", message("QueryModel"), {"conditions": []})
    assert client.session is not None
    assert client.session.uuid != first
    await client.logout()
    lost = ZStackClient(api_url=place[1].url, session_id=first)
    with pytest.raises(ZStackApiError) as refused:
        await lost.execute("QueryModel", message("QueryModel"), {"conditions": []})
    assert refused.value.code == "ID.1001"
    await lost.close()


SERVED = sorted({one.name for one in coverage.load("zstack").served if one.name.startswith("Query")})
BY_NAME = {f"Query{inventory.name}": inventory for inventory in INVENTORIES}


@pytest.mark.parametrize("name", SERVED)
async def test_every_field_that_it_knows_can_be_shown_and_asked_for(place: tuple[Path, Door], name: str) -> None:
    told = catalogue()[name]
    known = set(told["primitive_fields"])
    client = ZStackClient(api_url=place[1].url, account="admin", password=PASSWORD)
    await client.execute(name, told["apiName"], {"conditions": [], "fields": sorted(known - TAGS)})
    objects = {member.name for member in BY_NAME[name].members.values() if member.kind is Kind.OBJECTS}
    for field in sorted(known - objects):
        condition = {"name": field, "op": "is null", "value": ""}
        await client.execute(name, told["apiName"], {"conditions": [condition]})
    await client.logout()


@asynccontextmanager
async def tools(url: str) -> AsyncIterator[ClientSession]:
    """The package's server, started as an assistant starts it, with leave to change things."""
    environment = {"ZSTACK_API_URL": url, "ZSTACK_ACCOUNT": "admin", "ZSTACK_PASSWORD": PASSWORD}
    command = str(Path(sys.executable).with_name("zstack-mcp-server"))
    started = StdioServerParameters(command=command, env={**environment, "ZSTACK_ALLOW_ALL_API": "true"})
    async with stdio_client(started) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


async def use(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool says."""
    answer = await session.call_tool(tool, arguments)
    (content,) = answer.content
    assert isinstance(content, TextContent)
    return json.loads(content.text)


async def test_its_tools_search_describe_and_execute(place: tuple[Path, Door], center: str) -> None:
    async with tools(place[1].url) as session:
        found = await use(session, "search_api", keywords=["Query", "Model"])
        assert "QueryModel" in [api["name"] for api in found["apis"]]
        described = await use(session, "describe_api", api_name="QueryModel")
        assert described["success"]
        asked = {"name": "of-the-tools", "installPath": "llama", "modelCenterUuid": center}
        made = await use(session, "execute_api", api_name="AddModel", parameters=asked)
        assert made["success"], made
        uuid = made["result"]["inventory"]["uuid"]
        like = {"conditions": [{"name": "name", "op": "like", "value": "of-the-t%"}], "fields": ["uuid"]}
        listed = await use(session, "execute_api", api_name="QueryModel", parameters=like)
        assert (listed["totalCount"], listed["result"]["inventories"]) == (1, [{"uuid": uuid}])
        change = {"uuid": uuid, "description": "changed"}
        changed = await use(session, "execute_api", api_name="UpdateModel", parameters=change)
        assert changed["result"]["inventory"]["description"] == "changed"
        counted = await use(session, "execute_api", api_name="ZQLQuery", parameters={"zql": "count model"})
        assert counted["result"]["results"] == [{"total": 1}]
        gone = await use(session, "execute_api", api_name="DeleteModel", parameters={"uuid": uuid})
        assert gone["success"]
        refused = await use(
            session,
            "execute_api",
            api_name="QueryModel",
            parameters={"conditions": [{"name": "nonsense", "op": "=", "value": "1"}]},
        )
        assert (refused["success"], refused["code"]) == (False, "SYS.1000")
        assert "nonsense" in refused["error"]
