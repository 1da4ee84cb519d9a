"""Every wire case of ModelArts, in process and through a socket; and every operation has those that it must have."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.listening import Listener
from tests.wire import cases
from tests.wire.modelarts import seed
from tests.wire.modelarts.stage import Stage, given, in_process, request_of, through_a_socket
from trivium.dialects import coverage
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
    with request.getfixturevalue("postgres_cluster").migrated() as url:
        yield url


@pytest.mark.parametrize("name", CASES)
async def test_the_answer_is_the_one_that_the_case_tells(stage: Stage, listener: Listener, name: str) -> None:
    case = CASES[name]
    operation = operation_of(case)
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
                if operation and operation.name in seed.CALLS and status == 200:
                    assert list(seed.faults(operation.name, body)) == []
                for header, kind in reply.get("headers", {}).items():
                    assert cases.differences(kind, headers[header]) == []


def _changes_nothing(case: dict[str, Any]) -> bool:
    """Whether the same may be asked twice of one prior state."""
    return case["request"]["method"] == "GET" or case["reply"]["status"] >= 400


def _is_of(case: dict[str, Any], served: coverage.Served) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(served.path))
    told = re.sub(r"\{[^}/]+\}", "x", case["request"]["path"])
    return case["request"]["method"] == served.method and re.fullmatch(pattern, told) is not None


def operation_of(case: dict[str, Any]) -> coverage.Served | None:
    """What a case asks; None where nothing stands at its path. A literal path goes before one with a {name}."""
    every = coverage.load("modelarts").served
    literal = [one for one in every if _ends(case, one.path) and one.method == case["request"]["method"]]
    return next(iter(literal or [one for one in every if _is_of(case, one)]), None)


async def test_every_field_that_the_seed_documents_is_in_some_case() -> None:
    found: set[str] = set()
    for name, case in CASES.items():
        operation = operation_of(case)
        if "-good" in name and operation and operation.name in seed.CALLS:
            found |= set(seed.present(operation.name, case["reply"]["body"]))
    assert seed.fields() - found == set(seed.NEVER)


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
