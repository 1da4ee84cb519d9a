"""Every wire case of ModelArts, in process and through a socket; and every operation has those that it must have."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.listening import Listener, listening
from tests.wire import cases
from tests.wire.modelarts.stage import Stage, given, in_process, request_of, through_a_socket
from tests.wire.scnet.stage import images_of
from tests.worlds import world
from trivium.dialects import coverage
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings
from trivium.server.http.routes import Routes

HERE: Final = Path(__file__).parent
CASES: Final = cases.load(HERE)
LITERAL: Final = re.compile(r"^/v[12]/\{project_id\}")
KINDS: Final = ("good", "not-found", "forbidden", "no-credentials", "bad-input")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A database of each kind; None: the site's own SQLite."""
    if request.param == "sqlite":
        yield None
        return
    with request.getfixturevalue("postgres_cluster").database() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(database: str | None) -> AsyncIterator[Stage]:
    async with world(url=database) as made:
        dialect = ModelArtsDialect(made.core, ModelArtsSettings(body_limit=65536))
        yield Stage(made, dialect, await images_of(made))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener(stage: Stage) -> AsyncIterator[Listener]:
    async with listening(stage.speaker) as answering:
        yield answering


@pytest.mark.parametrize("name", CASES)
async def test_the_answer_is_the_one_that_the_case_tells(stage: Stage, listener: Listener, name: str) -> None:
    case = CASES[name]
    routes = Routes((stage.speaker,))
    ways = [in_process(stage.speaker, routes), through_a_socket(listener)]
    for together in [ways] if _changes_nothing(case) else [[way] for way in ways]:
        async with given(stage, case.get("given", [])) as names:
            names["base_url"] = listener.url
            request = request_of(cases.filled(case["request"], names), names, listener.url, routes)
            reply = cases.filled(case["reply"], names)
            for ask in together:
                status, content_type, body, headers = await ask(request)
                assert status == reply["status"], (body, listener.logged()[-2:])
                assert content_type == ("application/json" if status != 204 else "")
                assert cases.differences(reply.get("body"), body) == [], listener.logged()[-2:]
                for header, kind in reply.get("headers", {}).items():
                    assert cases.differences(kind, headers[header]) == []


def _changes_nothing(case: dict[str, Any]) -> bool:
    """Whether the same may be asked twice of one prior state."""
    return case["request"]["method"] == "GET" or case["reply"]["status"] >= 400


def _is_of(case: dict[str, Any], served: coverage.Served) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(served.path))
    told = re.sub(r"\{[^}/]+\}", "x", case["request"]["path"])
    return case["request"]["method"] == served.method and re.fullmatch(pattern, told) is not None


async def test_every_operation_has_its_cases() -> None:
    exempt = tomllib.loads((HERE / "exempt.toml").read_text("utf-8"))
    lacking = []
    every = coverage.load("modelarts").served
    for served in every:
        others = {one.path for one in every if "{" not in LITERAL.sub("", one.path)} - {served.path}
        own = [
            name
            for name, case in CASES.items()
            if _is_of(case, served) and not any(_ends(case, other) for other in others)
        ]
        excused = exempt.get(served.name, {})
        for kind in KINDS:
            has = any(f"-{kind}" in name for name in own)
            if has == (kind in excused):
                lacking.append(f"{served.name}: {'has and is excused from' if has else 'lacks'} {kind}")
    assert lacking == []


def _ends(case: dict[str, Any], path: str) -> bool:
    """Whether the case is for a literal path that a {name} would fit, too."""
    return re.sub(r"^/(v[12])/[^/]+", r"/\1/{project_id}", case["request"]["path"]) == path
