"""What is told of the dialect in `coverage.toml` is what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.worlds import site_in
from trivium.dialects import coverage
from trivium.dialects.coverage import State
from trivium.dialects.operation import Operation
from trivium.dialects.zstack import ZStackDialect, ZStackSettings
from trivium.dialects.zstack.rest import ACTIONS
from trivium.dialects.zstack.rpc import PATH
from trivium.server.http.routes import Found, Routes


def dialect() -> ZStackDialect:
    class Parts:
        site = site_in(Path("/nowhere"))

    core: Any = Parts()
    return ZStackDialect(core, ZStackSettings())


def beside() -> tuple[Operation, ...]:
    """The operations that are no API's: jobs, and RPC."""
    names = {api.name for api in dialect().apis}
    return tuple(one for one in dialect().operations if not names & set(one.name.split("/")))


def test_every_api_is_told_of_and_nothing_else_is() -> None:
    told = {(one.name, one.method, one.path, one.mark) for one in coverage.load("zstack").served}
    done = {(one.name, place.method, place.path, one.mark) for one in dialect().apis for place in one.places}
    done |= {(one.name, "POST", PATH, one.mark) for one in dialect().apis if not one.places}
    done |= {(one.name, one.method, one.path, one.mark) for one in beside()}
    assert done == told


def test_every_api_has_its_place_and_its_message() -> None:
    served = dialect()
    assert len({one.name for one in served.apis}) == len(served.apis)
    routes = Routes((served,))
    for api in served.apis:
        for place in api.places:
            path = place.path.replace("{", "").replace("}", "")
            found = routes.find(place.method, path, path.encode())
            assert isinstance(found, Found)
            assert api.name in found.operation.name.split("/")


def test_every_update_also_stands_where_the_go_client_asks() -> None:
    there = {(one.method, one.path) for one in dialect().operations}
    updates = [path for method, path in there if method == "PUT" and path.endswith("}")]
    assert [path for path in updates if ("PUT", path + ACTIONS) not in there] == []


def test_nothing_that_is_served_is_refused() -> None:
    known = coverage.load("zstack")
    assert [one.path for one in dialect().operations if known.refusal(one.method, one.path)] == []


def test_what_became_of_each_api_is_told() -> None:
    told = coverage.load("zstack").told()
    assert len({(one.name, one.method, one.path) for one in told}) == len(told)
    assert {one.state for one in told} == set(State)
    assert [one.name for one in told if one.state is State.REFUSED and not one.said] == []


def test_every_api_of_the_notes_is_known() -> None:
    names = {line.split()[0] for line in coverage.load("zstack").known}
    assert {api.name for api in dialect().apis} - names == set()
    assert {"QueryModel", "AddModel", "UpdateModel", "DeleteModel", "DeleteModels", "BindModelToService"} <= names


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/zstack/v1/maas/usage"), ("GET", "/zstack/v1/pci-device-specs/0")]
)
def test_what_is_not_served_is_refused_with_a_reason(method: str, path: str) -> None:
    refusal = coverage.load("zstack").refusal(method, path)
    assert refusal is not None
    assert refusal.en
    assert refusal.zh
