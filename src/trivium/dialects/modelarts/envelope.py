"""The form of answers: plain JSON, and errors as `error_code` and `error_msg`; those under /v3 are of IAM's form."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.errors import TriviumError
from trivium.dialects.downloads import RangeOutside
from trivium.dialects.modelarts.codes import Told, told_of
from trivium.dialects.operation import NOBODY, Operation, Reply, Request, Wire, WithHeaders

IAM: Final = "/v3/"


class ErrorShape(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """An error; those of the gateway name the request, too."""

    error_code: str
    error_msg: str
    request_id: str = ""


class IamErrorShape(Wire, frozen=True, kw_only=True):
    """An error of IAM's."""

    code: int
    message: str
    title: str


class IamError(Wire, frozen=True, kw_only=True):
    """The same, as it goes out."""

    error: IamErrorShape


def success(operation: Operation, result: object, caller: Caller) -> Reply:
    """The answer to a call that succeeded: its result, or `{}` where there is nothing to say."""
    if isinstance(result, Reply):
        return structs.replace(result, caller=caller.user_name)
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(result, WithHeaders):
        result, headers = result.result, result.headers
    if operation.ok == HTTPStatus.NO_CONTENT:
        return Reply(status=operation.ok, body=b"", headers=headers, content_type="", caller=caller.user_name)
    body = msgspec.json.encode({} if result is None else result)
    return Reply(status=operation.ok, body=body, headers=headers, caller=caller.user_name)


def failure(error: TriviumError, request: Request, caller: Caller = NOBODY) -> Reply:
    """The answer to a call that was refused."""
    told = told_of(error, request.path)
    shape = _iam(told) if request.path.startswith(IAM) else _own(told, request)
    headers = error.headers if isinstance(error, RangeOutside) else ()
    return Reply(
        status=told.status,
        body=msgspec.json.encode(shape),
        headers=headers,
        outcome=told.code,
        caller=caller.user_name,
    )


def _own(told: Told, request: Request) -> Any:  # noqa: ANN401 - a shape
    gateway = told.code.startswith("APIGW.")
    return ErrorShape(error_code=told.code, error_msg=told.words, request_id=request.id if gateway else "")


def _iam(told: Told) -> Any:  # noqa: ANN401 - a shape
    title = HTTPStatus(told.status).phrase
    return IamError(error=IamErrorShape(code=told.status, message=told.words, title=title))
