"""The envelope that every answer has, whatever came of the call: HTTP 200, `code`, `msg` and `data`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from trivium.base.errors import TriviumError
from trivium.dialects.operation import Reply, Wire
from trivium.dialects.scnet.errors import Code, code_of, words_of

REFUSED_TOKEN: Final = ("auth_fail", "token is invalid")
"""What SCNet itself says, in msg and data, of a token that does not let in."""


class Envelope(Wire, frozen=True, kw_only=True):
    """What every answer is."""

    code: str = Code.SUCCESS.value
    msg: str = "success"
    data: Any = None


def success(data: object, caller: str = "") -> Reply:
    """The answer to a call that succeeded; `caller` is who asked."""
    return _reply(Envelope(data=data), caller)


def failure(error: TriviumError, operation: str = "", *, caller: str = "") -> Reply:
    """The answer to a call that was refused."""
    code = code_of(error, operation)
    if code is Code.TOKEN:
        msg, data = REFUSED_TOKEN
        return _reply(Envelope(code=code.value, msg=msg, data=data), caller)
    return _reply(Envelope(code=code.value, msg=words_of(error)), caller)


def _reply(envelope: Envelope, caller: str) -> Reply:
    return Reply(status=200, body=msgspec.json.encode(envelope), outcome=envelope.code, caller=caller)
