"""Every wire case of ZStack, in process and through a socket; and every API has those that it must have."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from msgspec import structs

from tests.listening import Listener
from tests.wire import cases
from tests.wire.zstack.stage import Stage, given, in_process, request_of, through_a_socket
from trivium.dialects import coverage
from trivium.dialects.operation import Request
from trivium.server.http.routes import Routes

HERE: Final = Path(__file__).parent
CASES: Final = cases.load(HERE)
KINDS: Final = ("good", "not-found", "forbidden", "no-credentials", "bad-input")
TIME: Final = re.compile(r"[A-Z][a-z]{2} [1-9]\d?, 20\d\d (1[0-2]|[1-9]):[0-5]\d:[0-5]\d [AP]M")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A database of each kind; None: the site's own SQLite."""
    if request.param == "sqlite":
        yield None
        return
    with request.getfixturevalue("postgres_cluster").migrated() as url:
        yield url


@pytest.mark.parametrize("name", CASES)
async def test_the_answer_is_the_one_that_the_case_tells(stage: Stage, listener: Listener, name: str) -> None:
    case = CASES[name]
    routes = Routes((stage.speaker,))
    for ask in (in_process(stage.speaker, routes), through_a_socket(listener)):
        async with given(stage, case.get("given", [])) as names:
            names["base_url"] = listener.url
            request = request_of(cases.filled(case["request"], names), names, listener.url, routes)
            reply = cases.filled(case["reply"], names)
            status, body = await ask(request)
            assert status == reply["status"], (body, listener.logged()[-2:])
            assert cases.differences(reply["body"], opened(body)) == [], listener.logged()[-2:]
            if "job" in case:
                stage.go_on(case.get("then"))
                status, body = await ask(look_at(body["location"], request, routes))
                told = cases.filled(case["job"], names)
                assert status == told["status"], (body, listener.logged()[-2:])
                assert cases.differences(told["body"], opened(body)) == [], listener.logged()[-2:]


def look_at(location: str, request: Request, routes: Routes) -> Request:
    """The request that asks what has come of a job, without a session."""
    path = urlsplit(location).path
    return structs.replace(
        request,
        method="GET",
        path=path,
        raw_path=path.encode(),
        query=b"",
        headers={"host": request.headers["host"]},
        body=b"",
        parameters=routes.find("GET", path, path.encode()).parameters,
    )


def opened(body: Any) -> Any:
    """The body with each time as `time` and what RPC's answers have as text as what the text says."""
    if isinstance(body, dict):
        return {
            key: opened(json.loads(value) if key == "result" and isinstance(value, str) else value)
            for key, value in body.items()
        }
    if isinstance(body, list):
        return [opened(value) for value in body]
    return "time" if isinstance(body, str) and TIME.fullmatch(body) else body


async def test_every_api_has_its_cases() -> None:
    exempt = tomllib.loads((HERE / "exempt.toml").read_text("utf-8"))
    served = coverage.load("zstack").served
    lacking = []
    for name in dict.fromkeys(one.name for one in served):
        places = [one for one in served if one.name == name]
        own = [told for told, case in CASES.items() if case.get("api") == name or _stands_at(case, places)]
        for kind in KINDS:
            has = any(f"-{kind}" in told for told in own)
            if has == (kind in exempt.get(name, {})):
                lacking.append(f"{name}: {'has and is excused from' if has else 'lacks'} {kind}")
    assert lacking == []


def _stands_at(case: dict[str, Any], places: list[coverage.Served]) -> bool:
    """Whether a case that names no API is for one of the places."""
    request = case["request"]
    if "api" in case:
        return False
    told = re.sub(r"\{[^}/]+\}", "x", request["path"]).rstrip("/")
    return any(
        request["method"] == one.method and re.fullmatch(re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(one.path)), told)
        for one in places
    )
