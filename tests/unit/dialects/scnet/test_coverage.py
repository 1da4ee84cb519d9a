"""What is told of the dialect in `coverage.toml` is what it does."""

from __future__ import annotations

import pytest

from trivium.base.keyring import Keyring
from trivium.dialects import coverage
from trivium.dialects.operation import Operation
from trivium.dialects.scnet import centers, images, notebooks, resources, tokens, users
from trivium.dialects.scnet.auth import Tokens
from trivium.dialects.scnet.settings import ImageList, ScnetSettings

SETTINGS = ScnetSettings()


def operations(shape: ImageList = ImageList.OBJECT) -> tuple[Operation, ...]:
    made = Tokens(Keyring(bytes(32)), SETTINGS.token_lifetime)
    rooms = (
        centers.OPERATIONS,
        users.OPERATIONS,
        notebooks.operations(),
        images.operations(shape),
        resources.OPERATIONS,
    )
    return (*tokens.operations(made, SETTINGS.replay_window), *(one for room in rooms for one in room))


@pytest.mark.parametrize("shape", ImageList)
def test_every_operation_is_told_of_and_nothing_else_is(shape: ImageList) -> None:
    told = {(one.name, one.method, one.path, one.mark) for one in coverage.load("scnet").served}
    assert {(one.name, one.method, one.path, one.mark) for one in operations(shape)} == told


def test_no_two_operations_have_one_name_or_one_place() -> None:
    assert len({one.name for one in operations()}) == len(operations())
    assert len({(one.method, one.path) for one in operations()}) == len(operations())


def test_nothing_that_is_served_is_refused() -> None:
    known = coverage.load("scnet")
    assert [one.path for one in operations() if known.refusal(one.method, one.path)] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ac/openapi/v2/tokens"),
        ("GET", "/ac/openapi/v2/groupmembers"),
        ("GET", "/ac/openapi/v2/clusters/1/groups/2/clusterUserNames/me/jobs"),
        ("POST", "/ai/openapi/v2/instance-service/task/actions/stop"),
        ("DELETE", "/hpc/openapi/v2/jobs"),
        ("GET", "/efile/openapi/v2/file/list"),
        ("POST", "/api/llm/v1/chat/completions"),
    ],
)
def test_what_is_not_served_is_refused_with_a_reason(method: str, path: str) -> None:
    refusal = coverage.load("scnet").refusal(method, path)
    assert refusal is not None
    assert refusal.zh
    assert refusal.en


@pytest.mark.parametrize("path", ["/ai/openapi/v2/nothing", "/ac/openapi/v2/tokens/other", "/api/other", "/hpc"])
def test_what_is_nowhere_is_not_told_of(path: str) -> None:
    assert coverage.load("scnet").refusal("GET", path) is None
