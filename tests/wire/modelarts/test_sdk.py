"""Good cases once more, asked by Huawei's own client: each field that it knows is there with the type it knows."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final
from urllib.parse import parse_qsl

import pytest

from tests.huawei import Sdk, sdk
from tests.listening import Listener
from tests.wire import cases
from tests.wire.modelarts.stage import Stage, given
from tests.wire.modelarts.test_cases import CASES, operation_of
from trivium.dialects import coverage

pytestmark = pytest.mark.asyncio(loop_scope="module")


AGAIN: Final = re.compile(r"-(?!0+$)\d+$")
"""Cases of a series, of which the first is enough: another filter, another order."""

UNLIKE: Final = {
    "PoolStatusResources.creating": "a list in the documented answers of pools, which the client takes for one object",
    "PoolStatusResources.available": "as creating",
    "PoolStatusResources.abnormal": "as creating",
    "PoolStatusResources.deleting": "as creating",
    "ResourceQuota.quota": "a number in the documented answer, of which the client makes a text",
    "ResourceQuota.used": "as quota",
}
"""Where the client's types are not those of the documented answers."""

ELSEWHERE: Final = {
    "AttachDynamicStorage": "it needs a server with root: tests/flows/test_modelarts_sdk.py",
    "ShowDynamicStorage": "as AttachDynamicStorage",
    "DetachDynamicStorage": "as AttachDynamicStorage",
    "ListOrders": "the client has no such call",
    "KeystoneCreateUserTokenByPassword": "of IAM, which has a client of its own",
    "KeystoneListProjects": "of IAM; asked by region: tests/flows/test_modelarts_sdk.py",
    "KeystoneListAuthDomains": "of IAM",
    "KeystoneShowCatalog": "of IAM",
    **dict.fromkeys(
        ("ListModels", "CreateModel", "ShowModel", "ListModelEvents", "DeleteModel"),
        "not in the client; with its signer: tests/flows/test_modelarts_models.py",
    ),
    **dict.fromkeys(
        (one.name for one in coverage.load("modelarts").served if one.path.startswith("/v2/{project_id}/datasets")),
        "not in the client; with its signer: tests/flows/test_modelarts_datasets.py",
    ),
}


@pytest.fixture(scope="module")
def database() -> None:
    """The site's own SQLite."""
    return


def method_of(operation: str) -> str:
    """What the client calls an operation."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


def fields_of(operation: coverage.Served, request: dict[str, Any]) -> dict[str, Any] | None:
    """The request's parameters by the client's names of them; None where the client cannot ask that."""
    shape = getattr(sdk, f"{operation.name}Request")
    names = {wire: name for name, wire in shape.attribute_map.items()}
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)
    told: dict[str, Any] = {**re.fullmatch(pattern, request["path"]).groupdict()}  # type: ignore[union-attr]
    del told["project_id"]
    for wire, value in parse_qsl(request.get("query", ""), keep_blank_values=True):
        told[wire] = f"{told[wire]},{value}" if wire in told else value  # of lists, which it sends either way
    told |= {"body": request["body"]} if "body" in request else {}
    if not set(told) <= set(names) or "" in told.values():
        return None
    return {names[wire]: _as(shape.openapi_types[names[wire]], value) for wire, value in told.items()}


def _as(kind: str, value: Any) -> Any:
    """A text of the query as the client takes it."""
    if kind == "bool":
        return value.lower() == "true"
    if kind == "list[str]" and isinstance(value, str):
        return value.split(",")
    return int(value) if kind == "int" else value


def is_plain(request: dict[str, Any]) -> bool:
    """Whether the client itself would send it: signed, as JSON, by its own hand."""
    return not {"with", "text", "headers", "at", "tampered query", "tampered text"} & request.keys()


def asked_by_client() -> dict[str, coverage.Served]:
    """Good cases that the client can ask, with their operations."""
    found: dict[str, coverage.Served] = {}
    for name, case in CASES.items():
        operation = operation_of(case)
        if "-good" not in name or AGAIN.search(name) or operation is None or not is_plain(case["request"]):
            continue
        has = hasattr(sdk, f"{operation.name}Request") and hasattr(sdk.ModelArtsClient, method_of(operation.name))
        if has and fields_of(operation, case["request"]) is not None:
            found[name] = operation
    return found


ASKED: Final = asked_by_client()


@pytest.mark.parametrize("name", ASKED)
async def test_huaweis_client_reads_the_answer_as_it_stands(stage: Stage, listener: Listener, name: str) -> None:
    case, operation = CASES[name], ASKED[name]
    async with given(stage, case.get("given", [])) as names:
        names["base_url"] = listener.url
        request = cases.filled(case["request"], names)
        who = request.get("as", "alice")
        key = {"access_key": names[f"{who}.access_key"], "secret_key": names[f"{who}.secret"]}
        project = request["path"].split("/")[2]
        client = Sdk(listener.url, {**key, "project_id": project})
        fields = fields_of(operation, request)
        assert fields is not None
        answer = await asyncio.to_thread(client.ask, method_of(operation.name), **fields)
        expected = cases.filled(case["reply"], names)
    assert answer.status_code == expected["status"]
    assert type(answer) is getattr(sdk, f"{operation.name}Response")
    raw = answer.to_json_object()
    assert cases.differences(expected.get("body"), raw) == []
    assert misread(answer, raw or {}) == []


async def test_every_operation_of_huaweis_client_is_asked_with_it() -> None:
    served = {one.name for one in coverage.load("modelarts").served}
    asked = {operation.name for operation in ASKED.values()}
    assert served - asked == set(ELSEWHERE)


def misread(found: Any, raw: Any, at: str = "$") -> list[str]:
    """Where what the client made of an answer is not what the answer says, as it would be with another type."""
    if not hasattr(found, "attribute_map"):
        return [] if type(found) is type(raw) and found == raw else [f"{at}: {found!r} of {raw!r}"]
    wrong: list[str] = []
    for name, wire in found.attribute_map.items():
        path, value = f"{at}.{wire}", getattr(found, name)
        if wire not in raw:
            wrong += [] if value is None else [f"{path}: {value!r} of nothing"]
        elif f"{type(found).__name__}.{name}" not in UNLIKE:
            wrong += _part(value, raw[wire], path)
    return wrong


def _part(value: Any, raw: Any, at: str) -> list[str]:
    if isinstance(value, list) and isinstance(raw, list) and len(value) == len(raw):
        pairs = enumerate(zip(value, raw, strict=True))
        return [said for place, (one, other) in pairs for said in misread(one, other, f"{at}[{place}]")]
    return misread(value, raw, at)
