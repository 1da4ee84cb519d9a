"""The form of answers: what came of a call beside `success`, or an `error` in its place. Nulls are left out.

ZStack's manual lists `success` beside the lists that an answer has; its server sends it over RPC alone, and no client
of REST stumbles over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import msgspec

from trivium.base.caller import Caller
from trivium.base.errors import TriviumError
from trivium.base.reasons import Reason
from trivium.base.text import Language
from trivium.base.values import Value
from trivium.dialects.operation import NOBODY, Reply, Wire
from trivium.dialects.zstack.codes import DESCRIPTIONS, told_of, told_of_reason, words_of

Result: TypeAlias = "Mapping[str, Any]"
"""What a call answers: `inventory`, `inventories` with a `total` perhaps, `results`, or nothing."""

SUCCESS: Final[Result] = {"success": True}


class ErrorCode(Wire, frozen=True, kw_only=True):
    """An error. Some clients show its description alone, so the details stand there, too."""

    code: str
    description: str
    details: str


class Failure(Wire, frozen=True, kw_only=True):
    """What a call that failed answers."""

    success: bool
    error: ErrorCode


class Answer(Value, frozen=True):
    """An answer that is not wrapped any more: its status, and a shape."""

    status: int
    shape: object
    outcome: str = ""


def error_code(error: TriviumError) -> ErrorCode:
    """The error as it is told."""
    return _told(told_of(error).code, words_of(error))


def error_code_of(reason: Reason) -> ErrorCode:
    """Why something that went on failed, as it is told."""
    return _told(told_of_reason(reason).code, reason.say(Language.EN))


def success(result: Result | Answer | None, caller: Caller = NOBODY) -> Reply:
    """The answer to a call that was carried out."""
    if isinstance(result, Answer):
        body = msgspec.json.encode(result.shape)
        return Reply(status=result.status, body=body, outcome=result.outcome, caller=caller.user_name)
    body = msgspec.json.encode({**SUCCESS, **(result or {})})
    return Reply(status=HTTPStatus.OK, body=body, caller=caller.user_name)


def failure(error: TriviumError, caller: Caller = NOBODY) -> Reply:
    """The answer to a call that was refused or failed."""
    shape = error_code(error)
    body = msgspec.json.encode(Failure(success=False, error=shape))
    return Reply(status=told_of(error).status, body=body, outcome=shape.code, caller=caller.user_name)


def _told(code: str, details: str) -> ErrorCode:
    return ErrorCode(code=code, description=f"{DESCRIPTIONS[code]}: {details}", details=details)
