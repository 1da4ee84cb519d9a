"""Every wire case of SCNet, in process and through a socket; and every operation has the cases that it must have."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.listening import Listener, listening
from tests.wire import cases
from tests.wire.scnet.stage import Stage, given, images_of, in_process, request_of, through_a_socket
from tests.worlds import world
from trivium.dialects import coverage
from trivium.dialects.scnet import ScnetDialect, ScnetSettings

HERE: Final = Path(__file__).parent
CASES: Final = cases.load(HERE)
KINDS: Final = ("good", "missing", "type", "state", "not-found", "other-project", "no-token", "frozen")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A database of each kind; None: the site's own SQLite."""
    if request.param == "sqlite":
        yield None
        return
    with request.getfixturevalue("postgres_cluster").migrated() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(database: str | None) -> AsyncIterator[Stage]:
    async with world(url=database) as made:
        dialect = ScnetDialect(made.core, ScnetSettings(body_limit=65536))
        yield Stage(made, dialect, await images_of(made))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener(stage: Stage) -> AsyncIterator[Listener]:
    async with listening(stage.dialect) as answering:
        yield answering


@pytest.mark.parametrize("name", CASES)
async def test_the_answer_is_the_one_that_the_case_tells(stage: Stage, listener: Listener, name: str) -> None:
    case = CASES[name]
    ways = [in_process(stage.dialect), through_a_socket(listener)]
    for together in [ways] if _changes_nothing(case) else [[way] for way in ways]:
        async with given(stage, case.get("given", [])) as names:
            names["base_url"] = listener.url
            request = request_of(cases.filled(case["request"], names), names, listener.url)
            for ask in together:
                status, content_type, body = await ask(request)
                assert (status, content_type) == (200, "application/json")
                expected = cases.filled(case["reply"], names)
                assert cases.differences(expected, body) == [], listener.logged()[-2:]


def _changes_nothing(case: dict[str, Any]) -> bool:
    """Whether the same may be asked twice of one prior state."""
    return case["request"]["method"] == "GET" or case["reply"]["code"] != "0"


def _operation_of(case: dict[str, Any]) -> tuple[str, str]:
    return case["request"]["method"], case["request"]["path"]


async def test_every_operation_has_its_cases() -> None:
    exempt = tomllib.loads((HERE / "exempt.toml").read_text("utf-8"))
    lacking = []
    for served in coverage.load("scnet").served:
        own = [name for name, case in CASES.items() if _operation_of(case) == (served.method, served.path)]
        excused = exempt.get(served.name, {})
        for kind in KINDS:
            has = any(f"-{kind}" in name for name in own)
            if has == (kind in excused):
                lacking.append(f"{served.name}: {'has and is excused from' if has else 'lacks'} {kind}")
    assert lacking == []
