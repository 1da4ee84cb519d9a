"""What each error is called in SCNet: a code as text, and words in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from trivium.base.errors import (
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    Missing,
    NotFound,
    OverQuota,
    TriviumError,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WrongState,
)
from trivium.base.text import Language, say
from trivium.dialects.scnet.statuses import SHOWN


class Code(StrEnum):
    """The codes that are answered: the ten of the seeds' pages, and those of the four actions on a notebook."""

    SUCCESS = "0"
    INTERNAL = "10001"  # 内部错误
    MISSING = "10003"  # 参数不全
    INVALID = "10004"  # 参数无效
    FROZEN = "10007"  # 用户已被冻结
    TOKEN = "10008"  # noqa: S105  # 权限不足: clients log in anew and ask once more, so it is said of tokens only
    NOT_ALLOWED = "10009"  # 没有权限访问接口
    CHECK_FAILED = "10010"  # 文件校验失败
    TOO_LARGE = "10011"  # 文件过大
    BROKEN_OFF = "10012"  # 连接中断
    SCRIPT = "716864"  # 执行脚本错误
    CREATE = "716865"  # 创建任务错误
    RELEASE = "716866"  # 删除任务失败
    STOP = "716867"  # 停止任务失败
    START = "716868"  # 启动任务错误


class OutOfRange(Invalid):
    """A number is none, or is not between the least and the most that the field may be."""

    code = "scnet.out_of_range"


class NotFlag(Invalid):
    """A truth value is neither true nor false."""

    code = "scnet.not_flag"


class NotId(Invalid):
    """What should be an id is none that anything here could have."""

    code = "scnet.not_id"


class OtherRegion(Invalid):
    """The region that is named is not one of this installation's."""

    code = "scnet.other_region"


class OutsideWindow(Invalid):
    """The timestamp of a signature is too far from the time now."""

    code = "scnet.outside_window"


class BadSignature(Unauthenticated):
    """The signature is not that of the key's secret, or nobody has the key; which of them is not said."""

    code = "scnet.bad_signature"


class BadToken(Unauthenticated):
    """There is no token, or it was not made here, or it is for a region that is not here any more."""

    code = "scnet.bad_token"


class NoSuchInterface(NotFound):
    """Nothing stands at the path."""

    code = "scnet.no_such_interface"


class NotServed(Unsupported):
    """The interface is one of SCNet's that this installation does not serve; `coverage.toml` has the reason."""

    code = "scnet.not_served"


class WrongMethod(NotFound):
    """The path is known, the method is not."""

    code = "scnet.wrong_method"


class BodyTooLarge(OverQuota):
    """The body is larger than bodies may be."""

    code = "scnet.body_too_large"


FINER: Final[Mapping[str, Code]] = {
    Missing.code: Code.MISSING,
    BodyTooLarge.code: Code.TOO_LARGE,
    "user.frozen": Code.FROZEN,
    "image.changed": Code.CHECK_FAILED,
}
"""Where SCNet is finer than the kind of an error."""

BY_KIND: Final[tuple[tuple[type[TriviumError], Code], ...]] = (
    (Invalid, Code.INVALID),
    (Unauthenticated, Code.TOKEN),
    (Forbidden, Code.NOT_ALLOWED),
    (NotFound, Code.INVALID),
    (Conflict, Code.INVALID),
    (WrongState, Code.INVALID),
    (OverQuota, Code.INVALID),
    (Unsupported, Code.NOT_ALLOWED),
    (Unavailable, Code.BROKEN_OFF),
    (Internal, Code.INTERNAL),
)
"""What the kinds of errors are called."""

BY_OPERATION: Final[Mapping[str, Code]] = {
    "CreateNotebook": Code.CREATE,
    "StartNotebook": Code.START,
    "StopNotebook": Code.STOP,
    "ReleaseNotebook": Code.RELEASE,
    "StartCustomizeService": Code.SCRIPT,
}
"""What it is called when a state, a lack of room or the host forbids one of these."""

FIELDS: Final[Mapping[str, str]] = {
    "name": "notebookName",
    "count": "acceleratorNumber",
    "mounts": "mountInfo",
    "accelerator": "acceleratorType",
    "port": "customizePort",
}
"""What SCNet calls fields that a room finds fault with."""

WORDS: Final[Mapping[str, str]] = {status.value: word for status, word in SHOWN.items()}

FORBIDDING: Final = (WrongState, OverQuota, Unsupported)


def code_of(error: TriviumError, operation: str = "") -> Code:
    """The code of an error that came of an operation."""
    action = BY_OPERATION.get(operation)
    if action is not None and isinstance(error, FORBIDDING):
        return action
    finer = FINER.get(error.code)
    if finer is not None:
        return finer
    return next((code for kind, code in BY_KIND if isinstance(error, kind)), Code.INTERNAL)


def words_of(error: TriviumError) -> str:
    """What is said of it, in Chinese: the catalogue's sentence for its code, else for its kind."""
    details = dict(error.details)
    if isinstance(error, WrongState) and details.get("status") in WORDS:
        details["status"] = WORDS[str(details["status"])]
    if not isinstance(error, Invalid):
        return _said(error, details)
    field = FIELDS.get(error.field, error.field)
    said = _said(error, details | {"field": field})
    return said if field in said else f"参数 {field} 无效:{said}"


def _said(error: TriviumError, details: Mapping[str, object]) -> str:
    said = say(error.code, Language.ZH, **details)
    if said != error.code:
        return said
    kind = next((kind for kind, _ in BY_KIND if isinstance(error, kind)), Internal)
    return say(kind.code, Language.ZH, **details)
