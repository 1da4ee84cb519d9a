"""What is told of the dialect in `coverage.toml` is what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.huawei import sdk
from tests.worlds import site_in
from trivium.base.keyring import Keyring
from trivium.dialects import coverage
from trivium.dialects.coverage import State
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings
from trivium.dialects.operation import Operation


def operations() -> tuple[Operation, ...]:
    class Parts:
        keyring = Keyring(bytes(32))
        site = site_in(Path("/nowhere"))

    core: Any = Parts()
    return ModelArtsDialect(core, ModelArtsSettings()).operations


def test_every_operation_is_told_of_and_nothing_else_is() -> None:
    told = {(one.name, one.method, one.path, one.mark) for one in coverage.load("modelarts").served}
    assert {(one.name, one.method, one.path, one.mark) for one in operations()} == told


def test_no_two_operations_have_one_name_or_one_place() -> None:
    assert len({one.name for one in operations()}) == len(operations())
    assert len({(one.method, one.path) for one in operations()}) == len(operations())


def test_nothing_that_is_served_is_refused() -> None:
    known = coverage.load("modelarts")
    assert [one.path for one in operations() if known.refusal(one.method, one.path)] == []


def test_every_operation_of_huaweis_client_is_known() -> None:
    names = {line.split()[0] for line in coverage.load("modelarts").known}
    of_client = {
        "".join(word.capitalize() for word in name.removeprefix("_").removesuffix("_http_info").split("_"))
        for name in dir(sdk.ModelArtsClient)
        if name.endswith("_http_info")
    }
    assert len(of_client) == 297
    assert of_client - names == set()


def test_what_became_of_each_operation_is_told_once() -> None:
    told = coverage.load("modelarts").told()
    assert len({(one.name, one.method, one.path) for one in told}) == len(told)
    assert {one.state for one in told} == set(State)
    assert [one.name for one in told if one.state is State.REFUSED and not one.said] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/0f/dev-servers"),
        ("POST", "/v1/0f/dev-servers/1/attachvolume"),
        ("GET", "/v2/0f/pools/a/monitor"),
        ("GET", "/v1/auth-mode"),
    ],
)
def test_what_is_not_served_is_refused_with_a_reason(method: str, path: str) -> None:
    refusal = coverage.load("modelarts").refusal(method, path)
    assert refusal is not None
    assert refusal.en
    assert refusal.zh


@pytest.mark.parametrize("path", ["/v1/0f/nothing", "/v2/0f/pools", "/v1", "/v3/auth"])
def test_what_is_nowhere_is_not_told_of(path: str) -> None:
    assert coverage.load("modelarts").refusal("GET", path) is None
