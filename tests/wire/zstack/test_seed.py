"""The calls that the seed documents, and each field of its tables with its type, on what is really answered."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import update

from tests.listening import Listener
from tests.wire.zstack.stage import Stage
from tests.wire.zstack.things import put
from trivium.resources import models

TABLES: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(Path(__file__).with_name("seed.toml").read_text("utf-8"))
TIME: Final = re.compile(r"[A-Z][a-z]{2} [1-9]\d?, 20\d\d (1[0-2]|[1-9]):[0-5]\d:[0-5]\d [AP]M")
PLAIN: Final[Mapping[str, type]] = {
    "String": str,
    "Long": int,
    "Integer": int,
    "Boolean": bool,
    "boolean": bool,
    "LinkedHashMap": dict,
}
ALWAYS: Final = ("SAMPLE_SIZE", "extraGpuMemRequest", "isLatestVersion", "modelServiceRefs", "createDate", "lastOpDate")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", autouse=True)
def nothing_scans() -> None:
    """What is asked here the cases ask, too, whose statements are explained."""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A database of each kind; None: the site's own SQLite."""
    if request.param == "sqlite":
        yield None
        return
    with request.getfixturevalue("postgres_cluster").migrated() as url:
        yield url


async def curl(listener: Listener, session: str, target: str) -> tuple[int, Any]:
    """What the seed's curl gets from a target."""
    headers = {"Content-Type": "application/json;charset=UTF-8", "Authorization": f"OAuth {session}"}
    answer = await listener.ask("GET", target, headers, b"")
    return answer.status, msgspec.json.decode(answer.body)


async def test_the_seeds_calls_answer_with_each_field_of_its_table(stage: Stage, listener: Listener) -> None:
    caller = stage.person("alice").caller
    names: dict[str, Any] = {}
    store = stage.world.core.store
    for told in ({"center": "c"}, {"model": "m", "read": True}, {"service": "s"}, {"bound": "m", "to": "s"}):
        put(store, caller, told, names=names)
    _say_the_rest(stage, names["m.uuid"])
    session = stage.session_of(caller)
    for target in (f"?q={names['m.uuid']}", f"/{names['m.uuid']}"):
        status, body = await curl(listener, session, f"/zstack/v1/ai/models{target}")
        assert (status, list(faults("answer", body))) == (200, [])
        assert set(body) == {"success", "inventories"}
        (found,) = body["inventories"]
        assert set(found) == set(TABLES["Model"])
        assert set(found["modelServiceRefs"][0]) == set(TABLES["ModelServiceRef"])
        assert (found["SAMPLE_SIZE"], found["extraGpuMemRequest"]) == (1000, 2147483648)


async def test_what_is_always_there_is_there_of_a_model_of_which_nothing_is_known(
    stage: Stage, listener: Listener
) -> None:
    caller = stage.person("alice").caller
    names: dict[str, Any] = {}
    put(stage.world.core.store, caller, {"center": "c"}, names=names)
    put(stage.world.core.store, caller, {"model": "m"}, names=names)
    _, body = await curl(listener, stage.session_of(caller), f"/zstack/v1/ai/models/{names['m.uuid']}")
    (found,) = body["inventories"]
    assert [name for name in ALWAYS if name not in found] == []
    assert None not in found.values()
    assert found["modelServiceRefs"] == []


async def test_an_error_has_the_fields_of_the_table(stage: Stage, listener: Listener) -> None:
    status, body = await curl(listener, stage.session_of(stage.person("a").caller), "/zstack/v1/ai/models?q=foo=1")
    assert (status, body["success"], list(faults("answer", body))) == (503, False, [])
    told = {f"ErrorCode.{name}" for name in TABLES["ErrorCode"]}
    assert {f"ErrorCode.{name}" for name in body["error"]} == told - set(TABLES["never"])


def faults(table: str, answer: Any, at: str = "$") -> Iterator[str]:
    """Where an answer has a field of another type than its table says, or one that the table has not."""
    for name, value in answer.items():
        kind = TABLES[table].get(name)
        if kind is None:
            yield f"{at}.{name} is in no table"
        else:
            yield from _of_type(kind, value, f"{at}.{name}")


def _of_type(kind: str, value: Any, at: str) -> Iterator[str]:
    if kind.startswith("List["):
        for place, part in enumerate(value):
            yield from _of_type(kind[5:-1], part, f"{at}[{place}]")
    elif kind in TABLES:
        yield from faults(kind, value, at)
    elif kind == "Timestamp":
        if not TIME.fullmatch(value):
            yield f"{at}: {value!r} is no time"
    elif type(value) is not PLAIN[kind]:
        yield f"{at}: {value!r} is no {kind}"


def _say_the_rest(stage: Stage, uuid: str) -> None:
    """Give a model what its files did not say; no call sets the accelerator that it needs."""
    told = {name: name for name in ("description", "logo", "introduction", "gpu_constraint", "required_accelerator")}
    mine = models.models.c.uuid == UUID(hex=uuid)
    stage.world.core.store.write_now(lambda tx: tx.run(update(models.models).where(mine).values(told)))
